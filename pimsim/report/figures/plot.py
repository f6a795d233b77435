"""What a figure is: a table, and a drawing made from that table alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from pimsim.report.data import ReportData
from pimsim.report.drawing import PAGE, Drawing, Style, style


@dataclass(frozen=True)
class Plot:
    """``table`` gives the figure's data (also its CSV), ``draw`` draws it; ``caption`` may name ``{focus}``.

    ``focus`` is the key of ``ReportData.focus`` that says which workload a single-workload figure shows.
    """

    name: str
    title: str
    caption: str
    table: Callable[[ReportData], pd.DataFrame]
    draw: Callable[[ReportData], Drawing]
    focus: str = ""

    def drawing(self, data: ReportData, chosen: Style = PAGE) -> Drawing:
        """The figure in a style: that of the page, of a paper's column, of slides."""
        with style(chosen):
            return self.draw(data)

    def text(self, data: ReportData) -> str:
        """The caption for these data."""
        return self.caption.format(focus=data.focus.get(self.focus, ""))
