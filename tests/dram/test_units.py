"""Conversions round where they say they do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimsim import units


@pytest.mark.parametrize(
    "time_ns, t_ck_ps, cycles",
    [(0, 570, 0), (0.57, 570, 1), (0.571, 570, 2), (1.14, 570, 2), (1.7100001, 570, 4), (12, 1000, 12), (12.001, 1000, 13)],
)
def test_ns_become_whole_cycles_rounded_up(time_ns: float, t_ck_ps: int, cycles: int) -> None:
    assert units.ns_to_ck(time_ns, t_ck_ps) == cycles


@given(st.integers(0, 10**6), st.integers(1, 10**5))
def test_exact_multiples_are_exact(cycles: int, t_ck_ps: int) -> None:
    assert units.ns_to_ck(cycles * t_ck_ps / 1000, t_ck_ps) == cycles


@given(st.integers(0, 10**15), st.integers(1, 10**6))
def test_edge_is_the_first_at_or_after(time_ps: int, period: int) -> None:
    edge = units.ps_to_edge(time_ps, period)
    assert (edge - 1) * period < time_ps <= edge * period


@pytest.mark.parametrize("clock_ghz, period", [(1.0, 1000), (1.75, 571), (0.5, 2000), (3.0, 333), (5000.0, 1)])
def test_period_is_rounded_to_the_nearest(clock_ghz: float, period: int) -> None:
    assert units.period_ps(clock_ghz) == period


def test_the_rest() -> None:
    assert units.ns_to_ps(1.2345) == 1234
    assert units.ck_to_s(1_000_000, 570) == pytest.approx(570e-6)
    assert units.ps_to_s(10**12) == 1.0
    assert units.pj_to_j(1e12) == pytest.approx(1.0)
    assert units.milliwatt_ps_to_pj(1000.0, 1000.0) == pytest.approx(1000.0)
