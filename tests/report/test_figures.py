"""Figures of 1 to 30 workloads in every style: no text leaves the figure, none covers another."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from many import with_workloads
from texts import boxes, clipped, overlapping

from pimsim.report.data import ReportData
from pimsim.report.drawing import Drawing
from pimsim.report.figures import FIGURES
from pimsim.report.figures.plot import Plot
from pimsim.report.figures.roofline import spread
from pimsim.report.figures.scales import log_ticks
from pimsim.report.style import PAGE, STYLES, style

Built = tuple[Path, ReportData]
COUNTED = [plot for plot in FIGURES if not plot.focus]
CASES = [(count, "page") for count in (1, 2, 3, 8, 30)] + [(8, name) for name in STYLES if name != "page"]


def check(drawing: Drawing, names: list[str]) -> None:
    assert clipped(drawing.figure) == []
    assert overlapping(drawing.figure) == []
    texts = [text for text, _ in boxes(drawing.figure)]
    assert all(name in texts for name in names)


@pytest.mark.parametrize(("count", "name"), CASES)
@pytest.mark.parametrize("plot", COUNTED, ids=[plot.name for plot in COUNTED])
def test_figures_of_any_number_of_workloads(built: Built, plot: Plot, count: int, name: str) -> None:
    data = with_workloads(built[1], count)
    check(plot.drawing(data, STYLES[name]), [run.workload for run in data.runs])


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("plot", [plot for plot in FIGURES if plot.focus], ids=[plot.name for plot in FIGURES if plot.focus])
def test_figures_of_one_workload(built: Built, plot: Plot, name: str) -> None:
    check(plot.drawing(built[1], STYLES[name]), [])


def test_checks_find_what_is_wrong() -> None:
    with style():
        drawing = Drawing(1)
        drawing.axes[0].text(0.5, 0.5, "one text", transform=drawing.figure.transFigure)
        drawing.axes[0].text(0.52, 0.51, "another", transform=drawing.figure.transFigure)
        drawing.axes[0].text(0.95, 0.5, "far too long to fit here", transform=drawing.figure.transFigure).set_in_layout(False)
    assert ("one text", "another") in overlapping(drawing.figure)
    assert clipped(drawing.figure) == ["far too long to fit here"]


def test_a_figure_is_as_wide_as_its_style_says(built: Built) -> None:
    for one in STYLES.values():
        assert COUNTED[0].drawing(built[1], one).figure.get_figwidth() == one.width_in
    assert PAGE.width_in == 7.0


@pytest.mark.parametrize(
    ("first", "last"), [(0.9, 1100), (0.8, 6), (0.5, 40), (1.01, 1.07), (0.0003, 8e5), (0.97, 1.03), (3.1, 3.9), (1e-9, 2e-9)]
)
def test_ticks_of_logarithmic_axes_are_round_and_few(first: float, last: float) -> None:
    ticks = log_ticks(first, last)
    assert 2 <= len(ticks) <= 8 and ticks == sorted(set(ticks)) and first <= ticks[0] and ticks[-1] <= last
    assert all(len(f"{tick:.12g}".replace(".", "").strip("0").split("e")[0]) <= 3 for tick in ticks)


@pytest.mark.parametrize("heights", [[0.5] * 5, [0.98, 0.99, 1.0], [0.0, 0.0, 0.5, 0.9], []])
def test_names_beside_a_panel_keep_their_order_and_distance(heights: list[float]) -> None:
    places = spread(heights, 0.1)
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(places))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
