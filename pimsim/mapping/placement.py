"""Place every tensor of a model, and K and V of its whole context, on the rows of a device."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pimsim.config.device import Device
from pimsim.errors import CapacityError, MappingError
from pimsim.mapping.layout import Geometry, Region, Strip, geometry_of
from pimsim.mapping.policies import MappingPolicy, policy_named
from pimsim.units import BYTES_PER_GB
from pimsim.workload.model import BYTES_PER_ELEMENT, DecoderModel

_MOST_CHANNELS = 512

# Families whose every operation has commands and ASIC instructions.
PIM_FAMILIES = ("gpt2",)


@dataclass(frozen=True)
class Placement:
    """Where everything lies. ``regions`` are matrices (weights, K, V), ``strips`` vectors, ``tables`` row tables."""

    geometry: Geometry
    regions: dict[str, Region]
    strips: dict[str, Strip]
    tables: dict[str, Strip]
    rows_used: int
    weight_bytes: int
    kv_bytes: int
    reserved_bytes: int


def place(device: Device, model: DecoderModel) -> Placement:
    """Place ``model`` with its full reserved context on ``device`` by the hardware file's mapping policy.

    Raises CapacityError saying how much is missing and what would make it fit, MappingError for a family that is not lowered to PIM.
    """
    placement = _place(geometry_of(device), policy_named(device.spec.mapping), model)
    if placement.rows_used > placement.geometry.rows:
        raise _too_large(device, model, placement)
    if model.spec.family not in PIM_FAMILIES:
        raise MappingError(
            f"model.family '{model.spec.family}' runs on baselines only; families that run on PIM: {', '.join(PIM_FAMILIES)}"
        )
    return placement


def _place(geometry: Geometry, policy: MappingPolicy, model: DecoderModel) -> Placement:
    """Place without regard to the rows there are."""
    spec = model.spec
    regions: dict[str, Region] = {}
    vectors: dict[str, list[tuple[str, int]]] = {}
    tables: dict[str, Strip] = {}
    row = 0
    for tensor in model.tensors:
        if tensor.inputs == 1:
            owner = tensor.name.split(".")[0]
            vectors.setdefault(owner, []).append((tensor.name, geometry.columns_for(tensor.outputs)))
        elif tensor.name == "wpe":
            tables["wpe"], row = _place_table(geometry, tensor.name, tensor.outputs, tensor.inputs, row)
        else:
            region = Region(tensor.name, policy.matrix(geometry, tensor.outputs, tensor.inputs), geometry, row)
            regions[tensor.name], row = region, row + region.rows
    for layer in range(spec.layers):
        for name, layout_of in (("k", policy.keys), ("v", policy.values)):
            layout = layout_of(geometry, spec.key_value_heads, spec.head_width, spec.max_context)
            region = Region(f"h{layer}.{name}", layout, geometry, row)
            regions[region.name], row = region, row + region.rows
    strips: dict[str, Strip] = {}
    for owned in vectors.values():
        row = _place_vectors(geometry, owned, row, strips)
    kv_bytes = 2 * spec.layers * spec.key_value_heads * spec.head_width * spec.max_context * BYTES_PER_ELEMENT
    row_bytes = geometry.columns_per_row * geometry.lanes * BYTES_PER_ELEMENT
    reserved = row * geometry.channels * geometry.banks * row_bytes
    return Placement(geometry, regions, strips, tables, row, model.parameters * BYTES_PER_ELEMENT, kv_bytes, reserved)


def _place_table(geometry: Geometry, name: str, entries: int, width: int, row: int) -> tuple[Strip, int]:
    """A table read one entry at a time: entry ``e`` in bank ``e % banks``, an equal part of it in each channel."""
    strip = Strip(name, geometry.columns_for(width), geometry, row, 0, 0)
    per_bank = -(-entries // geometry.banks) * strip.local_columns
    return strip, row + -(-per_bank // geometry.columns_per_row)


def _place_vectors(geometry: Geometry, vectors: list[tuple[str, int]], row: int, strips: dict[str, Strip]) -> int:
    """Put the vectors of one layer into rows of its own, each into the emptiest bank; returns the next free row."""
    filled = [0] * geometry.banks
    for name, columns in vectors:
        bank = min(range(geometry.banks), key=lambda b: (filled[b], b))
        strips[name] = Strip(name, columns, geometry, row, bank, filled[bank])
        filled[bank] += strips[name].local_columns
    return row + -(-max(filled) // geometry.columns_per_row)


def _too_large(device: Device, model: DecoderModel, placement: Placement) -> CapacityError:
    shape, needed = device.organization, placement.reserved_bytes
    useful = placement.weight_bytes + placement.kv_bytes
    fit = [f"{placement.rows_used} rows a bank (dram.rows)"]
    channels = _enough_channels(device, model, placement)
    if channels is not None:
        fit.insert(0, f"{channels} channels (dram.channels)")
    if placement.weight_bytes < shape.capacity_bytes:
        fit.append("a shorter reserved context (workload.model.max_context)")
    return CapacityError(
        f"{device.name}: the model needs {needed / BYTES_PER_GB:.2f} GB as mapped "
        f"({placement.weight_bytes / BYTES_PER_GB:.2f} GB of weights, {placement.kv_bytes / BYTES_PER_GB:.2f} GB of K and V "
        f"for the whole context, {(needed - useful) / BYTES_PER_GB:.2f} GB of padding); "
        f"{device.name} holds {shape.capacity_bytes / BYTES_PER_GB:.2f} GB: "
        f"{(needed - shape.capacity_bytes) / BYTES_PER_GB:.2f} GB are missing; {' or '.join(fit)} would hold it"
    )


def _enough_channels(device: Device, model: DecoderModel, placement: Placement) -> int | None:
    """Fewest channels that hold the model, by placing it anew; None beyond any sensible number."""
    policy, channels = policy_named(device.spec.mapping), placement.geometry.channels
    while channels <= _MOST_CHANNELS:
        rows = _place(replace(placement.geometry, channels=channels), policy, model).rows_used
        if rows <= placement.geometry.rows:
            return channels
        channels = max(channels + 1, channels * rows // (2 * placement.geometry.rows))
    return None
