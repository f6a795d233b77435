"""The figures of the report for notebooks and scripts: ``pimsim.plot.figures(data)``, ``pimsim.plot.save(...)``.

The same figures, drawn by the same code, in the style of the page, of one or two columns of a paper, or of slides.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from pimsim.errors import ConfigError, nearest
from pimsim.report.data import ReportData, ReportRequest, collect
from pimsim.report.figures import FIGURES
from pimsim.report.figures.plot import Plot
from pimsim.report.style import STYLES, style_named
from pimsim.result.write import check_writable

__all__ = ["FIGURE_NAMES", "STYLE_NAMES", "data", "figure", "save"]

FIGURE_NAMES = tuple(plot.name for plot in FIGURES)
STYLE_NAMES = tuple(STYLES)
_FORMATS = (".png", ".svg", ".pdf")


def data(
    hardware: str | Sequence[str], workloads: str | Sequence[str], baselines: str | Sequence[str] = "t4", *,
    tokens: int | None = None, prompt: int | None = None, settings: Sequence[str] = (), processes: int = 1,
) -> ReportData:  # fmt: skip
    """Simulate what a report of these devices, workloads and baselines shows; its tables are attributes. Raises PimsimError."""
    devices, models, others = ((one,) if isinstance(one, str) else tuple(one) for one in (hardware, workloads, baselines))
    return collect(ReportRequest(devices, models, others, tokens, prompt, tuple(settings)), processes)


def figure(report: ReportData, name: str, style: str = "page") -> Figure:
    """The figure ``name`` (one of ``FIGURE_NAMES``) in a style (one of ``STYLE_NAMES``), as a matplotlib figure."""
    return _plot(name).drawing(report, style_named(style)).figure


def save(report: ReportData, name: str, path: str | Path, style: str = "page") -> None:
    """Write the figure ``name`` to ``path``: .png, .svg with text as text, or .pdf."""
    target = Path(path)
    if target.suffix not in _FORMATS:
        raise ConfigError(f"{target}: unknown kind of picture '{target.suffix}'; allowed: {', '.join(_FORMATS)}")
    check_writable(target)
    _plot(name).drawing(report, style_named(style)).save(target.parent, target.stem, (target.suffix[1:],))


def _plot(name: str) -> Plot:
    for plot in FIGURES:
        if plot.name == name:
            return plot
    raise ConfigError(f"unknown figure '{name}'{nearest(name, FIGURE_NAMES)}; allowed: {', '.join(FIGURE_NAMES)}")
