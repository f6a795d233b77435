"""How the ASIC lays out vectors for the DRAM's commands, and finds outputs among the accumulators it received."""

from __future__ import annotations

import numpy as np

from pimsim.errors import MappingError
from pimsim.functional.bf16 import FloatArray, WordArray, from_words, to_words
from pimsim.functional.machine import Received
from pimsim.mapping.layout import Geometry, Region


def columns_of(vector: FloatArray, lanes: int) -> WordArray:
    """A vector as (columns, lanes) BF16 words; the last column is filled up with zeros."""
    return rows_of_columns(vector[None], lanes)


def rows_of_columns(rows: FloatArray, lanes: int) -> WordArray:
    """(rows, elements) as (columns, lanes) BF16 words, every row beginning a column of its own."""
    count, width = rows.shape
    padded = np.zeros((count, -(-width // lanes) * lanes), np.float32)
    padded[:, :width] = rows
    return to_words(padded).reshape(-1, lanes)


def lane_of_columns(heads: FloatArray, geometry: Geometry, lane: int) -> WordArray:
    """(heads, head_width) as (slots * banks, lanes) words with values in one lane: what V's write takes; a head fills whole slots."""
    count, width = heads.shape
    padded = np.zeros((count, geometry.slots_for(width) * geometry.banks), np.float32)
    padded[:, :width] = heads
    sent = np.zeros((padded.size, geometry.lanes), np.uint16)
    sent[:, lane] = to_words(padded).ravel()
    return sent


def vector_of(received: Received, what: str) -> FloatArray:
    """The columns that reads returned, end to end. Raises MappingError unless each was read once."""
    _require_once(received.column_times, f"{what}: column")
    return from_words(received.columns).reshape(-1)


def outputs_of(received: Received, chunks: int, what: str) -> FloatArray:
    """Results as (chunks, outputs): output ``slot * banks + bank`` of each chunk of the input vector."""
    _require_once(received.result_times, f"{what}: output group")
    return received.results.reshape(chunks, -1)


def scores_of(received: Received, heads: int, context: int, what: str) -> FloatArray:
    """Results of q x K, group ``slot * heads + head``, as (heads, context)."""
    _require_once(received.result_times, f"{what}: output group")
    banks = received.results.shape[1]
    by_slot = received.results.reshape(-1, heads, banks)
    return by_slot.transpose(1, 0, 2).reshape(heads, -1)[:, :context]


def context_of(parts: FloatArray, heads: int, head_width: int) -> FloatArray:
    """(chunks, slots * banks) of p x V as (chunks, heads * head_width), without the lanes that fill up a head's slots."""
    return parts.reshape(len(parts), heads, -1)[:, :, :head_width].reshape(len(parts), -1)


def used_chunks(region: Region, columns: int) -> int:
    """Chunks of a region's input vector that begin within its first ``columns``."""
    return sum(chunk.start < columns for chunk in region.layout.chunks)


def _require_once(times: np.ndarray, what: str) -> None:
    wrong = np.flatnonzero(times != 1)
    if len(wrong):
        raise MappingError(
            f"{what} {wrong[0]} arrived {times[wrong[0]]} times, not once ({len(wrong)} of {len(times)} are wrong)"
        )
