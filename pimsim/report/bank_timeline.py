"""What every bank, the ASIC and the link do during one layer of one token: bursts with start and end."""

from __future__ import annotations

import pandas as pd

from pimsim.config.device import Device
from pimsim.config.workload import WorkloadSpec
from pimsim.engine.fast import FastEngine, StepRecord
from pimsim.engine.rule_arrays import IntArray
from pimsim.mapping.placement import place
from pimsim.program.instruction import ASIC, LINK
from pimsim.program.lower import Lowering
from pimsim.workload.model import DecoderModel

# Parameter whose gap a command's effect lasts, in drawing: opening, closing, refreshing a row, moving a column.
_LASTS = {"ACT_AB": "nRCDMAC", "ACT": "nRCDRD", "PREab": "nRP", "PREpb": "nRP"}
_MOVES = {"WR_GB": "nLINK", "WR_BIAS": "nLINKMAC", "RD_MAC": "nLINKMAC"}


def layer_timeline(device: Device, workload: WorkloadSpec, context: int, layer: int = 1) -> pd.DataFrame:
    """Simulate one step at ``context`` tokens and list what channel 0 and the ASIC do in layer ``layer`` (from 0).

    Columns: unit (``op``, ``channel``, ``asic`` or ``link``), name (operation or command), op, bank (-1: every bank), start_ns, end_ns,
    commands. Times count from the start of the layer.
    """
    model = DecoderModel(workload.model)
    program = Lowering(device, model, place(device, model)).step(context, True)
    record = FastEngine(device).record_step(program)
    wanted = min(layer, program.layers - 1)
    numbers = [number for number, (_, at) in enumerate(program.unrolled()) if at == wanted]
    begin_ps, end_ps = int(record.instances[numbers, 0].min()), int(record.instances[numbers, 1].max())
    rows = _instructions(record, numbers) + _bursts(device, record, begin_ps, end_ps)
    frame = pd.DataFrame(rows, columns=["unit", "name", "op", "bank", "start_ns", "end_ns", "commands"])
    frame[["start_ns", "end_ns"]] = (frame[["start_ns", "end_ns"]] - begin_ps) / 1000
    return frame


def _instructions(record: StepRecord, numbers: list[int]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    everything = [instruction for instruction, _ in record.program.unrolled()]
    for number in numbers:
        instruction, (start, end) = everything[number], record.instances[number, :2].tolist()
        unit = {ASIC: "asic", LINK: "link"}.get(instruction.kind, "op")
        rows.append((unit, instruction.label, instruction.role, -1, start, end, 1))
    return rows


def _bursts(device: Device, record: StepRecord, begin_ps: int, end_ps: int) -> list[tuple[object, ...]]:
    names, t_ck_ps = device.standard.command_names, device.timing.t_ck_ps
    everything = [instruction for instruction, _ in record.program.unrolled()]
    log = record.log[record.log[:, 7] == 0]
    log = log[(log[:, 0] * t_ck_ps >= begin_ps) & (log[:, 0] * t_ck_ps < end_ps)]
    rows: list[tuple[object, ...]] = []
    for (cycle, count, _, command, _, bank, number, _), after in zip(
        log.tolist(), _next_use(log, end_ps // t_ck_ps), strict=True
    ):
        name = names[command]
        end = min(cycle + max(1, _lasts_ck(device, name, count)), max(after, cycle + 1))
        op = everything[number].label
        rows.append(("channel", name, op, bank, cycle * t_ck_ps, end * t_ck_ps, count))
    return rows


def _next_use(log: IntArray, end: int) -> list[int]:
    """Cycle at which each burst's bank is addressed again (any bank, for a burst that addresses every one)."""
    everyone, found = end, []
    by_bank: dict[int, int] = {}
    for cycle, bank in log[::-1, [0, 5]].tolist():
        found.append(min(everyone, by_bank.get(bank, end)) if bank >= 0 else min([everyone, *by_bank.values()]))
        if bank >= 0:
            by_bank[bank] = cycle
        else:
            everyone, by_bank = cycle, {}
    return found[::-1]


def _lasts_ck(device: Device, name: str, count: int) -> int:
    if name == "MAC_AB":
        return count * device.mac_interval_ck
    if name in ("REFab", "REFpb"):
        return device.latency_ck(name) * count
    parameter = _LASTS.get(name) or _MOVES.get(name, "nCCDS")
    cycles = device.timing.cycles
    return cycles[parameter] * count if parameter in cycles else count
