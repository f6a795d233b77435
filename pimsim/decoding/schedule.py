"""Steps of a run without numbers: every sequence's strategy is asked, and what they want at the same time is fed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pimsim.decoding.acceptance import Outcomes
from pimsim.decoding.decisions import ByChance
from pimsim.decoding.feed import TARGET, Feed, Fork, Keep, Roll, Round, Rounds, Standing
from pimsim.decoding.residents import Draft, FirstLayers
from pimsim.decoding.strategy import Strategy
from pimsim.workload.step import Row, Step

FIRST = ("catch_up", "draft", "heads")  # phases that others wait for, so that verifications go together
LayerRange = tuple[int, int | None]


@dataclass(frozen=True)
class Planned:
    """A step, what it is for, and which layers of its model run (None: all)."""

    phase: str
    step: Step
    layers: LayerRange | None = None


@dataclass
class Progress:
    """One sequence of the run: where it stands, its round in progress, the rounds it finished and after how many steps."""

    number: int
    prompt: int
    wanted: int
    standing: Standing
    decide: ByChance
    rounds: list[Round] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    asking: Rounds | None = None
    feed: Feed | None = None

    @property
    def done(self) -> bool:
        """Whether it has all its tokens."""
        return len(self.standing.tokens) >= self.prompt + self.wanted


class Schedule:
    """The run of ``tokens`` tokens for sequences with prompts of ``prompts`` tokens, fed ``chunk`` at a time.

    The last part of a prompt is fed by the first round, with whatever that feeds. Raises ConfigError if the strategy says nothing about acceptance. Iterate ``steps`` once; ``rounds`` are complete afterwards.
    """

    def __init__(self, strategy: Strategy, prompts: Sequence[int], tokens: int, chunk: int = 1) -> None:
        self.strategy, self.chunk, self.beams, self.count = strategy, chunk, getattr(strategy, "beams", 1), 0
        residents = len(strategy.residents()) + 1
        self.sequences = []
        shared = strategy.chances()
        for number, prompt in enumerate(prompts):
            chances = shared if number == 0 or not isinstance(shared, Outcomes) else strategy.chances()
            decide = ByChance(chances, np.random.default_rng([strategy.seed, number]))
            standing = Standing([None] * prompt, [(prompt - 1) // chunk * chunk] * residents)
            self.sequences.append(Progress(number, prompt, tokens, standing, decide))

    @property
    def rounds(self) -> list[Round]:
        """Finished rounds of all sequences."""
        return [found for sequence in self.sequences for found in sequence.rounds]

    def prefill(self) -> Iterator[Planned]:
        """All whole parts of the prompts but the last through every model that keeps K and V of its own."""
        own = [TARGET, *(n for n, one in enumerate(self.strategy.residents(), 1) if isinstance(one, Draft))]
        ends = [sequence.standing.fed[TARGET] for sequence in self.sequences]
        for model in own:
            for begin in range(0, max(ends), self.chunk):
                rows = [
                    Row(sequence.number * self.beams, position)
                    for sequence, end in zip(self.sequences, ends, strict=True)
                    for position in range(begin, min(begin + self.chunk, end))
                ]
                self.count += 1
                yield Planned("prefill", Step(tuple(rows), (), model=model))

    def steps(self) -> Iterator[Planned]:
        """Steps in order, until every sequence has its tokens; sequences that are done leave."""
        while True:
            waiting = [sequence for sequence in self.sequences if self._advance(sequence)]
            if not waiting:
                return
            first = min(waiting, key=lambda sequence: (sequence.feed.phase not in FIRST, sequence.number))  # type: ignore[union-attr]
            assert first.feed is not None
            key = _key(first.feed)
            together = [sequence for sequence in waiting if sequence.feed is not None and _key(sequence.feed) == key]
            self.count += 1
            yield self._planned(together)
            for sequence in together:
                assert sequence.feed is not None
                self._answer(sequence, len(sequence.feed.logits))

    def _advance(self, sequence: Progress) -> bool:
        """Bring a sequence to its next feed; False if it is done."""
        while sequence.feed is None:
            if sequence.done:
                return False
            sequence.asking = self.strategy.round(sequence.standing, sequence.decide)
            self._take(sequence, None)
        return True

    def _answer(self, sequence: Progress, rows: int) -> None:
        sequence.feed = None
        self._take(sequence, (None,) * rows)

    def _take(self, sequence: Progress, answer: tuple[None, ...] | None) -> None:
        """Send an answer (None: begin), and follow what is asked up to the next feed or the round's end."""
        assert sequence.asking is not None
        try:
            request = sequence.asking.send(answer) if answer is not None else next(sequence.asking)
            while not isinstance(request, Feed):
                standing = sequence.standing
                if isinstance(request, Keep):
                    standing.fed[request.model] += len(request.rows)
                elif isinstance(request, Roll):
                    standing.fed[request.model] = request.length
                elif not isinstance(request, Fork):
                    raise TypeError(f"unknown request {request!r}")
                request = sequence.asking.send(())
            sequence.feed = request
        except StopIteration as over:
            sequence.rounds.append(over.value)
            sequence.ends.append(self.count)
            sequence.standing.tokens += over.value.tokens

    def _planned(self, together: Sequence[Progress]) -> Planned:
        rows: list[Row] = []
        logits: list[int] = []
        for sequence in together:
            feed = sequence.feed
            assert feed is not None
            begin = len(rows) - feed.seen
            kept = sequence.standing.fed[feed.model]
            if feed.model != TARGET and not isinstance(self._resident(feed.model), Draft | FirstLayers):
                kept = sequence.standing.fed[TARGET]
            rows += _rows(feed, sequence.number * self.beams, kept, begin)
            last = len(feed.tokens) - 1  # several heads may answer one row
            logits += sorted({begin + min(row, last) for row in feed.logits if row >= feed.seen})
        feed = together[0].feed
        assert feed is not None
        resident = self._resident(feed.model)
        if isinstance(resident, FirstLayers):
            return Planned(feed.phase, Step(tuple(rows), tuple(logits), model=TARGET), (0, resident.layers))
        return Planned(feed.phase, Step(tuple(rows), tuple(logits), model=feed.model), feed.layers)

    def _resident(self, model: int) -> object:
        return None if model == TARGET else self.strategy.residents()[model - 1]


def _key(feed: Feed) -> tuple[str, int, LayerRange | None]:
    return feed.phase, feed.model, feed.layers


def _rows(feed: Feed, sequence: int, kept: int, begin: int) -> list[Row]:
    """Rows of a feed that were not fed before; ``begin``: place in the step of the feed's first row."""
    if feed.beams is not None:
        return [Row(sequence + beam, kept) for beam in feed.beams]
    simple = feed.parents is None or feed.parents == tuple(range(-1, len(feed.tokens) - 1))
    rows: list[Row] = []
    lines: list[tuple[int, ...]] = []
    for row in range(len(feed.tokens)):
        parent = row - 1 if feed.parents is None else feed.parents[row]
        lines.append((*lines[parent], parent) if parent >= 0 else ())
        if row >= feed.seen:
            inside = tuple(begin + at for at in lines[row] if at >= feed.seen)
            chained = simple and feed.seen == 0
            rows.append(Row(sequence, kept + len(lines[row]), None, None if chained else inside))
    return rows
