"""Decoding with numbers: a strategy really drafts, and a float64 model really verifies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pimsim.decoding.decisions import ByNumbers
from pimsim.decoding.feed import TARGET, Answer, Feed, Fork, Keep, Request, Roll, Round, Standing
from pimsim.decoding.number_residents import (
    HeadsResident,
    LayeredResident,
    ModelResident,
    first_layers,
    heads_on,
    layers_together,
)
from pimsim.decoding.residents import Draft, ExtraHeads, FirstLayers, Resident
from pimsim.decoding.strategy import Strategy
from pimsim.errors import RequestError
from pimsim.oracle.decoder import Decoder

Loader = Callable[[str], Decoder]


@dataclass
class NumbersRun:
    """``tokens`` generated, cut to those asked for; ``rounds`` of the strategy; rows and feeds by phase."""

    tokens: list[int] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    feeds: Counter[str] = field(default_factory=Counter)

    @property
    def tokens_per_step(self) -> float:
        """Tokens kept a round, in the mean."""
        return float(np.mean([len(found.tokens) for found in self.rounds]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON file."""
        return {
            "rounds": len(self.rounds),
            "tokens_per_step": self.tokens_per_step,
            "acceptance_histogram": histogram(self.rounds),
            "rows_fed": dict(self.rows),
            "feeds": dict(self.feeds),
        }


def histogram(rounds: Sequence[Round]) -> dict[str, int]:
    """How many rounds kept how many drafted tokens."""
    counts = Counter(found.accepted for found in rounds)
    return {str(kept): counts[kept] for kept in range(max(counts, default=0) + 1)}


def decode(
    decoder: Decoder, strategy: Strategy, prompt: Sequence[int], tokens: int, encoder_ids: Sequence[int] | None = None,
    load: Loader | None = None,
) -> NumbersRun:  # fmt: skip
    """``tokens`` tokens after ``prompt`` by ``strategy``; ``load`` gives the draft models that it names.

    Raises RequestError where models do not fit together, or drafts would pass the positions that a model has learned.
    """
    if not prompt or tokens < 1:
        raise RequestError("at least one token of the prompt and one to generate are needed")
    target = (LayeredResident if strategy.in_parts else ModelResident)(decoder.sequence(encoder_ids))
    residents = [target, *(_resident(one, decoder, target, encoder_ids, load) for one in strategy.residents())]
    strategy.check_target(len(decoder.layers))
    _check_positions(residents, strategy, len(prompt) + tokens)
    if len(prompt) > 1:
        for resident in residents:
            if isinstance(resident, ModelResident):
                resident.sequence.step(*prompt[:-1])
    standing = Standing(list(prompt), [len(prompt) - 1] * len(residents))
    run, decide = NumbersRun(), ByNumbers()
    while len(standing.tokens) < len(prompt) + tokens:
        for resident in residents:
            resident.begin_round()
        run.rounds.append(_round(strategy, standing, residents, decide, run))
        standing.tokens += run.rounds[-1].tokens
    run.tokens = [int(token) for token in standing.tokens[len(prompt) : len(prompt) + tokens] if token is not None]
    return run


def _round(
    strategy: Strategy, standing: Standing, residents: Sequence[ModelResident | HeadsResident], decide: ByNumbers, run: NumbersRun
) -> Round:
    rounds = strategy.round(standing, decide)
    answer: Answer = ()
    try:
        request = next(rounds)
        while True:
            answer = _answer(request, standing, residents, run)
            request = rounds.send(answer)
    except StopIteration as over:
        return over.value  # type: ignore[no-any-return]


def _answer(request: Request, standing: Standing, residents: Sequence[ModelResident | HeadsResident], run: NumbersRun) -> Answer:
    resident = residents[request.model]
    if isinstance(request, Feed):
        run.rows[request.phase] += len(request.tokens) - request.seen
        run.feeds[request.phase] += 1
        return resident.feed(request)
    if isinstance(request, Keep):
        resident.keep(request.rows)
        standing.fed[request.model] += len(request.rows)
    elif isinstance(request, Roll):
        resident.roll(request.length)
        standing.fed[request.model] = request.length
    elif isinstance(request, Fork) and isinstance(resident, ModelResident):
        resident.fork(request.sources)
    return ()


def _resident(
    wanted: Resident, decoder: Decoder, target: ModelResident, encoder_ids: Sequence[int] | None, load: Loader | None
) -> ModelResident | HeadsResident:
    if isinstance(wanted, FirstLayers):
        if wanted.layers >= len(decoder.layers):
            raise RequestError(f"layers: {wanted.layers} cannot draft for a target of {len(decoder.layers)}; must be fewer")
        return ModelResident(first_layers(decoder, wanted.layers).sequence(encoder_ids))
    if isinstance(wanted, ExtraHeads):
        return heads_on(target, wanted.heads, wanted.seed, wanted.sequential)
    if isinstance(wanted, Draft):
        if load is None:
            raise RequestError(f"draft '{wanted.model}': no draft models can be loaded here")
        draft = load(wanted.model)
        if draft.vocabulary != decoder.vocabulary:
            raise RequestError(
                f"draft '{wanted.model}' has a vocabulary of {draft.vocabulary}; the target's is {decoder.vocabulary}"
            )
        draft = layers_together(draft, wanted.together) if wanted.together > 1 else draft
        return ModelResident(draft.sequence(encoder_ids if draft.encoder else None))
    return HeadsResident(target, [], sequential=True, layer=len(decoder.layers) - 1)


def _check_positions(residents: Sequence[ModelResident | HeadsResident], strategy: Strategy, length: int) -> None:
    ahead = strategy.ahead
    for number, resident in enumerate(residents):
        longest = resident.sequence.model.longest if isinstance(resident, ModelResident) else None
        if longest is not None and length + ahead > longest:
            which = "the target" if number == TARGET else "the draft"
            raise RequestError(
                f"prompt and generated tokens are {length}, and drafts need {ahead} positions more; {which} has learned {longest}"
            )
