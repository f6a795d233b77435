"""How the ASIC lays out vectors for the DRAM's commands, and finds outputs among the accumulators it received."""

from __future__ import annotations

import numpy as np

from pimsim.errors import MappingError
from pimsim.functional.bf16 import FloatArray, WordArray, from_words, to_words
from pimsim.functional.machine import Received
from pimsim.mapping.layout import Geometry, Region
from pimsim.program.vmm import Vectors


def columns_of(vector: FloatArray, lanes: int) -> WordArray:
    """A vector as (columns, lanes) BF16 words; the last column is filled up with zeros."""
    return rows_of_columns(vector[None], lanes)


def rows_of_columns(rows: FloatArray, lanes: int) -> WordArray:
    """(rows, elements) as (columns, lanes) BF16 words, every row beginning a column of its own."""
    count, width = rows.shape
    padded = np.zeros((count, -(-width // lanes) * lanes), np.float32)
    padded[:, :width] = rows
    return to_words(padded).reshape(-1, lanes)


def split(values: FloatArray, lanes: int) -> WordArray:
    """(..., elements) as (..., columns, lanes) BF16 words; the last column is filled up with zeros."""
    padded = np.zeros((*values.shape[:-1], -(-values.shape[-1] // lanes) * lanes), np.float32)
    padded[..., : values.shape[-1]] = values
    return to_words(padded).reshape(*values.shape[:-1], -1, lanes)


def sent_to_weights(rows: FloatArray, region: Region, vectors: Vectors) -> WordArray:
    """(rows, inputs) in the order in which passes and chunks of a weight matrix's product take them."""
    words = split(rows, region.geometry.lanes)
    chunks = region.layout.chunks
    return np.concatenate([
        _together(words[None, :, chunk.start : chunk.start + chunk.columns], vectors, one_pass)
        for one_pass in vectors.passes(max(chunk.columns for chunk in chunks))
        for chunk in chunks
    ])  # fmt: skip


def sent_to_keys(queries: FloatArray, region: Region, vectors: Vectors) -> WordArray:
    """(kv_heads, vectors, width) in the order in which passes of q x K take them, all heads of a chunk in each."""
    words = split(queries, region.geometry.lanes)
    columns = words.shape[2]
    return np.concatenate([
        _together(words[chunk.start // columns : (chunk.start + chunk.columns) // columns], vectors, one_pass)
        for chunk in region.layout.chunks
        for one_pass in vectors.passes(chunk.columns)
    ])  # fmt: skip


def sent_to_values(weights: FloatArray, region: Region, vectors: Vectors) -> WordArray:
    """(kv_heads, vectors, tokens) in the order in which passes of p x V take them, head by head and chunk by chunk."""
    words = split(weights, region.geometry.lanes)
    used = words.shape[2]
    return np.concatenate([
        _together(head[None, :, chunk.start : min(used, chunk.start + chunk.columns)], vectors, one_pass)
        for head in words
        for chunk in region.layout.chunks
        if chunk.start < used
        for one_pass in vectors.passes(min(chunk.columns, used - chunk.start))
    ])  # fmt: skip


def _together(words: WordArray, vectors: Vectors, one_pass: tuple[int, int]) -> WordArray:
    """One pass of (parts, vectors, columns, lanes) as (columns, lanes): the vectors that share a column read alternate."""
    lanes = words.shape[-1]
    groups = list(vectors.groups(*one_pass))
    return np.concatenate([
        part[first : first + count].swapaxes(0, 1).reshape(-1, lanes) for part in words for first, count in groups
    ])  # fmt: skip


def lanes_of_columns(heads: FloatArray, geometry: Geometry, first_lane: int) -> WordArray:
    """(tokens, heads, width) as (slots * banks, lanes) words, a token a lane from ``first_lane`` on: what V's write takes."""
    tokens, count, width = heads.shape
    padded = np.zeros((tokens, count, geometry.slots_for(width) * geometry.banks), np.float32)
    padded[..., :width] = heads
    sent = np.zeros((padded[0].size, geometry.lanes), np.uint16)
    sent[:, first_lane : first_lane + tokens] = to_words(padded).reshape(tokens, -1).T
    return sent


def vector_of(received: Received, what: str) -> FloatArray:
    """The columns that reads returned, end to end. Raises MappingError unless each was read once."""
    _require_once(received.column_times, f"{what}: column")
    return from_words(received.columns).reshape(-1)


def products_of(received: Received, chunks: int, count: int, what: str) -> FloatArray:
    """Results as (chunks, vectors, outputs): output ``slot * banks + bank`` of each chunk of each vector."""
    _require_once(received.result_times, f"{what}: output group")
    banks = received.results.shape[1]
    return received.results.reshape(chunks, -1, count, banks).swapaxes(1, 2).reshape(chunks, count, -1)


def scores_of(received: Received, heads: tuple[int, int, int], tokens: int, what: str) -> FloatArray:
    """Results of q x K as (rows, heads, tokens); ``heads``: K heads, rows, query heads of each K head."""
    _require_once(received.result_times, f"{what}: output group")
    kv_heads, rows, queries = heads
    by_slot = received.results.reshape(-1, kv_heads, rows, queries, received.results.shape[1])
    return by_slot.transpose(2, 1, 3, 0, 4).reshape(rows, kv_heads * queries, -1)[..., :tokens]


def context_of(received: Received, parts: int, heads: tuple[int, int, int], width: int, what: str) -> FloatArray:
    """Results of p x V as (chunks, rows, heads * width), without the lanes that fill up a head's slots."""
    _require_once(received.result_times, f"{what}: output group")
    kv_heads, rows, queries = heads
    by_slot = received.results.reshape(parts, kv_heads, -1, rows, queries, received.results.shape[1])
    by_head = by_slot.transpose(0, 3, 1, 4, 2, 5).reshape(parts, rows, kv_heads * queries, -1)
    return by_head[..., :width].reshape(parts, rows, -1)


def used_chunks(region: Region, columns: int) -> int:
    """Chunks of a region's input vector that begin within its first ``columns``."""
    return sum(chunk.start < columns for chunk in region.layout.chunks)


def _require_once(times: np.ndarray, what: str) -> None:
    wrong = np.flatnonzero(times != 1)
    if len(wrong):
        raise MappingError(
            f"{what} {wrong[0]} arrived {times[wrong[0]]} times, not once ({len(wrong)} of {len(times)} are wrong)"
        )
