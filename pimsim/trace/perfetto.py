"""A recorded step as Chrome trace JSON, for the Perfetto UI: tracks of operations, of the ASIC's units, of channels and of banks.

Times are microseconds from the start of what is written. Operations on PIM have a track of their own; a channel's track shows its bursts,
named by operation and command; a bank's track its open rows, and inside them their activation and the commands that address this bank
alone. Categories (``cat``): operation, asic, link, command, row, refresh. https://ui.perfetto.dev opens the file, also compressed (.gz).
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
_ASIC_PROCESS, _PIM_PROCESS, _FIRST_CHANNEL, _COMMANDS, _FIRST_BANK = 1, 2, 3, 1, 2
_OPERATIONS = 1
_PS_PER_US = 1_000_000


def write_perfetto(path: str | Path, device: Device, placement: Placement, record: StepRecord, layer: int | None = None) -> int:
    """Write a step (or one of its layers) to ``path``, whole or not at all; returns the number of slices."""
    slices = 0
    with text_output(path) as file:
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
        file.write(",\n".join(map(json.dumps, _names(device))))
        for event in _slices(device, placement, record, layer):
            file.write(",\n" + event)
            slices += 1
        file.write("\n]}\n")
    return slices


def _slices(device: Device, placement: Placement, record: StepRecord, layer: int | None) -> Iterator[str]:
    times = [
        times
        for (_, at), times in zip(record.program.unrolled(), record.instances[:, :2].tolist(), strict=False)
        if layer is None or at == layer
    ]
    zero_ps = min(start for start, _ in times)
    yield from _instruction_slices(record, layer, zero_ps)
    tracks = _Tracks(device, zero_ps)
    for piece in pieces(device, placement, record):
        if layer is None or piece.layer == layer:
            yield from tracks.slices(piece)


def _names(device: Device) -> Iterator[dict[str, Any]]:
    """Names of all processes and tracks."""
    shape = device.organization
    yield _name("process_name", _ASIC_PROCESS, 0, "ASIC")
    for track, name in _ASIC_TRACKS.values():
        yield _name("thread_name", _ASIC_PROCESS, track, name)
    yield _name("process_name", _PIM_PROCESS, 0, "PIM")
    yield _name("thread_name", _PIM_PROCESS, _OPERATIONS, "operations")
    for channel in range(shape.channels):
        process = _FIRST_CHANNEL + channel
        yield _name("process_name", process, 0, f"channel {channel}")
        yield _name("thread_name", process, _COMMANDS, f"channel {channel} commands")
        for bank in range(shape.banks):
            yield _name("thread_name", process, _FIRST_BANK + bank, f"bank {bank} (group {shape.bank_group_of(bank)})")


def _name(kind: str, process: int, track: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": track, "args": {"name": name}}


def _slice(name: str, category: str, process: int, track: int, start_ps: int, end_ps: int, about: str) -> str:
    """One complete event as JSON; written out by hand, for a token has millions."""
    start, length = start_ps / _PS_PER_US, (end_ps - start_ps) / _PS_PER_US
    return (
        f'{{"ph":"X","name":"{name}","cat":"{category}","pid":{process},"tid":{track},"ts":{start:.6f},"dur":{length:.6f},'
        f'"args":{{{about}}}}}'
    )


def _instruction_slices(record: StepRecord, layer: int | None, zero_ps: int) -> Iterator[str]:
    for (instruction, at), (start, end) in zip(record.program.unrolled(), record.instances[:, :2].tolist(), strict=False):
        if layer is not None and at != layer:
            continue
        name, about = json.dumps(f"{instruction.label} {instruction.role}".strip())[1:-1], f'"layer":{at}'
        process, track, category = _PIM_PROCESS, _OPERATIONS, "operation"
        if instruction.kind in _ASIC_TRACKS:
            process, track = _ASIC_PROCESS, _ASIC_TRACKS[instruction.kind][0]
            category = "link" if instruction.kind == LINK else "asic"
        yield _slice(name, category, process, track, start - zero_ps, end - zero_ps, about)


class _Tracks:
    """Which row each bank has open since when, while slices are made."""

    def __init__(self, device: Device, zero_ps: int) -> None:
        self._device, self._t_ck_ps, self._zero_ps = device, device.timing.t_ck_ps, zero_ps
        self._commands, self._shape = device.standard.commands, device.organization
        self._spacing = rule_arrays(device.table, device.organization).commands[:, SPACING]
        self._open: dict[tuple[int, int], tuple[int, int, str]] = {}

    def slices(self, piece: Piece) -> Iterator[str]:
        """Bursts and closed rows of one instruction on one channel."""
        process, label = _FIRST_CHANNEL + piece.channel, json.dumps(piece.instruction.label)[1:-1]
        rows = np.column_stack([piece.log[:, : FLAT_BANK + 1], piece.row, piece.column]).tolist()
        for row in rows:
            cycle, count, code = row[CYCLE], row[COUNT], row[COMMAND]
            command, refresh = self._commands[code], row[OFFSET] < 0
            name, category = f"{'refresh' if refresh else label} {command.name}", "refresh" if refresh else "command"
            start = cycle * self._t_ck_ps - self._zero_ps
            end = start + ((count - 1) * int(self._spacing[code]) + 1) * self._t_ck_ps
            about = f'"layer":{piece.layer},"commands":{count},"row":{row[-2]},"column":{row[-1]}'
            yield _slice(name, category, process, _COMMANDS, start, end, about)
            if command.row in ("close", "column_close"):
                yield from self._closed(piece.channel, self._banks(command.scope, row), end)
            elif command.row == "open":
                for bank in self._banks(command.scope, row):
                    self._open[piece.channel, bank] = (start, row[-2], label)
                    yield _slice(name, category, process, _FIRST_BANK + bank, start, end, about)
            if command.scope == BANK and command.row != "open":
                yield _slice(name, category, process, _FIRST_BANK + row[FLAT_BANK], start, end, about)

    def _closed(self, channel: int, banks: Iterable[int], end_ps: int) -> Iterator[str]:
        for bank in banks:
            if (channel, bank) in self._open:
                start_ps, row, label = self._open.pop((channel, bank))
                name = f"{label} row {row}"
                yield _slice(name, "row", _FIRST_CHANNEL + channel, _FIRST_BANK + bank, start_ps, end_ps, f'"row":{row}')

    def _banks(self, scope: str, row: list[int]) -> range:
        if scope == BANK:
            return range(row[FLAT_BANK], row[FLAT_BANK] + 1)
        if scope == BANK_GROUP and row[GROUP] >= 0:
            first = row[GROUP] * self._shape.banks_per_group
            return range(first, first + self._shape.banks_per_group)
        return range(self._shape.banks)
