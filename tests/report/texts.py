"""Where the texts of a drawn matplotlib figure lie, which of them leave it, and which overlap."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

TOLERANCE_PX = 1.5


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every visible text with its bounding box in pixels."""
    figure.draw_without_rendering()
    hidden = {id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _outside(axis)}
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip() and id(text) not in hidden]
    # Text's own method: an annotation's would include its arrow.
    found = [(text.get_text(), Text.get_window_extent(text)) for text in texts]
    return [(text, box) for text, box in found if box.width > 0.5 and box.height > 0.5]


def _outside(axis: Axis) -> Iterator[Text]:
    """Labels of ticks beyond the ends of an axis, which are not drawn."""
    low, high = sorted(axis.get_view_interval())
    for tick in axis.get_major_ticks():
        if not low <= tick.get_loc() <= high:
            yield from (tick.label1, tick.label2)


def clipped(figure: Figure) -> list[str]:
    """Texts that are not wholly inside the figure."""
    width, height = figure.bbox.width, figure.bbox.height
    return [
        text
        for text, box in boxes(figure)
        if box.x0 < -TOLERANCE_PX or box.y0 < -TOLERANCE_PX or box.x1 > width + TOLERANCE_PX or box.y1 > height + TOLERANCE_PX
    ]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other by more than a pixel in both directions."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes(figure), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > TOLERANCE_PX and min(a.y1, b.y1) - max(a.y0, b.y0) > TOLERANCE_PX
    ]
