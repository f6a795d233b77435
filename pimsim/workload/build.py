"""Put a model together: embedding, runs of equal layers, head."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pimsim.config.decoder.model import BlockSpec, DecoderSpec
from pimsim.workload.graph import Collector, GraphSection
from pimsim.workload.ops import Cache, Tensor
from pimsim.workload.parts.attention import Place
from pimsim.workload.parts.block import block
from pimsim.workload.parts.ends import embedding, head

DECODER, ENCODER = "decoder", "encoder"
LAYER_PREFIX = "h"


@dataclass
class Stack:
    """Sections, tensors and caches of an encoder or a decoder."""

    sections: tuple[GraphSection, ...] = ()
    tensors: list[Tensor] = field(default_factory=list)
    caches: list[Cache] = field(default_factory=list)


def build_decoder(spec: DecoderSpec) -> dict[str, Stack]:
    """Every stack of a model by name."""
    stack, first, last = Stack(), Collector(), Collector()
    embedding(first, spec)
    stack.tensors += first.matrices
    layers = _layers(spec, stack)
    head(last, spec)
    stack.tensors += first.norms + last.norms + last.matrices
    stack.sections = (
        GraphSection("embedding", tuple(first.ops)), *layers, GraphSection("head", tuple(last.ops), rows="logits"),
    )  # fmt: skip
    return {DECODER: stack}


def _layers(spec: DecoderSpec, stack: Stack) -> list[GraphSection]:
    kinds = {name: _block(spec, kind) for name, kind in spec.kinds_of_layer.items()}
    ops = {name: tuple(collector.ops) for name, collector in kinds.items()}
    for layer, name in enumerate(spec.block_of_layer):
        prefix = f"{LAYER_PREFIX}{layer}."
        stack.tensors += [replace(tensor, name=prefix + tensor.name) for tensor in kinds[name].tensors]
        stack.caches += [replace(cache, name=prefix + cache.name) for cache in kinds[name].caches]
    return [
        GraphSection(section_name(spec.kinds_of_layer[name]), ops[name], layers) for name, layers in runs(spec.block_of_layer)
    ]


def runs(names: Iterable[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Runs of equal neighbours: name and layers."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for layer, name in enumerate(names):
        if found and found[-1][0] == name:
            found[-1] = name, (*found[-1][1], layer)
        else:
            found.append((name, (layer,)))
    return found


def section_name(kind: BlockSpec) -> str:
    """What a kind of layer is called: its mixer and feed-forward part."""
    parts = [part.kind for part in (*kind.mixers, kind.feed_forward) if part.kind != "none"]
    return "+".join(parts)


def _block(spec: DecoderSpec, kind: BlockSpec) -> Collector:
    graph = Collector()
    block(graph, kind, Place(spec.d_model, spec.max_context, kind.positions))
    return graph
