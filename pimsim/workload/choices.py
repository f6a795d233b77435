"""Which experts rows choose where no numbers say it: drawn with a seed, evenly or by Zipf's law, or as a file lists them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pimsim.errors import RequestError

UNIFORM, ZIPF = "uniform", "zipf"


@dataclass(frozen=True)
class ExpertChoices:
    """``distribution``: uniform, or zipf with ``exponent`` over the experts in an order drawn for each layer.

    ``file``: instead, a line for each choice: the experts of one row of one layer, taken in turn and from the start again.
    """

    distribution: str = UNIFORM
    exponent: float = 1.0
    seed: int = 0
    file: str | None = None

    def loads(self, layer: int, step: int, rows: int, experts: int, chosen: int) -> dict[int, int]:
        """Experts that at least one of ``rows`` rows chooses, those of most rows first, and how many do."""
        found = Counter(expert for row in range(rows) for expert in self._row(layer, step, row, experts, chosen))
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def _row(self, layer: int, step: int, row: int, experts: int, chosen: int) -> list[int]:
        if self.file is not None:
            return self._listed((layer + step + row) % len(self._lines), experts, chosen)
        generator = np.random.default_rng([self.seed, layer, step, row])
        weights = None
        if self.distribution == ZIPF:
            order = np.random.default_rng([self.seed, layer]).permutation(experts)
            weights = 1.0 / (1 + order) ** self.exponent
            weights /= weights.sum()
        return generator.choice(experts, chosen, replace=False, p=weights).tolist()  # type: ignore[no-any-return]

    @cached_property
    def _lines(self) -> list[list[int]]:
        assert self.file is not None
        try:
            text = Path(self.file).read_text(encoding="utf-8")
            lines = [[int(word) for word in line.replace(",", " ").split()] for line in text.splitlines() if line.strip()]
        except OSError as error:
            raise RequestError(f"{self.file}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RequestError(f"{self.file}: numbers of experts, a line for each choice, are needed: {error}") from None
        if not lines:
            raise RequestError(f"{self.file}: lists no choice of experts")
        return lines

    def _listed(self, line: int, experts: int, chosen: int) -> list[int]:
        found = self._lines[line]
        if len(set(found)) != chosen or not all(0 <= expert < experts for expert in found):
            raise RequestError(f"{self.file}: line {line + 1}: {chosen} different experts from 0 to {experts - 1} are needed")
        return found
