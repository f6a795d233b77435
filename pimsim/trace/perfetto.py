"""A recorded step as Chrome trace JSON, for the Perfetto UI: one track per channel, per bank and per unit of the ASIC.

Times are microseconds, as the format has it. A channel's track shows its bursts, named by operation and command; a bank's
track its open rows, and inside them the commands that address this bank alone. https://ui.perfetto.dev opens the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import BANK, BANK_GROUP
from pimsim.engine.fast import StepRecord
from pimsim.engine.rule_arrays import SPACING, rule_arrays
from pimsim.mapping.placement import Placement
from pimsim.program.instruction import ASIC, LINK
from pimsim.result.write import text_output
from pimsim.trace.export import BANK as FLAT_BANK
from pimsim.trace.export import COMMAND, COUNT, CYCLE, GROUP, OFFSET, Piece, pieces

_ASIC_TRACKS = {ASIC: (1, "arithmetic"), LINK: (2, "link")}
_ASIC_PROCESS, _FIRST_CHANNEL, _COMMANDS, _FIRST_BANK = 1, 2, 1, 2
_PS_PER_US = 1_000_000


def write_perfetto(path: str | Path, device: Device, placement: Placement, record: StepRecord, layer: int | None = None) -> int:
    """Write a step (or one of its layers) to ``path``, whole or not at all; returns the number of slices."""
    slices = 0
    with text_output(path) as file:
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
        for index, event in enumerate(_events(device, placement, record, layer)):
            file.write((",\n" if index else "") + json.dumps(event))
            slices += event["ph"] == "X"
        file.write("\n]}\n")
    return slices


def _events(device: Device, placement: Placement, record: StepRecord, layer: int | None) -> Iterator[dict[str, Any]]:
    yield from _names(device)
    yield from _asic_slices(record, layer)
    tracks = _Tracks(device)
    for piece in pieces(device, placement, record):
        if layer is None or piece.layer == layer:
            yield from tracks.slices(piece)


def _names(device: Device) -> Iterator[dict[str, Any]]:
    """Names of all processes and tracks."""
    shape = device.organization
    yield _name("process_name", _ASIC_PROCESS, 0, "ASIC")
    for track, name in _ASIC_TRACKS.values():
        yield _name("thread_name", _ASIC_PROCESS, track, name)
    for channel in range(shape.channels):
        process = _FIRST_CHANNEL + channel
        yield _name("process_name", process, 0, f"channel {channel}")
        yield _name("thread_name", process, _COMMANDS, f"channel {channel} commands")
        for bank in range(shape.banks):
            yield _name("thread_name", process, _FIRST_BANK + bank, f"bank {bank} (group {shape.bank_group_of(bank)})")


def _name(kind: str, process: int, track: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": track, "args": {"name": name}}


def _slice(name: str, process: int, track: int, start_ps: int, end_ps: int, **about: int) -> dict[str, Any]:
    span = {"ts": start_ps / _PS_PER_US, "dur": (end_ps - start_ps) / _PS_PER_US}
    return {"ph": "X", "name": name, "pid": process, "tid": track, **span, "args": about}


def _asic_slices(record: StepRecord, layer: int | None) -> Iterator[dict[str, Any]]:
    for (instruction, at), (start, end) in zip(record.program.unrolled(), record.instances[:, :2].tolist(), strict=False):
        if instruction.kind in _ASIC_TRACKS and (layer is None or at == layer):
            name = f"{instruction.label} {instruction.role}"
            yield _slice(name, _ASIC_PROCESS, _ASIC_TRACKS[instruction.kind][0], start, end, layer=at)


class _Tracks:
    """Which row each bank has open since when, while slices are made."""

    def __init__(self, device: Device) -> None:
        self._device, self._t_ck_ps = device, device.timing.t_ck_ps
        self._commands, self._shape = device.standard.commands, device.organization
        self._spacing = rule_arrays(device.table, device.organization).commands[:, SPACING]
        self._open: dict[tuple[int, int], tuple[int, int, str]] = {}

    def slices(self, piece: Piece) -> Iterator[dict[str, Any]]:
        """Bursts and closed rows of one instruction on one channel."""
        process, label = _FIRST_CHANNEL + piece.channel, piece.instruction.label
        rows = np.column_stack([piece.log[:, : FLAT_BANK + 1], piece.row, piece.column]).tolist()
        for row in rows:
            cycle, count, code = row[CYCLE], row[COUNT], row[COMMAND]
            command = self._commands[code]
            name = f"{'refresh' if row[OFFSET] < 0 else label} {command.name}"
            start, end = cycle * self._t_ck_ps, (cycle + (count - 1) * int(self._spacing[code]) + 1) * self._t_ck_ps
            about = {"layer": piece.layer, "commands": count, "row": row[-2], "column": row[-1]}
            yield _slice(name, process, _COMMANDS, start, end, **about)
            if command.row in ("close", "column_close"):
                yield from self._closed(piece.channel, self._banks(command.scope, row), end)
            elif command.row == "open":
                for bank in self._banks(command.scope, row):
                    self._open[piece.channel, bank] = (start, row[-2], label)
            if command.scope == BANK and command.row != "open":
                yield _slice(name, process, _FIRST_BANK + row[FLAT_BANK], start, end, **about)

    def _closed(self, channel: int, banks: Iterable[int], end_ps: int) -> Iterator[dict[str, Any]]:
        for bank in banks:
            if (channel, bank) in self._open:
                start_ps, row, label = self._open.pop((channel, bank))
                yield _slice(f"{label} row {row}", _FIRST_CHANNEL + channel, _FIRST_BANK + bank, start_ps, end_ps, row=row)

    def _banks(self, scope: str, row: list[int]) -> range:
        if scope == BANK:
            return range(row[FLAT_BANK], row[FLAT_BANK] + 1)
        if scope == BANK_GROUP and row[GROUP] >= 0:
            first = row[GROUP] * self._shape.banks_per_group
            return range(first, first + self._shape.banks_per_group)
        return range(self._shape.banks)
