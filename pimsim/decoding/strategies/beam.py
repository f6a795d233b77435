"""Beam search, plain or in groups that must differ: a step is a batch of beams, whose K and V fork."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import TARGET, Answer, Feed, Fork, Keep, Round, Rounds, Standing, Token
from pimsim.decoding.strategy import Strategy


class Beam(Strategy):
    """``beams`` beams in ``groups``; a token that an earlier group took this step loses ``diversity`` for the later ones."""

    name: ClassVar[str] = "beam"
    lossless: ClassVar[bool] = False
    rolls_back: ClassVar[bool] = False
    default_acceptance: ClassVar[float | None] = 1.0

    beams: int = Field(4, ge=1, le=64, description="beams")
    groups: int = Field(1, ge=1, description="groups of beams")
    diversity: float = Field(0.5, ge=0, description="penalty of a token that an earlier group took [nats]")

    @model_validator(mode="after")
    def _divides(self) -> Beam:
        if self.beams % self.groups:
            raise ValueError(f"{self.groups} groups do not divide {self.beams} beams")
        return self

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        memory = standing.memory
        if not memory:
            memory.update(scores=[0.0] * self.beams, texts=[[] for _ in range(self.beams)], first=True)
            rows = standing.unfed(TARGET)
            if len(rows) > 1:
                yield Feed("catch_up", TARGET, rows[:-1])
                yield Keep(TARGET, tuple(range(len(rows) - 1)))
            yield Fork(TARGET, (0,) * self.beams)
        last = tuple(text[-1] if text else standing.tokens[-1] for text in memory["texts"])
        beams = tuple(range(self.beams))
        answer = yield Feed("plain", TARGET, last, (-1,) * self.beams, beams, beams=beams)
        yield Keep(TARGET, (0,))
        sources, tokens = self._best(answer, memory)
        memory["texts"] = [[*memory["texts"][source], token] for source, token in zip(sources, tokens, strict=True)]
        memory["first"] = False
        yield Fork(TARGET, sources)
        best = int(np.argmax(memory["scores"]))
        standing.tokens[len(standing.tokens) - len(memory["texts"][best]) + 1 :] = memory["texts"][best][:-1]
        return Round((memory["texts"][best][-1],))

    def _best(self, answer: Answer, memory: dict[str, Any]) -> tuple[tuple[int, ...], list[Token]]:
        if answer[0] is None:
            return tuple(range(self.beams)), [None] * self.beams
        scores = np.array([_log_shares(logits) for logits in answer]) + np.array(memory["scores"])[:, None]
        size = self.beams // self.groups
        sources: list[int] = []
        tokens: list[Token] = []
        kept: list[float] = []
        for group in range(self.groups):
            mine = scores[group * size : (group + 1) * size].copy()
            if memory["first"]:
                mine[1:] = -np.inf
            for token in tokens:
                mine[:, token] -= self.diversity
            order = np.argsort(-mine, axis=None, kind="stable")[:size]
            for source, token in zip(*np.unravel_index(order, mine.shape), strict=True):
                sources.append(group * size + int(source))
                kept.append(float(scores[sources[-1], token]))
                tokens.append(int(token))
        memory["scores"] = kept
        return tuple(sources), tokens


def _log_shares(logits: Any) -> np.ndarray:
    shifted = np.asarray(logits, np.float64) - np.max(logits)
    return shifted - np.log(np.exp(shifted).sum())  # type: ignore[no-any-return]
