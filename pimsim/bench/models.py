"""The paper's eight models: time and memory of generating with each, and of the first run on a fresh machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

from pimsim.bench.request_run import RequestFigures, RequestJob, run_in_fresh_process
from pimsim.config.load import load_workload
from pimsim.workload.model import make_request

EIGHT = (
    "gpt2_small", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl",
)  # fmt: skip


def check_tokens(models: Sequence[str], tokens: int) -> None:
    """Refuse, before anything is measured, a number of tokens that one of ``models`` has no room for."""
    for name in models:
        make_request(load_workload(name), tokens, 1)


def bench_models(models: Sequence[str], tokens: int) -> Iterator[RequestFigures]:
    """Figures of each model, one fresh process after another, with kernels compiled before."""
    compile_kernels()
    for name in models:
        yield run_in_fresh_process(RequestJob(name, tokens))


def compile_kernels() -> None:
    """Fill the cache of compiled kernels, so that what follows only loads them."""
    run_in_fresh_process(RequestJob("gpt2_small", 1, ("workload.model.layers=1",), warm=False))


def bench_cold_start(model: str, tokens: int) -> RequestFigures:
    """Figures of the first run on a machine: every kernel is compiled, into an empty folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pimsim-bench-") as folder:
        return run_in_fresh_process(RequestJob(model, tokens, warm=False), cache_folder=folder)
