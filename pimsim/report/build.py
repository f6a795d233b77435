"""The comparison report: one HTML file, a Markdown summary, a CSV, PNG and SVG for each figure."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pimsim.report.data import Progress, ReportData, ReportRequest, collect
from pimsim.report.figures import FIGURES
from pimsim.report.figures.plot import Plot
from pimsim.report.folder import check_folder, whole_folder
from pimsim.report.style import PAGE, Style
from pimsim.report.summary_table import summary_table
from pimsim.report.tables import findings, report_tables
from pimsim.result.write import write_table
from pimsim.text import markdown

HTML = "report.html"
SUMMARY = "summary.md"
ENTRIES = (HTML, SUMMARY, "csv", "figures", "runs")


@dataclass(frozen=True)
class _Shown:
    name: str
    title: str
    caption: str
    files: str
    svg: str
    csv_gzip: str


def build_report(
    request: ReportRequest, out: str | Path, processes: int = 1, progress: Progress = lambda text: None, chosen: Style = PAGE
) -> ReportData:
    """Simulate, draw and write the report into the folder ``out``; an earlier report there is replaced.

    Raises PimsimError for wrong input or a folder that cannot be written; then nothing is left behind.
    """
    target = Path(out)
    check_folder(target, ENTRIES)
    data = collect(request, processes, progress)
    progress("drawing")
    with whole_folder(target, ENTRIES) as folder:
        write_report(data, folder, chosen)
    return data


def write_report(data: ReportData, folder: Path, chosen: Style = PAGE) -> None:
    """Write all files of a report into an existing empty folder; the figures' files in a style."""
    for name in ("figures", "csv", "runs"):
        (folder / name).mkdir()
    shown = [_show(plot, data, chosen, folder) for plot in FIGURES]
    for run in data.runs:
        run.to_json(folder / "runs" / f"{run.hardware}_{run.workload}.json")
    (folder / SUMMARY).write_text(_template("summary.md.j2", html=False).render(_context(data, shown)), encoding="utf-8")
    (folder / HTML).write_text(_page(data, shown), encoding="utf-8")


def report_page(data: ReportData, plots: Sequence[Plot] = FIGURES) -> str:
    """The report's HTML page alone, with some of its figures: what notebooks show."""
    return _page(data, [_show(plot, data) for plot in plots])


def _page(data: ReportData, shown: list[_Shown]) -> str:
    return str(_template("report.html.j2", html=True).render(_context(data, shown)))


def _show(plot: Plot, data: ReportData, chosen: Style = PAGE, folder: Path | None = None) -> _Shown:
    """A figure as the page has it; its files are written if there is a folder for them."""
    table, drawing, files = plot.table(data), plot.drawing(data), [f"csv/{plot.name}.csv"]
    if folder is not None:
        formats = ("png", "svg") if chosen is PAGE else ("png", "svg", "pdf")
        write_table(folder / files[0], table)
        (drawing if chosen is PAGE else plot.drawing(data, chosen)).save(folder / "figures", plot.name, formats)
        files += [f"figures/{plot.name}.{form}" for form in formats]
    svg = drawing.inline_svg(plot.name, f"{plot.title}. {plot.text(data)}")
    return _Shown(plot.name, plot.title, plot.text(data), ", ".join(files) if folder else "", svg, _packed(table))


def _packed(table: pd.DataFrame) -> str:
    """CSV with six significant digits, compressed, as text: the page unpacks it when it is asked for."""
    return base64.b64encode(gzip.compress(table.to_csv(index=False, float_format="%.6g").encode(), mtime=0)).decode()


def _context(data: ReportData, shown: list[_Shown]) -> dict[str, Any]:
    provenance, request = data.runs[0].provenance, data.request
    tokens = sorted({run.generated_tokens for run in data.runs})
    return {
        "title": f"{', '.join(dict.fromkeys(run.hardware for run in data.runs))} against {', '.join(request.baselines)}",
        "about": f"{len(data.runs)} simulated runs of {'/'.join(str(count) for count in tokens)} generated tokens; every DRAM command "
        "of every token has its own issue time. Baselines are computed, or quoted from published measurements, as each figure says.",
        "figures": shown,
        "summary": summary_table(data),
        "tables": report_tables(data),
        "findings": findings(data),
        "left_out": data.left_out,
        "provenance": f"pimsim {provenance['package_version']}, {_commit(provenance)}numpy {provenance['numpy']}, "
        f"numba {provenance['numba']}.",
        "style": Markup(_resource("report.css")),
        "script": Markup(_resource("report.js")),
    }


def _commit(provenance: dict[str, Any]) -> str:
    return f"commit {provenance['git_commit']}, " if provenance["git_commit"] else ""


def _template(name: str, html: bool) -> Any:
    loader = PackageLoader("pimsim.report", "templates")
    environment = Environment(loader=loader, autoescape=html, undefined=StrictUndefined, trim_blocks=False)
    environment.filters["markdown"] = markdown
    return environment.get_template(name)


def _resource(name: str) -> str:
    return resources.files("pimsim.report").joinpath("templates", name).read_text(encoding="utf-8")
