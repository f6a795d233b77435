"""Logarithmic axes with plain numbers that neither collide nor run out."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, NullLocator


def log_scale(axes: Axes, which: str, low: float, high: float, unit: str = "", most: int = 7) -> None:
    """Make the ``x`` or ``y`` axis logarithmic from a little below ``low`` to a little above ``high``, with ``unit`` after each number."""
    room = max(1.12, (high / low) ** 0.04)
    first, last = low / room, high * room
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(first, last)
    ticks = log_ticks(first, last, most)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(ticks, [f"{tick:g}{unit}" for tick in ticks])
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def log_ticks(first: float, last: float, most: int = 7) -> list[float]:
    """At most ``most`` round numbers between two positive ones: decades, or their 1, 2 and 5, or evenly spaced where that is too coarse."""
    decades = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
    for parts in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{part}e{decade}") for decade in decades for part in parts if first <= float(f"{part}e{decade}") <= last]
        if 2 <= len(ticks) <= most:
            return ticks
        if len(ticks) < 2:
            return _even_ticks(first, last)
    return ticks[:: math.ceil(len(ticks) / most)]


def _even_ticks(first: float, last: float) -> list[float]:
    """Three to seven multiples of 1, 2 or 5 times a power of ten."""
    unit = 10.0 ** math.floor(math.log10(last - first))
    for part in (5, 2, 1, 0.5, 0.2, 0.1, 0.05):
        step = unit * part
        numbers = range(math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) + 1)
        if len(numbers) >= 3:
            break
    return [float(f"{number * step:.6g}") for number in numbers]
