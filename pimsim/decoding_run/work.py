"""Multiply-accumulates of planned steps, exactly, from the graphs of their models."""

from __future__ import annotations

from functools import cache

from pimsim.decoding.schedule import LayerRange, Planned
from pimsim.decoding_run.programs import KV_WRITE
from pimsim.program.rows import rows_of
from pimsim.workload.counts import op_macs
from pimsim.workload.graph import GraphSection
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Op


def planned_macs(models: list[DecoderModel | None], planned: list[Planned], encoder: int) -> int:
    """Multiply-accumulates of all steps; ``encoder``: tokens of each encoder input."""

    @cache
    def of_row(model: int, stack: str, layers: LayerRange | None, fill: bool, rows: str, seen: int) -> int:
        graph = models[model]
        assert graph is not None
        sections = (section for section in graph.sections(stack) if section.rows == rows)
        return sum(_section_macs(section, layers, fill, seen, encoder) for section in sections)

    total = 0
    for one in planned:
        step, fill = one.step, one.phase == "fill"
        for sequence in rows_of(step).sequences:
            total += sum(of_row(step.model, step.stack, one.layers, fill, "all", seen) for seen in sequence.sees)
        total += len(step.logits) * of_row(step.model, step.stack, None, False, "logits", 1)
    return total


def _section_macs(section: GraphSection, layers: LayerRange | None, fill: bool, seen: int, encoder: int) -> int:
    ops, times = section.ops, section.times
    if layers is not None and section.layers:
        times = sum(1 for layer in section.layers if layer >= layers[0] and (layers[1] is None or layer < layers[1]))
        ops = _up_to_kv(ops) if fill else ops
    elif layers is not None and layers[0] > 0 and section.rows == "all":
        times = 0
    return times * sum(op_macs(op, seen, encoder) for op in ops)


def _up_to_kv(ops: tuple[Op, ...]) -> tuple[Op, ...]:
    wanted: set[str] = set()
    for op in reversed(ops):
        if op.kind == KV_WRITE or op.name in wanted:
            wanted |= {op.name, *op.needs}
    return tuple(op for op in ops if op.name in wanted)
