"""The rows of a step as lowering and numerics see them: by sequence, with what is kept of each and what each row sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pimsim.workload.step import Row, Step


@dataclass(frozen=True)
class SequenceRows:
    """The rows of one sequence in a step: ``indices`` into the step's rows, ``kept`` tokens of K and V before them.

    Row ``j`` of them is token ``kept + j`` of the sequence's K and V, whatever its position: rows of a tree share positions.
    ``sees``: how many of the sequence's tokens each row attends to, itself included.
    """

    sequence: int
    indices: tuple[int, ...]
    kept: int
    sees: tuple[int, ...]

    @property
    def count(self) -> int:
        """Rows."""
        return len(self.indices)

    @property
    def reach(self) -> int:
        """Tokens of the sequence after the step."""
        return self.kept + self.count


@dataclass(frozen=True, eq=False)
class StepRows:
    """All rows of a step; ``logits``: indices of those whose logits are needed. ``causal``: rows see only what came before."""

    rows: tuple[Row, ...]
    logits: tuple[int, ...]
    causal: bool = True

    @property
    def count(self) -> int:
        """Rows of the step."""
        return len(self.rows)

    def only(self, indices: tuple[int, ...]) -> StepRows:
        """Some of the rows, where nothing depends on the sequence any more."""
        return StepRows(tuple(self.rows[index] for index in indices), tuple(range(len(indices))), self.causal)

    @cached_property
    def sequences(self) -> tuple[SequenceRows, ...]:
        """The rows by sequence, in the order in which the sequences occur."""
        found: dict[int, list[int]] = {}
        for index, row in enumerate(self.rows):
            found.setdefault(row.sequence, []).append(index)
        return tuple(self._sequence(sequence, indices) for sequence, indices in found.items())

    def _sequence(self, sequence: int, indices: list[int]) -> SequenceRows:
        kept = self.rows[indices[0]].position
        if not self.causal:
            return SequenceRows(sequence, tuple(indices), kept, (kept + len(indices),) * len(indices))
        sees = []
        for j, index in enumerate(indices):
            ancestors = self.rows[index].ancestors
            sees.append(kept + 1 + (j if ancestors is None else len(ancestors)))
        return SequenceRows(sequence, tuple(indices), kept, tuple(sees))


def rows_of(step: Step) -> StepRows:
    """The rows of ``step``, by sequence."""
    return StepRows(step.rows, step.logits, step.stack == "decoder")
