"""The accuracy-latency table: true to the functions, and more terms or steps cost more."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from pimsim.config.load import load_hardware
from pimsim.functional.accuracy import SWEEPS, exact_run, function_error, sweep
from pimsim.functional.generate import Generation
from pimsim.report.accuracy import HARDWARE, errors_plot, page, trade_plot

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"


@pytest.fixture(scope="module")
def exact() -> Generation:
    return exact_run(HARDWARE)


def test_errors_of_the_committed_page_are_those_of_the_functions(exact: Generation) -> None:
    committed = PAGE.read_text(encoding="utf-8")
    for function, (parameter, values) in SWEEPS.items():
        section = committed.split(f"`{parameter}`")[1].split("##")[0]
        rows = [row.split(" | ") for row in section.splitlines() if row.startswith("| ") and "value" not in row]
        assert [int(row[0].strip("|* ")) for row in rows] == list(values)
        for row, value in zip(rows, values, strict=True):
            errors = function_error(load_hardware(HARDWARE, [f"{parameter}={value}"]), exact, function)
            assert float(row[1]) == pytest.approx(errors["max_abs_error"], rel=0.2)
            assert float(row[2]) == pytest.approx(errors["max_rel_error"], rel=0.2)


def test_more_steps_cost_more_and_are_more_accurate(exact: Generation) -> None:
    points = sweep(HARDWARE, exact, ["rsqrt"])
    for fewer, more in itertools.pairwise(points):
        assert more.cost.instruction_cycles > fewer.cost.instruction_cycles
        assert more.cost.token_s > fewer.cost.token_s
        assert more.cost.token_j > fewer.cost.token_j
        assert more.max_rel_error < fewer.max_rel_error
    assert points[0].kl_divergence_mean > 5 * points[2].kl_divergence_mean
    assert [point.value for point in points if point.chosen] == [load_hardware(HARDWARE).asic.rsqrt_newton_steps]
    text = page(points, exact)
    assert text.count("\n| ") == len(points) + len(SWEEPS)
    assert f"| {points[0].value} | {points[0].max_abs_error:.2e} |" in text
    assert [len(axis.lines[0].get_xdata()) for axis in errors_plot(points).axes] == [0, 0, 0, len(points)]
    assert [float(x) for x in trade_plot(points).axes[0].lines[-1].get_xdata()] == [p.cost.token_s * 1e6 for p in points]
