"""What stands before the first layer and after the last: embedding, final norm, head."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.decoder.norm import NormSpec
from pimsim.config.decoder.positions import LearnedPositions
from pimsim.config.decoder.wiring import EmbeddingSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.embedding import EmbeddingShape
from pimsim.workload.kinds.linear import LinearShape
from pimsim.workload.kinds.select import ScaleShape, SelectShape, SoftCapShape
from pimsim.workload.ops import SECTION_INPUT, Tensor
from pimsim.workload.parts.linear import linear, norm, norm_name

TOKENS, POSITIONS, HEAD = "wte", "wpe", "lm_head"


@dataclass(frozen=True)
class Entry:
    """How tokens enter a stack: its widths and tables. ``prefix`` is put before names; ``shared``: the token table is another's."""

    embedding: EmbeddingSpec
    vocabulary: int
    d_model: int
    norm: NormSpec
    table: LearnedPositions | None
    max_tokens: int
    prefix: str = ""
    shared: bool = False


def embedding(graph: Collector, entry: Entry) -> str:
    """Look-up of the token's row and, where they are learned, of its position's; a product to d_model and a norm if they are there."""
    width, table, prefix = entry.embedding.width or entry.d_model, entry.table, entry.prefix
    tokens = TOKENS if entry.shared else prefix + TOKENS
    if not entry.shared:
        graph.matrix(tokens, entry.vocabulary, width)
    if table is not None:
        rows = table.rows or entry.max_tokens + table.offset
        graph.matrices.append(Tensor(prefix + POSITIONS, rows, entry.d_model, "table"))
    own_table = prefix + POSITIONS if table is not None else ""
    late = width != entry.d_model  # positions are added after the product
    shape = EmbeddingShape(width, "" if late else own_table, table.offset if table and not late else 0, entry.embedding.scale)
    stream = graph.op("embedding", "embedding", (), shape, tokens)
    if late:
        stream = linear(graph, "project_in", stream, width, entry.d_model, weight=f"{prefix}project_in")
        if table is not None:
            position = EmbeddingShape(entry.d_model, own_table, table.offset)
            stream = graph.op("add_position", "position", stream, position, own_table)
    if entry.embedding.norm:
        own = entry.embedding.own_norm or entry.norm
        stream = norm(graph, f"{prefix}{norm_name(own, '_embedding')}", own, stream, entry.d_model)
    return stream


def head(graph: Collector, spec: DecoderSpec) -> str:
    """Final norm, product to the vocabulary, what happens to logits, and the choice of a token."""
    width, inner = spec.d_model, spec.embedding.width or spec.d_model
    source = norm(graph, norm_name(spec.norm, "_f"), spec.norm, SECTION_INPUT, width) if spec.head.norm else SECTION_INPUT
    if inner != width:
        source = linear(graph, "project_out", source, width, inner)
    if spec.head.tied:
        logits = graph.op(HEAD, "vmm", source, LinearShape(inner, spec.vocabulary, spec.head.bias), TOKENS)
        if spec.head.bias:
            graph.vector(f"{TOKENS}.bias", spec.vocabulary, counted=False)
    else:
        logits = linear(graph, HEAD, source, inner, spec.vocabulary, spec.head.bias)
    if spec.head.scale != 1.0:
        logits = graph.op("logit_scale", "scale", logits, ScaleShape(spec.vocabulary, spec.head.scale))
    if spec.head.soft_cap is not None:
        logits = graph.op("logit_cap", "soft_cap", logits, SoftCapShape(spec.vocabulary, spec.head.soft_cap))
    return graph.op("select", "select", logits, SelectShape(spec.vocabulary))
