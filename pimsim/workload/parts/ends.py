"""Embedding and head: what stands before the first layer and after the last."""

from __future__ import annotations

from pimsim.config.decoder.model import DecoderSpec
from pimsim.workload.graph import Collector
from pimsim.workload.kinds.embedding import EmbeddingShape
from pimsim.workload.kinds.linear import LinearShape
from pimsim.workload.kinds.select import ScaleShape, SelectShape, SoftCapShape
from pimsim.workload.ops import SECTION_INPUT, Tensor
from pimsim.workload.parts.linear import linear, norm, norm_name

TOKENS, POSITIONS, HEAD = "wte", "wpe", "lm_head"


def embedding(graph: Collector, spec: DecoderSpec) -> str:
    """Look-up of the token's row and, where they are learned, of its position's; a product to d_model and a norm if they are there."""
    width, table = spec.embedding.width or spec.d_model, spec.position_table
    graph.matrix(TOKENS, spec.vocabulary, width)
    if table is not None:
        rows = table.rows or spec.max_context + table.offset
        graph.matrices.append(Tensor(POSITIONS, rows, spec.d_model, "table"))
    name = POSITIONS if table is not None else ""
    shape = EmbeddingShape(width, name, table.offset if table else 0, spec.embedding.scale)
    stream = graph.op("embedding", "embedding", (), shape, TOKENS)
    if spec.embedding.norm:
        own = spec.embedding.own_norm or spec.norm
        stream = norm(graph, norm_name(own, "_embedding"), own, stream, spec.d_model)
    return stream


def head(graph: Collector, spec: DecoderSpec) -> str:
    """Final norm, product to the vocabulary, what happens to logits, and the choice of a token."""
    source = norm(graph, norm_name(spec.norm, "_f"), spec.norm, SECTION_INPUT, spec.d_model) if spec.head.norm else SECTION_INPUT
    if spec.head.tied:
        logits = graph.op(HEAD, "vmm", source, LinearShape(spec.d_model, spec.vocabulary, spec.head.bias), TOKENS)
    else:
        logits = linear(graph, HEAD, source, spec.d_model, spec.vocabulary, spec.head.bias)
    if spec.head.scale != 1.0:
        logits = graph.op("logit_scale", "scale", logits, ScaleShape(spec.vocabulary, spec.head.scale))
    if spec.head.soft_cap is not None:
        logits = graph.op("logit_cap", "soft_cap", logits, SoftCapShape(spec.vocabulary, spec.head.soft_cap))
    return graph.op("select", "select", logits, SelectShape(spec.vocabulary))
