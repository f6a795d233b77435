"""A layer: mixer and feed-forward wired to the residual stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pimsim.config.decoder.feed_forward import DenseSpec, GatedSpec
from pimsim.config.decoder.mixers import AttentionSpec
from pimsim.config.decoder.model import BlockSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.residual import ResidualShape
from pimsim.workload.ops import SECTION_INPUT
from pimsim.workload.parts.attention import Place, attention
from pimsim.workload.parts.feed_forward import dense, gated
from pimsim.workload.parts.linear import norm, norm_name

_MIXERS: dict[type, Callable[[Collector, Any, str, Place, str], str]] = {AttentionSpec: attention}
_FEED_FORWARDS: dict[type, Callable[[Collector, Any, str, int], str]] = {DenseSpec: dense, GatedSpec: gated}


def block(graph: Collector, spec: BlockSpec, place: Place) -> str:
    """Write one layer into ``graph``; returns the name of the operation whose result is the new residual stream."""
    if spec.residual.order == "parallel":
        return _parallel(graph, spec, place)
    stream = _branch(graph, spec, SECTION_INPUT, "1", place, lambda x: _mixed(graph, spec, x, place))
    return _branch(
        graph,
        spec,
        stream,
        "2",
        place,
        lambda x: _FEED_FORWARDS[type(spec.feed_forward)](graph, spec.feed_forward, x, place.width),
    )


def _mixed(graph: Collector, spec: BlockSpec, source: str, place: Place) -> str:
    return _MIXERS[type(spec.mixer)](graph, spec.mixer, source, place, "")


def _branch(graph: Collector, spec: BlockSpec, stream: str, place_name: str, place: Place, part: Callable[[str], str]) -> str:
    """Norm, part, norm, sum with the stream, norm: those that the wiring has."""
    wiring, width = spec.residual, place.width
    source = norm(graph, norm_name(spec.norm, place_name), spec.norm, stream, width) if wiring.norm_before else stream
    result = part(source)
    if wiring.norm_branch:
        result = norm(graph, f"post_{norm_name(spec.norm, place_name)}", spec.norm, result, width)
    total = graph.op(f"residual{place_name}", "residual", (result, stream), ResidualShape(width, 2, wiring.scale))
    if wiring.norm_after:
        total = norm(graph, norm_name(spec.norm, place_name), spec.norm, total, width)
    return total


def _parallel(graph: Collector, spec: BlockSpec, place: Place) -> str:
    wiring, width = spec.residual, place.width
    sources = [
        norm(graph, norm_name(spec.norm, str(i + 1)), spec.norm, SECTION_INPUT, width) if wiring.norm_before else SECTION_INPUT
        for i in range(wiring.norms)
    ]
    mixed = _mixed(graph, spec, sources[0], place)
    forward = _FEED_FORWARDS[type(spec.feed_forward)](graph, spec.feed_forward, sources[-1], width)
    return graph.op("residual1", "residual", (mixed, forward, SECTION_INPUT), ResidualShape(width, 3, wiring.scale))
