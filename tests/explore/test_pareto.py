"""The Pareto front against its definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pimsim.explore.pareto import dominates, nondominated


@given(
    arrays(float, st.tuples(st.integers(1, 12), st.just(3)), elements=st.integers(0, 4).map(float)),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_front_is_what_nothing_dominates(values: np.ndarray, maximise: list[bool]) -> None:
    def better(a: float, b: float, up: bool) -> bool:
        return a > b if up else a < b

    def beats(p: np.ndarray, q: np.ndarray) -> bool:
        pairs = list(zip(p, q, maximise, strict=True))
        return any(better(a, b, up) for a, b, up in pairs) and not any(better(b, a, up) for a, b, up in pairs)

    expected = [not any(beats(q, p) for q in values) for p in values]
    assert nondominated(values, maximise).tolist() == expected
    assert any(expected)


def test_dominates() -> None:
    assert dominates([1, 2], [1, 3], [False, False])
    assert not dominates([1, 3], [1, 3], [False, False])
    assert not dominates([1, 2], [1, 3], [False, True])
    assert not dominates([0, 4], [1, 3], [False, False])
