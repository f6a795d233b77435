"""Power over time: what DRAM, MAC units, link and ASIC draw in each window of a run; the integral is the run's energy.

Every step is simulated burst by burst. A command's energy falls into the window of its issue (a refresh's too), that of ASIC work and of
transfers is spread over the instruction, standby over the step. What one event costs is asked of the energy terms themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.config.workload import WorkloadSpec
from pimsim.energy.ledger import energy_ledger
from pimsim.energy.terms import TERMS, Scenario
from pimsim.engine.fast import FastEngine, StepRecord
from pimsim.engine.outcome import EngineOutcome
from pimsim.engine.rule_arrays import SPACING
from pimsim.errors import RequestError
from pimsim.program.instruction import ASIC, LINK
from pimsim.simulation import lowering_for, resolve, step_programs
from pimsim.units import PS_PER_S, pj_to_j
from pimsim.workload.model import DecoderModel, make_request

Floats = NDArray[np.float64]
PARTS = ("dram", "mac", "link", "asic")
_PART_OF = {"mac_units": "mac", "global_buffer": "mac", "link_io": "link", "asic_dynamic": "asic", "asic_static": "asic"}
MAX_WINDOWS = 10_000_000


@dataclass(frozen=True, eq=False)
class PowerTrace:
    """Windows of a run, one after another: ``edges_ps`` has one more entry than there are windows; ``energy_pj`` is (windows,
    PARTS). ``labels`` names the operation that a window ends with, where windows are instructions.

    ``residual_j``: what the last window was given so that the sum is the run's energy: parts of a cycle at its end.
    """

    edges_ps: NDArray[np.int64]
    energy_pj: Floats
    labels: tuple[str, ...]
    residual_j: float

    @property
    def power_w(self) -> Floats:
        """Average power of each part in each window."""
        return self.energy_pj / np.diff(self.edges_ps)[:, None]

    @property
    def peak_w(self) -> float:
        """Largest power of a window."""
        return float(self.power_w.sum(1).max())

    @property
    def energy_j(self) -> float:
        """The integral."""
        return pj_to_j(float(self.energy_pj.sum()))

    def lines(self) -> Iterator[str]:
        """The trace as CSV."""
        named = ",operation" if self.labels else ""
        yield "start_s,end_s," + ",".join(f"{part}_w" for part in (*PARTS, "total")) + named
        for k, power in enumerate(self.power_w):
            start, end = self.edges_ps[k] / PS_PER_S, self.edges_ps[k + 1] / PS_PER_S
            values = ",".join(f"{value:.6g}" for value in (*power, power.sum()))
            yield f"{start:.12g},{end:.12g},{values}" + (f",{self.labels[k]}" if self.labels else "")


def power_trace(
    hardware: str | Path | Device, workload: str | Path | WorkloadSpec, tokens: int | None = None, prompt: int | None = None,
    settings: Iterable[str] = (), window_ps: int = 1_000_000, by_instruction: bool = False, which: str = "nominal",
    *, batch: int | None = None, prefill_chunk: int | None = None,
) -> PowerTrace:  # fmt: skip
    """Power of a request in windows of ``window_ps``, or between the ends of its instructions.

    Raises RequestError for windows that are too short for the run.
    """
    device, spec = resolve(hardware, workload, settings)
    request = make_request(spec, tokens, prompt, batch, prefill_chunk)
    lowering, engine = lowering_for(device, DecoderModel(spec.model), request), FastEngine(device)
    costs, steps, records, opened = _costs(device, which), [], [], [0]
    for program in step_programs(lowering, request):
        record = engine.record_step(program)
        records.append(record)
        steps.append(int(record.instances[_length(record) - 1, 1]) - record.start_ps)
        opened.append(engine.open_cycles)
    outcome = engine.finish(steps)
    edges, labels = _edges(records, outcome.total_ps, window_ps, by_instruction)
    energy = np.zeros((len(edges) - 1, len(PARTS)))
    for k, record in enumerate(records):
        shared = engine.totals[k].shared_columns
        _add_step(energy, edges, device, engine, record, costs, steps[k], opened[k + 1] - opened[k], shared)
    ledger = energy_ledger(device, outcome).terms_j[which]
    totals = [sum(joules for term, joules in ledger.items() if _part(term) == part) * 1e12 for part in PARTS]
    residual = np.array(totals) - energy.sum(0)
    energy[-1] += residual
    return PowerTrace(edges, energy, labels, pj_to_j(float(np.abs(residual).sum())))


def _part(term: str) -> str:
    return _PART_OF.get(term, "dram")


@dataclass(frozen=True)
class _Costs:
    """Energy in pJ of one event, by part: of each command (commands, PARTS), and of a unit of what lasts."""

    command: Floats
    shared_column: Floats
    open_cycle: Floats
    cycle: Floats
    link_byte: Floats
    busy_ps: Floats
    passing_ps: Floats


def _costs(device: Device, which: str) -> _Costs:
    """The energy terms of runs in which one thing happened once."""
    channels, commands = device.organization.channels, len(device.standard.commands)
    nothing = EngineOutcome(
        step_ps=np.zeros(1, np.int64), dram_cycles=0, causes=np.zeros((channels, 1), np.int64),
        open_cycles=np.zeros(channels, np.int64), counts=np.zeros((channels, commands), np.int64),
        refresh_counts=np.zeros((channels, commands), np.int64), critical_ps={}, asic_busy_ps=0, asic_adds=0, asic_muls=0,
        link_bytes=0, bursts=0, shared_columns=0, simulated_bursts=0, kernel_s=0.0,
    )  # fmt: skip

    def priced(times: float = 1.0, **changes: object) -> Floats:
        scenario = Scenario(device, which, replace(nothing, **changes))  # type: ignore[arg-type]
        parts = dict.fromkeys(PARTS, 0.0)
        for term in TERMS:
            parts[_part(term.__name__)] += term(scenario)
        return np.array([parts[part] for part in PARTS]) / times

    once = np.zeros((commands, channels, commands), np.int64)
    once[np.arange(commands), 0, np.arange(commands)] = 1
    open_once = nothing.open_cycles.copy()
    open_once[0] = 1
    second_ps = device.asic_period_ps * 10**9
    return _Costs(
        command=np.array([priced(counts=counts) for counts in once]),
        shared_column=priced(shared_columns=1),
        open_cycle=priced(open_cycles=open_once),
        cycle=priced(dram_cycles=1),
        link_byte=priced(link_bytes=1),
        busy_ps=priced(second_ps, asic_busy_ps=second_ps),
        passing_ps=priced(second_ps, step_ps=np.array([second_ps])),
    )


def _length(record: StepRecord) -> int:
    return sum(len(section.instructions) * len(section.layers) for section in record.program.sections)


def _edges(
    records: list[StepRecord], total_ps: int, window_ps: int, by_instruction: bool
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if not by_instruction:
        if window_ps < 1 or total_ps // window_ps >= MAX_WINDOWS:
            raise RequestError(f"power trace: windows of {window_ps} ps are too short for a run of {total_ps} ps")
        edges = np.arange(0, total_ps + window_ps, window_ps, dtype=np.int64)
        return np.minimum(edges, total_ps)[: -(-total_ps // window_ps) + 1], ()
    named: dict[int, str] = {}
    for record in records:
        for (instruction, _), end in zip(record.program.unrolled(), record.instances[:, 1].tolist(), strict=False):
            named[int(end)] = instruction.label
    ends = sorted(end for end in named if end > 0)
    return np.array([0, *ends], np.int64), tuple(named[end] for end in ends)


def _add_step(
    energy: Floats, edges: NDArray[np.int64], device: Device, engine: FastEngine, record: StepRecord, costs: _Costs,
    step_ps: int, open_cycles: int, shared_columns: int,
) -> None:  # fmt: skip
    """Mutates ``energy``: everything that a step draws."""
    log, t_ck_ps = record.log, device.timing.t_ck_ps
    burst = np.repeat(np.arange(len(log)), log[:, 1])
    inside = np.arange(len(burst)) - np.repeat(np.cumsum(log[:, 1]) - log[:, 1], log[:, 1])
    command = log[burst, 3]
    time_ps = (log[burst, 0] + inside * engine.rules.commands[command, SPACING]) * t_ck_ps
    window = np.minimum(np.searchsorted(edges, time_ps, side="right") - 1, len(energy) - 1)
    macs = np.flatnonzero(command == device.table.code["MAC_AB"])
    for part in range(len(PARTS)):
        pj = costs.command[command, part]
        pj[macs] += costs.shared_column[part] * shared_columns / max(1, len(macs))
        energy[:, part] += np.bincount(window, pj, len(energy))
    begin, end = record.start_ps, record.start_ps + step_ps
    standby = open_cycles * costs.open_cycle + step_ps / t_ck_ps * costs.cycle + step_ps * costs.passing_ps
    _spread(energy, edges, np.array([[begin, end]]), standby[None, :])
    for kind, unit in ((ASIC, costs.busy_ps), (LINK, costs.link_byte)):
        spans, pj = [], []
        for (instruction, _), row in zip(record.program.unrolled(), record.instances.tolist(), strict=False):
            if instruction.kind == kind:
                spans.append((row[0], row[1]))
                pj.append(unit * (row[1] - row[0] if kind == ASIC else instruction.link_bytes))
        if spans:
            _spread(energy, edges, np.array(spans), np.array(pj))


def _spread(energy: Floats, edges: NDArray[np.int64], spans: NDArray[np.int64], pj: Floats) -> None:
    """Mutates ``energy``: the energy of spans that do not overlap, evenly over each: differences of its running sum at the edges."""
    order = np.argsort(spans[:, 0], kind="stable")
    spans, pj = spans[order], pj[order]
    times = spans.reshape(-1).astype(np.float64)
    for part in range(len(PARTS)):
        running = np.cumsum(pj[:, part])
        values = np.column_stack([running - pj[:, part], running]).reshape(-1)
        energy[:, part] += np.diff(np.interp(edges, times, values))
