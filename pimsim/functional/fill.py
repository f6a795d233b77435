"""Put a model's tensors where its placement says: BF16 words into the banks' rows."""

from __future__ import annotations

import numpy as np

from pimsim.functional.bf16 import FloatArray, WordArray
from pimsim.functional.formats import split
from pimsim.functional.machine import PimMachine
from pimsim.functional.weights import Weights
from pimsim.mapping.layout import Region, Strip
from pimsim.mapping.placement import Placement
from pimsim.workload.model import DecoderModel


def fill(machine: PimMachine, model: DecoderModel, placement: Placement, weights: Weights) -> None:
    """Write every stored tensor of ``model``, one at a time."""
    lanes = placement.geometry.lanes
    for tensor in model.tensors:
        values = weights.tensor(tensor)
        if tensor.name in placement.regions:
            region = placement.regions[tensor.name]
            rows = _whole_slots(values, region)
            _fill_region(machine.memory, region, split(rows, lanes).reshape(-1, lanes), len(rows))
        elif tensor.name in placement.tables:
            _fill_table(machine.memory, placement.tables[tensor.name], split(values, lanes).reshape(-1, lanes), tensor.outputs)
        else:
            _fill_strip(machine.memory, placement.strips[tensor.name], split(values, lanes))


def _whole_slots(values: FloatArray, region: Region) -> FloatArray:
    """The rows of a matrix with zeros after each head's, so that every head fills whole slots."""
    heads, banks = region.layout.heads, region.geometry.banks
    if heads == 1:
        return values
    by_head = values.reshape(heads, -1, values.shape[1])
    filled = np.zeros((heads, region.layout.slots // heads * banks, values.shape[1]), np.float32)
    filled[:, : by_head.shape[1]] = by_head
    return filled.reshape(-1, values.shape[1])


def _fill_region(memory: WordArray, region: Region, columns: WordArray, outputs: int) -> None:
    """Output ``(i * channels + channel) * banks + bank`` into run position ``linear(i, chunk)``, chunk by chunk."""
    geometry = region.geometry
    by_output = columns.reshape(outputs, -1, geometry.lanes)
    base = region.base_row * geometry.columns_per_row
    for channel in range(geometry.channels):
        for local in range(region.slots_in(channel)):
            first = (local * geometry.channels + channel) * geometry.banks
            part = by_output[first : first + geometry.banks]
            for c, chunk in enumerate(region.layout.chunks):
                at = base + region.linear(local, c)
                memory[channel, : len(part), at : at + chunk.columns] = part[:, chunk.start : chunk.start + chunk.columns]


def _fill_table(memory: WordArray, table: Strip, columns: WordArray, entries: int) -> None:
    """Entry ``e`` into bank ``e % banks``, an equal part of it into each channel."""
    by_entry, banks = columns.reshape(entries, -1, columns.shape[-1]), table.geometry.banks
    for entry in range(entries):
        at = table.base_row * table.geometry.columns_per_row + entry // banks * table.local_columns
        _spread(memory[:, entry % banks], table, at, by_entry[entry])


def _fill_strip(memory: WordArray, strip: Strip, columns: WordArray) -> None:
    at = strip.base_row * strip.geometry.columns_per_row + strip.linear
    _spread(memory[:, strip.bank], strip, at, columns)


def _spread(bank: WordArray, strip: Strip, at: int, columns: WordArray) -> None:
    """Write a vector's columns into one bank (channels, columns, lanes), each channel's part from column ``at`` on."""
    for channel in range(strip.geometry.channels):
        first, count = strip.first_in(channel), strip.columns_in(channel)
        bank[channel, at : at + count] = columns[first : first + count]
