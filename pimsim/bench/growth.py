"""How time and memory grow with the number of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pimsim.bench.models import compile_kernels
from pimsim.bench.request_run import RequestFigures, RequestJob, run_in_fresh_process

MODEL = "gpt2_small"
LENGTHS = (128, 256, 512, 1024, 2048, 4096, 8192)


def bench_growth(lengths: Sequence[int] = LENGTHS) -> Iterator[RequestFigures]:
    """Figures of requests of growing length, each in a fresh process, all with K and V space for the longest."""
    compile_kernels()
    room = f"workload.model.max_context={max(lengths)}"
    for tokens in lengths:
        yield run_in_fresh_process(RequestJob(MODEL, tokens, (room,)))
