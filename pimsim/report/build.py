"""The comparison report: one HTML file, a Markdown summary, a CSV, PNG and SVG for each figure."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pimsim.report.data import Progress, ReportData, ReportRequest, collect
from pimsim.report.figures import FIGURES
from pimsim.report.folder import check_folder, whole_folder
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


def build_report(
    request: ReportRequest, out: str | Path, processes: int = 1, progress: Progress = lambda text: None
) -> ReportData:
    """Simulate, draw and write the report into the folder ``out``; an earlier report there is replaced.

    Raises PimsimError for wrong input or a folder that cannot be written; then nothing is left behind.
    """
    target = Path(out)
    check_folder(target, ENTRIES)
    data = collect(request, processes, progress)
    progress("drawing")
    with whole_folder(target, ENTRIES) as folder:
        write_report(data, folder)
    return data


def write_report(data: ReportData, folder: Path) -> None:
    """Write all files of a report into an existing empty folder."""
    for name in ("figures", "csv", "runs"):
        (folder / name).mkdir()
    shown = []
    for plot in FIGURES:
        write_table(folder / "csv" / f"{plot.name}.csv", plot.table(data))
        drawing = plot.drawing(data)
        drawing.save(folder / "figures", plot.name)
        files = f"csv/{plot.name}.csv, figures/{plot.name}.png, figures/{plot.name}.svg"
        shown.append(_Shown(plot.name, plot.title, plot.text(data), files, drawing.inline_svg(plot.name)))
    for run in data.runs:
        run.to_json(folder / "runs" / f"{run.hardware}_{run.workload}.json")
    context = _context(data, shown)
    (folder / SUMMARY).write_text(_template("summary.md.j2", html=False).render(context), encoding="utf-8")
    (folder / HTML).write_text(_template("report.html.j2", html=True).render(context), encoding="utf-8")


def _context(data: ReportData, shown: list[_Shown]) -> dict[str, Any]:
    provenance, request = data.runs[0].provenance, data.request
    tokens = sorted({run.generated_tokens for run in data.runs})
    return {
        "title": f"{', '.join(request.hardware)} against {', '.join(request.baselines)}",
        "about": f"{len(data.runs)} simulated runs of {'/'.join(str(count) for count in tokens)} generated tokens; every DRAM command "
        "of every token has its own issue time. Baselines are computed, or quoted from published measurements, as each figure says.",
        "figures": shown,
        "tables": report_tables(data),
        "findings": findings(data),
        "left_out": data.left_out,
        "provenance": f"pimsim {provenance['package_version']}, commit {provenance['git_commit']}, numpy {provenance['numpy']}, "
        f"numba {provenance['numba']}.",
        "style": Markup(_resource("report.css")),
        "script": Markup(_resource("report.js")),
    }


def _template(name: str, html: bool) -> Any:
    loader = PackageLoader("pimsim.report", "templates")
    environment = Environment(loader=loader, autoescape=html, undefined=StrictUndefined, trim_blocks=False)
    environment.filters["markdown"] = markdown
    return environment.get_template(name)


def _resource(name: str) -> str:
    return resources.files("pimsim.report").joinpath("templates", name).read_text(encoding="utf-8")
