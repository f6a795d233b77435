"""A layer: mixers, cross-attention and feed-forward wired to the residual stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pimsim.config.decoder.feed_forward import DenseSpec, ExpertsSpec, GatedSpec, NoFeedForward
from pimsim.config.decoder.mixers import AttentionSpec, LatentAttentionSpec, Mamba1Spec, Mamba2Spec, NoMixer
from pimsim.config.decoder.model import BlockSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.residual import ResidualShape
from pimsim.workload.ops import SECTION_INPUT
from pimsim.workload.parts.attention import attention, cross_attention
from pimsim.workload.parts.experts import experts
from pimsim.workload.parts.feed_forward import dense, gated
from pimsim.workload.parts.latent import latent_attention
from pimsim.workload.parts.linear import norm, norm_name
from pimsim.workload.parts.place import Place
from pimsim.workload.parts.state_space import mamba1, mamba2

MIXERS: dict[type, Callable[[Collector, Any, str, Place, str], str]] = {
    AttentionSpec: attention,
    LatentAttentionSpec: latent_attention,
    Mamba1Spec: mamba1,
    Mamba2Spec: mamba2,
}
FEED_FORWARDS: dict[type, Callable[[Collector, Any, str, int], str]] = {
    DenseSpec: dense,
    GatedSpec: gated,
    ExpertsSpec: experts,
}
_Part = Callable[[str], tuple[str, ...]]


def block(graph: Collector, spec: BlockSpec, place: Place) -> str:
    """Write one layer into ``graph``; returns the name of the operation whose result is the new residual stream."""
    mixer, cross, forward = _mixing(graph, spec, place), _crossing(graph, spec, place), _feeding(graph, spec, place)
    if spec.residual.order == "parallel" and mixer and forward:
        return _parallel(graph, spec, place, mixer, forward)
    stream = SECTION_INPUT
    for suffix, part in (("1", mixer), ("_cross", cross), ("2", forward)):
        if part is not None:
            stream = _branch(graph, spec, stream, suffix, place, part)
    return stream


def _mixing(graph: Collector, spec: BlockSpec, place: Place) -> _Part | None:
    """The layer's mixers on one input: one, or two side by side."""
    parts = [(MIXERS[type(part)], part) for part in spec.mixers if not isinstance(part, NoMixer)]
    if not parts:
        return None
    prefixes = ("",) if len(parts) == 1 else ("", "side_")
    return lambda x: tuple(
        write(graph, part, x, place, prefix) for (write, part), prefix in zip(parts, prefixes, strict=True)
    )  # fmt: skip


def _crossing(graph: Collector, spec: BlockSpec, place: Place) -> _Part | None:
    cross = spec.cross
    return None if cross is None else lambda x: (cross_attention(graph, cross, x, place),)


def _feeding(graph: Collector, spec: BlockSpec, place: Place) -> _Part | None:
    part = spec.feed_forward
    if isinstance(part, NoFeedForward):
        return None
    return lambda x: (FEED_FORWARDS[type(part)](graph, part, x, place.width),)


def _branch(graph: Collector, spec: BlockSpec, stream: str, suffix: str, place: Place, part: _Part) -> str:
    """Norm, part, norm, sum with the stream, norm: those that the wiring has."""
    wiring, width, name = spec.residual, place.width, norm_name(spec.norm, suffix)
    results = part(norm(graph, name, spec.norm, stream, width) if wiring.norm_before else stream)
    if wiring.norm_branch:
        results = tuple(norm(graph, f"post_{name}", spec.norm, result, width) for result in results)
    shape = ResidualShape(width, len(results) + 1, wiring.scale)
    total = graph.op(f"residual{suffix}", "residual", (*results, stream), shape)
    if wiring.norm_after:
        total = norm(graph, name, spec.norm, total, width)
    return total


def _parallel(graph: Collector, spec: BlockSpec, place: Place, mixer: _Part, forward: _Part) -> str:
    wiring, width = spec.residual, place.width
    count = wiring.norms if wiring.norm_before else 0
    sources = [norm(graph, norm_name(spec.norm, str(i + 1)), spec.norm, SECTION_INPUT, width) for i in range(count)]
    sources = sources or [SECTION_INPUT]
    results = (*mixer(sources[0]), *forward(sources[-1]))
    shape = ResidualShape(width, len(results) + 1, wiring.scale)
    return graph.op("residual1", "residual", (*results, SECTION_INPUT), shape)
