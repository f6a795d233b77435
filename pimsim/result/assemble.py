"""From an engine's integer counters to a RunResult."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.config.load import content_hash
from pimsim.config.workload import WorkloadSpec
from pimsim.dram.commands import CAUSES
from pimsim.energy.ledger import energy_ledger
from pimsim.energy.terms import external_bytes
from pimsim.engine.outcome import EngineOutcome
from pimsim.mapping.placement import Placement
from pimsim.result.check import checked
from pimsim.result.provenance import provenance
from pimsim.result.run_result import SCHEMA_VERSION, RunResult
from pimsim.result.sequences import SequenceTimes, asic_macs, described, selecting_steps, sequence_times, spread
from pimsim.units import ps_to_s
from pimsim.workload.model import DecoderModel, Request


def assemble(
    device: Device, workload: WorkloadSpec, request: Request, placement: Placement, outcome: EngineOutcome,
    engine: str, wall_s: float,
) -> RunResult:  # fmt: skip
    """Compute every reported figure of a finished run. Raises ResultError if one of them cannot be."""
    times = sequence_times(DecoderModel(workload.model), request, outcome.step_ps)
    return assemble_run(
        device, workload, request, [placement], outcome, engine, wall_s,
        times=times, selects=np.array(selecting_steps(request)), model_macs=sum(one.macs for one in times),
        of_asic=asic_macs(DecoderModel(workload.model), request),
    )  # fmt: skip


def assemble_run(
    device: Device, workload: WorkloadSpec, request: Request, placements: Sequence[Placement], outcome: EngineOutcome,
    engine: str, wall_s: float, *, times: list[SequenceTimes], selects: NDArray[np.bool_], model_macs: int,
    of_asic: int = 0,
) -> RunResult:  # fmt: skip
    """As ``assemble``, for models side by side. ``times``: of each sequence; ``selects``: for each step whether it may select a
    token; ``model_macs``: multiply-accumulates without padding, ``of_asic`` of them by the ASIC.
    """
    ledger = energy_ledger(device, outcome)
    latency_s, totals = ps_to_s(outcome.total_ps), ledger.totals_j
    tokens = request.batch * request.generate_tokens
    ttft_s, tpot_s = spread(times, request)
    result = RunResult(
        schema_version=SCHEMA_VERSION,
        hardware=device.name,
        workload=workload.name,
        config_hash=content_hash(device.spec, workload),
        prompt_tokens=request.prompt_tokens,
        generated_tokens=request.generate_tokens,
        latency_s=latency_s,
        prompt_latency_s=ps_to_s(int(outcome.step_ps[~selects].sum())),
        tokens_per_s=tokens / latency_s,
        token_latency_s=_token_latency(outcome.step_ps[selects]),
        energy_j=totals,
        energy_per_token_j=totals["nominal"] / tokens,
        energy_breakdown_j=ledger.terms_j["nominal"],
        energy_breakdown_band_j=ledger.terms_j,
        average_power_w=totals["nominal"] / latency_s,
        dram_cycles=outcome.dram_cycles,
        cycle_breakdown={str(c): dict(zip(CAUSES, row, strict=True)) for c, row in enumerate(outcome.causes.tolist())},
        critical_path_s={label: ps_to_s(time) for label, time in outcome.critical_ps.items()},
        command_counts=_named(device, outcome.counts.sum(0)),
        refresh_command_counts=_named(device, outcome.refresh_counts.sum(0)),
        row_hit_rate=row_hit_rate(device, outcome),
        mac_utilisation=model_macs / peak_macs(device, outcome.dram_cycles),
        asic_busy_s=ps_to_s(outcome.asic_busy_ps),
        external_bytes=external_bytes(device, outcome),
        internal_bytes=_count(device, outcome, "MAC_AB") * device.organization.banks * device.organization.column_bytes,
        weight_bytes=sum(placement.weight_bytes for placement in placements),
        kv_bytes_reserved=sum(placement.kv_bytes for placement in placements),
        reserved_bytes=sum(placement.reserved_bytes for placement in placements),
        streaming_floor_s=model_macs / peak_macs(device, 1) * ps_to_s(device.timing.t_ck_ps),
        macs={"model": model_macs, "asic": of_asic, "padding": _executed_macs(device, outcome) - model_macs + of_asic},
        engine=_engine(device, outcome, engine, wall_s),
        provenance=provenance(device.where, device.sources),
        batch=request.batch,
        prefill_chunk=request.prefill_chunk,
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        sequences=described(times, request, totals["nominal"]),
    )
    return checked(result)


def peak_macs(device: Device, cycles: int) -> int:
    """Multiply-accumulates that all MAC units could do in ``cycles`` CK: a column of each bank, for all vectors, every MAC interval."""
    shape = device.organization
    lanes = device.pim.mac_lanes * device.pim.vectors_per_column
    return cycles * shape.channels * shape.banks * lanes // device.mac_interval_ck


def row_hit_rate(device: Device, outcome: EngineOutcome) -> float:
    """Part of the column accesses, counted bank by bank, that found their row open: all but one for each row opened."""
    banks, opened = device.organization.banks, device.pim.all_bank_activation.grouped_by
    accesses = _count(device, outcome, "MAC_AB") * banks + _count(device, outcome, "RD") + _count(device, outcome, "WR")
    activations = _count(device, outcome, "ACT_AB") * opened + _count(device, outcome, "ACT")
    # A row that a refresh closed again before its first access was opened, and is no miss of an access.
    return 1 - min(activations, accesses) / accesses if accesses else 0.0


def _count(device: Device, outcome: EngineOutcome, name: str) -> int:
    return int(outcome.counts[:, device.table.code[name]].sum())


def _executed_macs(device: Device, outcome: EngineOutcome) -> int:
    columns = _count(device, outcome, "MAC_AB") + outcome.shared_columns
    return columns * device.organization.banks * device.pim.mac_lanes


def _named(device: Device, counts: np.ndarray) -> dict[str, int]:
    return {name: int(count) for name, count in zip(device.standard.command_names, counts, strict=True) if count}


def _token_latency(step_ps: np.ndarray) -> dict[str, float]:
    percentiles = np.percentile(step_ps, [50, 99])
    return {
        "first": ps_to_s(int(step_ps[0])),
        "last": ps_to_s(int(step_ps[-1])),
        "mean": ps_to_s(int(step_ps.sum())) / len(step_ps),
        "p50": float(percentiles[0]) * 1e-12,
        "p99": float(percentiles[1]) * 1e-12,
    }


def _engine(device: Device, outcome: EngineOutcome, engine: str, wall_s: float) -> dict[str, Any]:
    channel_cycles = outcome.dram_cycles * device.organization.channels
    return {
        "name": engine,
        "wall_s": wall_s,
        "kernel_s": outcome.kernel_s,
        "commands": int(outcome.counts.sum()),
        "bursts": outcome.bursts,
        "simulated_bursts": outcome.simulated_bursts,
        "channel_cycles_per_s": channel_cycles / wall_s if wall_s > 0 else 0.0,
    }
