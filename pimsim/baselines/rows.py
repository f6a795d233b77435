"""Time of steps of any rows on a baseline device: weights read once a step, arithmetic for every row, K, V and state once a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pimsim.baselines.costs import OpCost, costs_of_sections
from pimsim.baselines.steptime import Run, features, resources, step_time
from pimsim.program.rows import StepRows, rows_of
from pimsim.workload.graph import GraphSection
from pimsim.workload.step import Step

LayerRange = tuple[int, int | None]


@dataclass
class RowTimes:
    """Seconds of steps of one model under one stack; ``parameters`` None: the ideal roofline, without any software."""

    run: Run
    parameters: Mapping[str, float] | None
    _costs: dict[tuple[LayerRange | None, str], list[OpCost]] = field(default_factory=dict)

    def step(self, step: Step, layers: LayerRange | None = None) -> tuple[float, float]:
        """Seconds of a step that runs ``layers`` (None: all), and those in which the device computes."""
        rows = rows_of(step)
        parts = [self._seconds(rows, self._of(layers, "all"))]
        if step.logits:
            parts.append(self._seconds(rows.only(rows.logits), self._of(layers, "logits")))
        compute, memory = (np.concatenate(found, axis=1) for found in zip(*parts, strict=True))
        if self.parameters is None:
            seconds = float(np.maximum(compute, memory).sum())
            return seconds, seconds
        share = 1.0 if layers is None else self._layer_share(layers)
        whole = features(self.run, np.ones(1))
        found = step_time(
            replace(whole, compute_s=compute, memory_s=memory, kernels=round(whole.kernels * share)), self.parameters
        )
        return float(found.step_s[0]), float(found.device_s[0])

    def _of(self, layers: LayerRange | None, rows: str) -> list[OpCost]:
        key = layers, rows
        if key not in self._costs:
            sections = (_cut(section, layers) for section in self.run.model.sections() if section.rows == rows)
            self._costs[key] = costs_of_sections(section for section in sections if section is not None)
        return self._costs[key]

    def _layer_share(self, layers: LayerRange) -> float:
        count = self.run.model.spec.layers
        end = count if layers[1] is None else layers[1]
        return (end - layers[0]) / count

    def _seconds(self, rows: StepRows, costs: list[OpCost]) -> tuple[np.ndarray, np.ndarray]:
        """(1, operations) seconds of arithmetic and of traffic at full efficiency."""
        seen = np.array([saw for one in rows.sequences for saw in one.sees], np.float64)
        reach = np.array([max(one.sees) for one in rows.sequences], np.float64)
        flop_per_s, bytes_per_s, kept_bytes = resources(self.run)
        compute = [cost.count * float(cost.flop_at(seen).sum()) / flop_per_s for cost in costs]
        memory = [
            cost.count
            * (
                cost.weights_of(len(seen)) * self.run.weight_bytes
                + (
                    len(seen) * (cost.kv + cost.activations)
                    + cost.kv_slope * float(cost.seen(reach).sum())
                    + cost.state * len(reach)
                )
                * kept_bytes
            )
            / bytes_per_s
            for cost in costs
        ]
        return np.array([compute]), np.array([memory])


def _cut(section: GraphSection, layers: LayerRange | None) -> GraphSection | None:
    if layers is None:
        return section
    if not section.layers:
        return section if section.rows == "logits" or layers[0] == 0 else None
    kept = tuple(layer for layer in section.layers if layer >= layers[0] and (layers[1] is None or layer < layers[1]))
    return replace(section, layers=kept) if kept else None
