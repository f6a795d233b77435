"""Plain decoding: which rows of a request's sequences are fed in each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pimsim.workload.model import Request
from pimsim.workload.step import Row, Step


@dataclass(frozen=True)
class Feeding:
    """Rows of one sequence in one step: tokens ``first`` to ``end``; ``selects``: whether the last of them selects a token."""

    sequence: int
    first: int
    end: int
    selects: bool


def feedings(request: Request) -> Iterator[tuple[Feeding, ...]]:
    """What every step feeds: the next part of a sequence's prompt, or its latest token; a sequence that is done leaves.

    The last generated token of a sequence is not fed back.
    """
    prompts = request.prompt_lengths
    fed = [0] * len(prompts)
    while True:
        together = []
        for sequence, prompt in enumerate(prompts):
            first = fed[sequence]
            if first < prompt + request.generate_tokens - 1:
                end = min(prompt, first + request.prefill_chunk) if first < prompt else first + 1
                together.append(Feeding(sequence, first, end, end >= prompt))
                fed[sequence] = end
        if not together:
            return
        yield tuple(together)


def step_of(together: tuple[Feeding, ...], tokens: dict[int, list[int]] | None = None) -> Step:
    """The step that feeds ``together``; ``tokens``: token ids of each sequence, as far as they are known."""
    rows: list[Row] = []
    logits: list[int] = []
    for one in together:
        for position in range(one.first, one.end):
            rows.append(Row(one.sequence, position, tokens[one.sequence][position] if tokens else None))
        if one.selects:
            logits.append(len(rows) - 1)
    return Step(tuple(rows), tuple(logits))


def encoder_step(request: Request, tokens: dict[int, list[int]] | None = None) -> Step:
    """The step that feeds every sequence's encoder input, all tokens at once."""
    return Step(
        tuple(
            Row(sequence, position, tokens[sequence][position] if tokens else None)
            for sequence in range(len(request.prompt_lengths))
            for position in range(request.encoder_tokens)
        ),
        (),
        "encoder",
    )


def count_steps(request: Request) -> int:
    """Steps of a request."""
    return int(request.encoder_tokens > 0) + sum(1 for _ in feedings(request))


def steps_of(request: Request) -> Iterator[Step]:
    """All steps of a request, tokens not known."""
    if request.encoder_tokens:
        yield encoder_step(request)
    for together in feedings(request):
        yield step_of(together)
