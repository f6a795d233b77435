"""No change may move a model's run by a cycle or a picojoule: compared with results kept when both engines agreed on them."""

from __future__ import annotations

import pytest

from tests.simulation.goldens import USUAL, Case, kept, long_cases, short_cases, summary

OTHERS = [
    Case(hardware, "gpt2_small", 32, refresh, issue)
    for hardware, refresh, issue in (
        ("pim_gpt", "none", "overlap"), ("pim_gpt", "per_bank", "overlap"), ("gddr6_aim", "all_bank", "serial"),
    )
]  # fmt: skip


def check(case: Case) -> None:
    expected = kept()[case.name]
    assert summary(case.run(), steps="step_ps" in expected) == expected


@pytest.mark.parametrize("case", [*USUAL, *OTHERS], ids=lambda case: case.name)
def test_run_is_as_it_was(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*short_cases(), *long_cases()], ids=lambda case: case.name)
def test_every_kept_run_is_as_it_was(case: Case) -> None:
    check(case)


def test_every_case_is_kept() -> None:
    assert set(kept()) == {case.name for case in (*short_cases(), *long_cases())}
