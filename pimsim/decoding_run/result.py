"""The result of a run under a decoding strategy: that of any run, and what the strategy did."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from pimsim.decoding.numbers import histogram
from pimsim.decoding_run.run import DecodedRun, expected_tokens, kept_a_round, plain_result
from pimsim.decoding_run.work import planned_macs
from pimsim.energy.ledger import energy_ledger
from pimsim.result.assemble import assemble_run
from pimsim.result.run_result import RunResult
from pimsim.result.sequences import SequenceTimes


def decoded_result(run: DecodedRun, plain: RunResult | None = None) -> RunResult:
    """Every reported figure. ``plain``: the same request decoded plainly, which is simulated if it is not given."""
    plain = plain or plain_result(run)
    outcome = run.phased.outcome
    macs = planned_macs(run.models, run.planned, run.request.encoder_tokens)
    placements = [lowering.placement for lowering in run.lowerings if lowering is not None]
    ends = np.cumsum(outcome.step_ps)
    tokens = run.request.batch * run.request.generate_tokens
    times = [
        SequenceTimes(
            sequence.prompt,
            int(ends[sequence.ends[0] - 1]),
            int(ends[sequence.ends[-1] - 1]),
            macs * run.request.generate_tokens // tokens,
        )
        for sequence in run.sequences
    ]
    selects = np.array([phase != "prefill" for phase in run.phased.phase_of])
    result = assemble_run(
        run.device,
        run.workload,
        run.request,
        placements,
        outcome,
        "fast",
        run.wall_s,
        times=times,
        selects=selects,
        model_macs=macs,
    )
    return result.with_decoding(_decoding(run, result, plain))


def _decoding(run: DecodedRun, result: RunResult, plain: RunResult) -> dict[str, Any]:
    mean, error = kept_a_round(run.rounds)
    rows: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for one in run.planned:
        rows[one.phase] += len(one.step.rows)
        steps[one.phase] += 1
    return {
        **run.strategy.model_dump(exclude_none=True),
        "lossless": run.strategy.lossless,
        "rounds": len(run.rounds),
        "tokens_per_step": mean,
        "tokens_per_step_standard_error": error,
        "tokens_per_step_expected": expected_tokens(run.strategy),
        "acceptance_histogram": histogram(run.rounds),
        "drafted_tokens": sum(found.drafted for found in run.rounds),
        "dropped_tokens": sum(found.drafted - found.accepted for found in run.rounds),
        "steps": dict(steps),
        "rows": dict(rows),
        "breakdown_s": {phase: share.total_ps * 1e-12 for phase, share in run.phased.phases.items()},
        "breakdown_j": {
            phase: energy_ledger(run.device, share).totals_j["nominal"] for phase, share in run.phased.phases.items()
        },
        "plain": {"latency_s": plain.latency_s, "energy_j": plain.energy_j["nominal"]},
        "speedup_over_plain": plain.latency_s / result.latency_s,
        "energy_over_plain": result.energy_j["nominal"] / plain.energy_j["nominal"],
    }
