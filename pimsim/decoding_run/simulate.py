"""From descriptions to the result of a run under a decoding strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pimsim.config.device import Device
from pimsim.config.workload import WorkloadSpec
from pimsim.decoding.load import load_strategy
from pimsim.decoding.strategy import Strategy
from pimsim.decoding_run.result import decoded_result
from pimsim.decoding_run.run import run_strategy
from pimsim.result.run_result import RunResult


def simulate_decoding(
    hardware: str | Path | Device, workload: str | Path | WorkloadSpec, decoding: str | Path | Strategy, tokens: int | None = None,
    prompt: int | None = None, *, batch: int | None = None, prefill_chunk: int | None = None, settings: Iterable[str] = (),
    refresh: bool = True, progress: Callable[[int, int], None] | None = None,
) -> RunResult:  # fmt: skip
    """As ``simulate``, with the tokens decoded by a strategy (a file, or loaded); ``result.decoding`` says what it did.

    Raises PimsimError for anything that is wrong with the input, and for what is not modelled, by name.
    """
    strategy = decoding if isinstance(decoding, Strategy) else load_strategy(decoding)
    run = run_strategy(
        hardware, workload, strategy, tokens, prompt, batch=batch, prefill_chunk=prefill_chunk, settings=settings, refresh=refresh,
        progress=progress,
    )  # fmt: skip
    return decoded_result(run)
