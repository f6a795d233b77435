"""Where the elements of a matrix lie: slots of one output per bank, cut into chunks as long as the global buffer.

A *slot* is one output for every bank of a channel; slot ``s`` lives in channel ``s % channels``. Inside every bank a
region is a run of columns: first all local slots of chunk 0, then of chunk 1 and so on, each slot taking ``stride``
columns of which ``columns`` are used. Rows follow from the run: column ``linear`` is in row ``base_row + linear // columns_per_row``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pimsim.config.device import Device


@dataclass(frozen=True)
class Geometry:
    """What a mapping policy needs to know about a device, in columns (one column = ``lanes`` BF16 elements)."""

    channels: int
    banks: int
    columns_per_row: int
    rows: int
    lanes: int
    buffer_columns: int

    def columns_for(self, elements: int) -> int:
        """Columns that hold ``elements``."""
        return -(-elements // self.lanes)

    def slots_for(self, outputs: int) -> int:
        """Slots that hold ``outputs``, one a bank."""
        return -(-outputs // self.banks)


def geometry_of(device: Device) -> Geometry:
    """Geometry of a PIM device."""
    shape = device.organization
    return Geometry(
        shape.channels,
        shape.banks,
        shape.columns,
        shape.rows,
        device.pim.mac_lanes,
        device.pim.global_buffer_bytes // shape.column_bytes,
    )


@dataclass(frozen=True)
class Chunk:
    """A part of the input vector that fits the global buffer: first column of the vector, columns used, columns taken."""

    start: int
    columns: int
    stride: int


@dataclass(frozen=True)
class Layout:
    """Slots and chunks of one matrix, without its position; each of ``heads`` equal parts of the outputs fills whole slots."""

    slots: int
    chunks: tuple[Chunk, ...]
    heads: int = 1


@dataclass(frozen=True)
class Region:
    """A placed matrix: ``layout`` at ``base_row`` of every bank of every channel."""

    name: str
    layout: Layout
    geometry: Geometry
    base_row: int

    @property
    def local_slots(self) -> int:
        """Slots of the fullest channel; space is reserved for as many in each."""
        return -(-self.layout.slots // self.geometry.channels)

    def slots_in(self, channel: int) -> int:
        """Slots that live in ``channel``."""
        return len(range(channel, self.layout.slots, self.geometry.channels))

    @cached_property
    def chunk_base(self) -> tuple[int, ...]:
        """First column of each chunk in the run of a bank."""
        bases, position = [], 0
        for chunk in self.layout.chunks:
            bases.append(position)
            position += self.local_slots * chunk.stride
        return tuple(bases)

    @property
    def run_columns(self) -> int:
        """Length of the run in each bank."""
        return self.local_slots * sum(chunk.stride for chunk in self.layout.chunks)

    @property
    def rows(self) -> int:
        """Rows of each bank that the region takes."""
        return -(-self.run_columns // self.geometry.columns_per_row)

    def linear(self, local_slot: int, chunk: int) -> int:
        """First column of a local slot's chunk in the run."""
        return self.chunk_base[chunk] + local_slot * self.layout.chunks[chunk].stride


@dataclass(frozen=True)
class Strip:
    """A placed vector: an equal run of columns in each channel, in one bank, from ``linear`` on in rows from ``base_row``."""

    name: str
    columns: int
    geometry: Geometry
    base_row: int
    bank: int
    linear: int

    @property
    def local_columns(self) -> int:
        """Columns reserved in each channel."""
        return -(-self.columns // self.geometry.channels)

    def first_in(self, channel: int) -> int:
        """First column of the vector that lies in ``channel``."""
        return channel * self.local_columns

    def columns_in(self, channel: int) -> int:
        """Columns of the vector that lie in ``channel``."""
        return max(0, min(self.local_columns, self.columns - self.first_in(channel)))
