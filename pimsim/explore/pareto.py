"""Which points no other point betters, and a picture of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pimsim.explore.objectives import OBJECTIVES
from pimsim.result.write import binary_output

if TYPE_CHECKING:
    import pandas as pd

LOG_FROM_RATIO = 5


def nondominated(values: NDArray[np.float64], maximise: Sequence[bool]) -> NDArray[np.bool_]:
    """Rows of ``values`` (points x objectives) that no row equals or betters everywhere and betters somewhere."""
    costs = np.where(np.asarray(maximise), -values, values)
    kept = np.ones(len(costs), bool)
    for i, cost in enumerate(costs):
        kept[i] = not np.any(np.all(costs <= cost, axis=1) & np.any(costs < cost, axis=1))
    return kept


def dominates(first: Sequence[float], second: Sequence[float], maximise: Sequence[bool]) -> bool:
    """True if ``first`` is nowhere worse than ``second`` and somewhere better."""
    both = np.array([first, second], float)
    return bool(nondominated(both, maximise).tolist() == [True, False])


def dominating(front: pd.DataFrame, row: Mapping[Any, Any], objectives: Sequence[str]) -> list[int]:
    """Positions of the points of ``front`` that dominate ``row``."""
    maximise = [OBJECTIVES[name].maximise for name in objectives]
    reference = [float(row[name]) for name in objectives]
    points = zip(front["position"].tolist(), front[list(objectives)].to_numpy(float).tolist(), strict=True)
    return [int(position) for position, values in points if dominates(values, reference, maximise)]


def plot_front(
    done: pd.DataFrame, front: pd.DataFrame, objectives: Sequence[str], path: str | Path, mark: pd.DataFrame | None = None
) -> None:
    """Scatter of the first two objectives, colour for a third; the front's points ringed, ``mark`` (a reference) starred."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    labels = [OBJECTIVES[name].label for name in objectives]
    x, y = objectives[0], objectives[1]
    figure, axes = plt.subplots(figsize=(6.4, 4.4), dpi=110, layout="constrained")
    if len(objectives) > 2:
        points = axes.scatter(done[x], done[y], c=done[objectives[2]], s=16, cmap="viridis", alpha=0.8, label="points")
        figure.colorbar(points, label=labels[2])
    else:
        axes.scatter(done[x], done[y], s=16, alpha=0.8, label="points")
    axes.scatter(front[x], front[y], s=60, facecolors="none", edgecolors="tab:red", label="Pareto front")
    if mark is not None and len(mark):
        axes.scatter(mark[x], mark[y], s=140, marker="*", color="black", label="marked")
    axes.set(xlabel=labels[0], ylabel=labels[1], xscale=_scale(done[x]), yscale=_scale(done[y]))
    axes.legend()
    with binary_output(path) as file:
        figure.savefig(file, format="png")
    plt.close(figure)


def _scale(values: pd.Series[float]) -> str:
    """Logarithmic where the values demand it."""
    return "log" if values.min() > 0 and values.max() / values.min() > LOG_FROM_RATIO else "linear"
