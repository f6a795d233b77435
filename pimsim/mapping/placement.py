"""Place every tensor of a model, and what is kept of its sequences, on the rows of a device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pimsim.config.device import Device
from pimsim.errors import CapacityError, MappingError
from pimsim.mapping.layout import Geometry, Layout, Region, Strip, geometry_of
from pimsim.mapping.policies import MappingPolicy, policy_named
from pimsim.units import BYTES_PER_GB
from pimsim.workload.model import BYTES_PER_ELEMENT, DecoderModel
from pimsim.workload.ops import Cache

_MOST_CHANNELS = 512
_FAR_BEYOND = 4


@dataclass(frozen=True)
class Resident:
    """A model that stays on the device: ``sequences`` with K, V and state of their own, at most ``rows`` of one in a step."""

    model: DecoderModel
    sequences: int = 1
    rows: int = 1
    states_fit: bool = False


def asic_state_bytes(model: DecoderModel, sequences: int) -> int:
    """Bytes of the states that are to live in the ASIC's memory."""
    return sum(cache.elements for cache in model.caches if cache.in_asic) * BYTES_PER_ELEMENT * sequences


@dataclass(frozen=True)
class Placement:
    """Where everything of one model lies. ``regions`` are matrices (weights, K, V), ``strips`` vectors, ``tables`` row tables.

    K, V and state of sequence 0 are among them; those of sequence ``s`` lie ``sequence_step`` rows further for each, the
    first of them ``sequence_jump`` rows further. ``tokens``: how many tokens each K and V has room for, as a ring.
    """

    geometry: Geometry
    regions: dict[str, Region]
    strips: dict[str, Strip]
    tables: dict[str, Strip]
    rows_used: int
    weight_bytes: int
    kv_bytes: int
    reserved_bytes: int
    tokens: dict[str, int] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    sequences: int = 1
    sequence_jump: int = 0
    sequence_step: int = 0

    def placed(self, name: str) -> Region | Strip:
        """What is called ``name``. Raises MappingError if it was never placed."""
        for kind in (self.regions, self.strips, self.tables):
            if name in kind:
                return kind[name]  # type: ignore[index, no-any-return]
        raise MappingError(f"{name}: was never placed")

    def base_row(self, name: str, sequence: int = 0) -> int:
        """First row of what is called ``name``, of one sequence if it is kept of each."""
        row = self.placed(name).base_row
        if sequence == 0 or name not in self.kept:
            return row
        if sequence >= self.sequences:
            raise MappingError(f"{name}: room is reserved for {self.sequences} sequences; sequence {sequence} has none")
        return row + self.sequence_jump + (sequence - 1) * self.sequence_step


def place(device: Device, model: DecoderModel, sequences: int = 1, rows: int = 1) -> Placement:
    """Place ``model`` with its full reserved context on ``device`` by the hardware file's mapping policy.

    Raises CapacityError saying how much is missing and what would make it fit.
    """
    return place_all(device, [Resident(model, sequences, rows)])[0]


def place_all(device: Device, residents: Sequence[Resident]) -> tuple[Placement, ...]:
    """Place several models side by side. Raises CapacityError if they do not fit together.

    States that are to live in the ASIC do so if all of them together take at most half of its memory.
    """
    room = int(device.asic.sram_kib * 1024) // 2
    fit = sum(asic_state_bytes(one.model, one.sequences) for one in residents) <= room
    residents = [replace(one, states_fit=fit) for one in residents]
    _check_sizes(device, residents)
    placements = _place_all(geometry_of(device), policy_named(device.spec.mapping), residents)
    if placements[-1].rows_used > placements[-1].geometry.rows:
        raise _too_large(device, residents, placements)
    return placements


def _check_sizes(device: Device, residents: Sequence[Resident]) -> None:
    """Refuse by arithmetic alone what is far too large: mapping it, only to say so, could take minutes."""
    capacity = device.organization.capacity_bytes
    elements = sum(sum(tensor.elements for tensor in r.model.tensors) + r.sequences * _kept_elements(r) for r in residents)
    needed = elements * BYTES_PER_ELEMENT
    if needed > _FAR_BEYOND * capacity:
        raise CapacityError(
            f"{device.name}: weights, K and V for the whole context need {needed / BYTES_PER_GB:.2f} GB at least; {device.name} holds "
            f"{capacity / BYTES_PER_GB:.2f} GB: {(needed - capacity) / BYTES_PER_GB:.2f} GB are missing; at least "
            f"{-(-needed * device.organization.channels // capacity):,} channels (dram.channels) would hold it"
        )


def _place_all(geometry: Geometry, policy: MappingPolicy, residents: Sequence[Resident]) -> tuple[Placement, ...]:
    """Place without regard to the rows there are; ``rows_used`` counts from the first row of the device."""
    placements, row = [], 0
    for resident in residents:
        placements.append(_place(geometry, policy, resident, row))
        row = placements[-1].rows_used
    return tuple(placements)


def _place(geometry: Geometry, policy: MappingPolicy, resident: Resident, first_row: int) -> Placement:
    model = resident.model
    regions: dict[str, Region] = {}
    strips: dict[str, Strip] = {}
    tables: dict[str, Strip] = {}
    vectors: dict[str, list[tuple[str, int]]] = {}
    row, heads = first_row, _by_op(model, "head_vmm", lambda shape: shape.heads)
    for tensor in model.tensors:
        if tensor.use == "vector":
            owner = tensor.name.split(".")[0]
            vectors.setdefault(owner, []).append((tensor.name, geometry.columns_for(tensor.outputs)))
        elif tensor.use == "table":
            tables[tensor.name], row = _place_table(geometry, tensor.name, tensor.outputs, tensor.inputs, row)
        else:
            layout = _matrix(geometry, policy, tensor.outputs, tensor.inputs, heads.get(tensor.name, 1))
            region = Region(tensor.name, layout, geometry, row)
            regions[tensor.name], row = region, row + region.rows
    kept_from = row
    tokens, row = _place_kept(geometry, policy, resident, row, regions, strips)
    kept_rows = row - kept_from
    for owned in vectors.values():
        row = _place_vectors(geometry, owned, row, strips)
    jump, row = row - kept_from, row + (resident.sequences - 1) * kept_rows
    kv_bytes = _kept_elements(resident) * BYTES_PER_ELEMENT * resident.sequences
    row_bytes = geometry.columns_per_row * geometry.lanes * BYTES_PER_ELEMENT
    return Placement(
        geometry, regions, strips, tables, row, sum(tensor.elements for tensor in model.tensors) * BYTES_PER_ELEMENT, kv_bytes,
        reserved_bytes=(row - first_row) * geometry.channels * geometry.banks * row_bytes,
        tokens=tokens, kept=frozenset(cache.name for cache in model.caches), sequences=resident.sequences,
        sequence_jump=jump, sequence_step=kept_rows,
    )  # fmt: skip


def _matrix(geometry: Geometry, policy: MappingPolicy, outputs: int, inputs: int, heads: int) -> Layout:
    """Layout of a matrix; of one that is a small matrix for each head, every head begins a slot."""
    if heads == 1:
        return policy.matrix(geometry, outputs, inputs)
    one = policy.matrix(geometry, outputs // heads, inputs)
    return replace(one, slots=heads * one.slots, heads=heads)


def _place_kept(
    geometry: Geometry, policy: MappingPolicy, resident: Resident, row: int, regions: dict[str, Region], strips: dict[str, Strip]
) -> tuple[dict[str, int], int]:
    """Place what is kept of a sequence; returns the tokens that each K and V has room for, and the next free row.

    The ring of a window that several rows of a step write holds as many more: no row may overwrite what another still sees.
    """
    tokens: dict[str, int] = {}
    longest = resident.model.spec.max_context
    queries = _by_op(resident.model, "scores", lambda shape: shape.heads // shape.kv_heads)
    for cache in resident.model.caches:
        if cache.use == "state":
            if not (cache.in_asic and resident.states_fit):
                row = _place_state(geometry, cache, row, strips)
            continue
        windowed = not cache.of_encoder and cache.positions < longest
        tokens[cache.name] = room = min(cache.positions + resident.rows - 1, longest) if windowed else cache.positions
        if cache.use == "key":
            layout = policy.keys(geometry, cache.heads, cache.width, room, queries.get(cache.name, 1))
        else:
            layout = policy.values(geometry, cache.heads, cache.width, room)
        region = Region(cache.name, layout, geometry, row)
        regions[region.name], row = region, row + region.rows
    return tokens, row


def _kept_elements(resident: Resident) -> int:
    """Elements of K, V and state of a sequence that lie in DRAM."""
    return sum(cache.elements for cache in resident.model.caches if not (cache.in_asic and resident.states_fit))


def stacks_of(model: DecoderModel) -> tuple[str, ...]:
    """The stacks of a model, in the order in which they run."""
    return ("decoder",) if model.spec.encoder is None else ("encoder", "decoder")


def _by_op(model: DecoderModel, kind: str, what: Callable[[Any], int]) -> dict[str, int]:
    """What operations of a kind say of the tensor or cache that they work on, by its full name."""
    return {
        section.full_name(op.weight, layer): what(op.shape)
        for stack in stacks_of(model)
        for section in model.sections(stack)
        for op in section.ops
        if op.kind == kind
        for layer in section.layers or (-1,)
    }


def _place_state(geometry: Geometry, cache: Cache, row: int, strips: dict[str, Strip]) -> int:
    """A state in rows of its own, an equal part in each channel, in bank 0: it is read and written as a whole."""
    strips[cache.name] = Strip(cache.name, geometry.columns_for(cache.elements), geometry, row, 0, 0)
    return row + -(-strips[cache.name].local_columns // geometry.columns_per_row)


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


def _too_large(device: Device, residents: Sequence[Resident], placements: tuple[Placement, ...]) -> CapacityError:
    shape, rows_used = device.organization, placements[-1].rows_used
    needed = sum(placement.reserved_bytes for placement in placements)
    weights, kept = sum(p.weight_bytes for p in placements), sum(p.kv_bytes for p in placements)
    fit = [f"{rows_used} rows a bank (dram.rows)"]
    channels = _enough_channels(device, residents, placements[-1])
    if channels is not None:
        fit.insert(0, f"{channels} channels (dram.channels)")
    if weights < shape.capacity_bytes:
        fit.append("a shorter reserved context (workload.model.max_context)")
    what = "the model needs" if len(residents) == 1 else f"the {len(residents)} models need"
    of = (
        "for the whole context" if residents[0].sequences == 1 else f"for the whole context of {residents[0].sequences} sequences"
    )
    return CapacityError(
        f"{device.name}: {what} {needed / BYTES_PER_GB:.2f} GB as mapped "
        f"({weights / BYTES_PER_GB:.2f} GB of weights, {kept / BYTES_PER_GB:.2f} GB of K and V "
        f"{of}, {(needed - weights - kept) / BYTES_PER_GB:.2f} GB of padding); "
        f"{device.name} holds {shape.capacity_bytes / BYTES_PER_GB:.2f} GB: "
        f"{(needed - shape.capacity_bytes) / BYTES_PER_GB:.2f} GB are missing; {' or '.join(fit)} would hold it"
    )


def _enough_channels(device: Device, residents: Sequence[Resident], placement: Placement) -> int | None:
    """Fewest channels that hold the models, by placing them anew; None beyond any sensible number."""
    policy, channels = policy_named(device.spec.mapping), placement.geometry.channels
    while channels <= _MOST_CHANNELS:
        rows = _place_all(replace(placement.geometry, channels=channels), policy, residents)[-1].rows_used
        if rows <= placement.geometry.rows:
            return channels
        channels = max(channels + 1, channels * rows // (2 * placement.geometry.rows))
    return None
