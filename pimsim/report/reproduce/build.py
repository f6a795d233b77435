"""Write the reproduction into a folder: Markdown, CSV, PNG and SVG."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pimsim.report.folder import whole_folder
from pimsim.report.reproduce.collect import Reproduction
from pimsim.report.reproduce.figures import draw_all, tables
from pimsim.report.reproduce.rows import table
from pimsim.report.reproduce.text import HEADS, cells, markdown, model_table, needed_tables
from pimsim.result.write import write_table

MARKDOWN = "reproduction.md"
ENTRIES = (MARKDOWN, "csv", "figures")


def write_reproduction(data: Reproduction, out: str | Path) -> None:
    """Write everything into ``out``, whole or not at all; an earlier reproduction there is replaced, anything else refused."""
    with whole_folder(Path(out), ENTRIES) as folder:
        for name in ("figures", "csv"):
            (folder / name).mkdir()
        for name, drawing in draw_all(data).items():
            drawing.save(folder / "figures", name)
        rows = pd.DataFrame([cells(row) for row in table(data)], columns=list(HEADS))
        needed = {f"needed_software_{name}": frame for name, frame in needed_tables(data).items()}
        for name, frame in {**tables(data), **needed, "published_and_ours": rows, "models": model_table(data)}.items():
            write_table(folder / "csv" / f"{name}.csv", frame)
        (folder / MARKDOWN).write_text(markdown(data), encoding="utf-8")
