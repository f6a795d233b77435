"""Put a model together: embedding, runs of equal layers, head; before them the encoder, if there is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pimsim.config.decoder.model import BlockSpec, DecoderSpec, EncoderSpec, StackSpec
from pimsim.config.decoder.positions import LearnedPositions, RelativeBuckets
from pimsim.workload.graph import Collector, GraphSection
from pimsim.workload.ops import SECTION_INPUT, Cache, Tensor
from pimsim.workload.parts.attention import cross_keys_and_values
from pimsim.workload.parts.block import block
from pimsim.workload.parts.ends import Entry, embedding, head
from pimsim.workload.parts.linear import norm, norm_name
from pimsim.workload.parts.place import Place

DECODER, ENCODER = "decoder", "encoder"
LAYER_PREFIX = {DECODER: "h", ENCODER: "e"}
NAME_PREFIX = {DECODER: "", ENCODER: "enc_"}
BIAS_TABLE = "relative_bias"


@dataclass
class Stack:
    """Sections, tensors and caches of an encoder or a decoder."""

    sections: tuple[GraphSection, ...] = ()
    tensors: list[Tensor] = field(default_factory=list)
    caches: list[Cache] = field(default_factory=list)


def build_decoder(spec: DecoderSpec) -> dict[str, Stack]:
    """Every stack of a model by name: the decoder, and the encoder with the keys and values that the decoder's layers keep of it."""
    stack, first, last = Stack(), Collector(), Collector()
    entry = Entry(spec.embedding, spec.vocabulary, spec.d_model, spec.norm, spec.position_table, spec.max_context)
    embedding(first, entry)
    stack.tensors += first.matrices
    place = Place(spec.d_model, spec.max_context, spec.positions)
    if spec.encoder is not None:
        place = replace(place, encoder_width=spec.encoder.d_model, encoder_tokens=spec.encoder.max_tokens)
    layers = _layers(spec, stack, place, DECODER)
    head(last, spec)
    stack.tensors += first.norms + last.norms + last.matrices
    stack.sections = (
        GraphSection("embedding", tuple(first.ops)), *layers, GraphSection("head", tuple(last.ops), rows="logits"),
    )  # fmt: skip
    return {DECODER: stack} if spec.encoder is None else {DECODER: stack, ENCODER: _encoder(spec, spec.encoder)}


def _encoder(spec: DecoderSpec, encoder: EncoderSpec) -> Stack:
    stack, first, last, prefix = Stack(), Collector(), Collector(), NAME_PREFIX[ENCODER]
    table = encoder.positions if isinstance(encoder.positions, LearnedPositions) else None
    embedding(
        first,
        Entry(
            encoder.embedding,
            encoder.vocabulary or spec.vocabulary,
            encoder.d_model,
            encoder.norm,
            table,
            encoder.max_tokens,
            prefix,
            encoder.shared_embedding,
        ),
    )
    stack.tensors += first.matrices
    layers = _layers(encoder, stack, Place(encoder.d_model, encoder.max_tokens, encoder.positions, causal=False), ENCODER)
    sections = [GraphSection("embedding", tuple(first.ops), prefix="e"), *layers]
    if encoder.final_norm:
        norm(last, prefix + norm_name(encoder.norm, "_f"), encoder.norm, SECTION_INPUT, encoder.d_model)
        sections.append(GraphSection("final_norm", tuple(last.ops), prefix="e"))
    stack.tensors += first.norms + last.norms
    for name, at in runs(spec.block_of_layer):
        cross = spec.kinds_of_layer[name].cross
        if cross is not None:
            graph = Collector()
            place = Place(spec.d_model, spec.max_context, spec.positions, encoder_width=encoder.d_model)
            cross_keys_and_values(graph, cross, SECTION_INPUT, place)
            stack.tensors += [replace(tensor, name=f"h{layer}.{tensor.name}") for layer in at for tensor in graph.tensors]
            sections.append(GraphSection("cross_keys_and_values", tuple(graph.ops), at))
    stack.sections = tuple(sections)
    return stack


def _layers(spec: StackSpec, stack: Stack, place: Place, which: str) -> list[GraphSection]:
    letter = LAYER_PREFIX[which]
    table = next((b.positions for b in spec.kinds_of_layer.values() if isinstance(b.positions, RelativeBuckets)), None)
    name_of_table = NAME_PREFIX[which] + BIAS_TABLE
    if table is not None:
        heads = next(mixer.heads for _, mixer in spec.all_mixers())
        stack.tensors.append(Tensor(name_of_table, table.buckets * heads, 1, "vector"))
    kinds = {}
    for name, kind in spec.kinds_of_layer.items():
        kinds[name] = Collector()
        block(kinds[name], kind, replace(place, positions=kind.positions, bias_table=name_of_table))
    ops = {name: tuple(collector.ops) for name, collector in kinds.items()}
    for layer, name in enumerate(spec.block_of_layer):
        prefix = f"{letter}{layer}."
        stack.tensors += [replace(tensor, name=prefix + tensor.name) for tensor in kinds[name].tensors]
        stack.caches += [replace(cache, name=prefix + cache.name) for cache in kinds[name].caches]
    return [
        GraphSection(section_name(spec.kinds_of_layer[name]), ops[name], layers, prefix=letter)
        for name, layers in runs(spec.block_of_layer)
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
    """What a kind of layer is called: its mixers and feed-forward part."""
    parts = [part.kind for part in (*kind.mixers, kind.feed_forward) if part.kind != "none"]
    return "+".join(parts)
