"""Instructions of one step: PIM blocks per channel, ASIC work, link transfers, and what each waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pimsim.asic.work import Stage
from pimsim.program.block import Block
from pimsim.workload.ops import Op
from pimsim.workload.step import Step

PIM, ASIC, LINK = "pim", "asic", "link"
SECTION_INPUT = -1
OUTSIDE = -1  # the layer of what runs once, before or after the layers
SHARED = "/"  # before the name of a placed tensor that belongs to no layer
CHOSEN = "#"  # before a number in a region's name: the expert that the step chose in that place
WAIT_CAUSES = {PIM: "idle", ASIC: "wait_asic", LINK: "wait_link"}


@dataclass(frozen=True, eq=False)
class Instruction:
    """One instruction of a section.

    ``blocks``: for PIM, a block or None for each channel. ``region``: the placed tensor it works on, without the layer, for its
    base row; ``sequence``: whose, if it is kept of each. ``tokens``: first and end of the tokens (places in V) that a write of V
    writes: its block is built for token 0 and moves along the run. ``stages``: for ASIC, its work. ``link_bytes``: for LINK,
    bytes over all channels' pins. ``needs``: positions in the same section of the instructions it waits for, or SECTION_INPUT.
    ``role`` tells a multi-part operation's parts apart. ``behind_link``: ASIC work that comes after a longer link transfer
    of the same operation.
    """

    op: Op
    kind: str
    role: str
    needs: tuple[int, ...]
    blocks: tuple[Block | None, ...] = ()
    region: str = ""
    stages: tuple[Stage, ...] = ()
    link_bytes: int = 0
    behind_link: bool = False
    sequence: int = 0
    tokens: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """Name under which reports add it up."""
        return self.op.label

    @property
    def waits_as(self) -> str:
        """Kind on which cycles are booked while a channel waits for this instruction: of two in a row, the longer's."""
        return LINK if self.behind_link else self.kind


@dataclass(frozen=True, eq=False)
class Section:
    """Instructions that run one after another once for each of ``layers``, the layer choosing the rows; OUTSIDE for none.

    ``prefix``: names of what is placed are ``<prefix><layer>.<name>`` in layers. ``rows``: ``logits`` if it runs only for rows that
    need logits. ``name``: what kind of layer it is.
    """

    instructions: tuple[Instruction, ...]
    layers: tuple[int, ...] = (OUTSIDE,)
    prefix: str = "h"
    rows: str = "all"
    name: str = ""

    def full_name(self, name: str, layer: int) -> str:
        """Name of what is placed for ``name`` in ``layer``."""
        if name.startswith(SHARED):
            return name.removeprefix(SHARED)
        return name if layer == OUTSIDE else f"{self.prefix}{layer}.{name}"


@dataclass(frozen=True, eq=False)
class StepProgram:
    """A step: its sections in order; what runs alike in several sections and steps is the same tuple of instructions.

    ``experts``: the experts of a layer in the order in which its instructions work on them, where it has any.
    """

    step: Step
    sections: tuple[Section, ...]
    experts: Callable[[int], Sequence[int]] | None = None

    @property
    def layers(self) -> int:
        """Decoder layers that the step runs through."""
        return 1 + max((layer for section in self.sections for layer in section.layers), default=-1)

    @property
    def context(self) -> int:
        """Positions that the last row's token ends."""
        return max(row.position for row in self.step.rows) + 1

    def unrolled(self) -> Iterator[tuple[Instruction, int]]:
        """Every instruction in order, with its layer; OUTSIDE the layers."""
        for section in self.sections:
            for layer in section.layers:
                for instruction in section.instructions:
                    yield instruction, layer

    def placed_names(self) -> Iterator[str]:
        """For every instruction in order the full name of the placed tensor it works on; empty if it has none."""
        for section in self.sections:
            for layer in section.layers:
                for instruction in section.instructions:
                    name = instruction.region and section.full_name(instruction.region, layer)
                    yield with_expert(name, self.experts(layer)) if CHOSEN in name and self.experts else name


def with_expert(name: str, experts: Sequence[int]) -> str:
    """The name of a placed tensor with the expert put in for the place among those chosen."""
    stem, _, place = name.partition(CHOSEN)
    return f"{stem}{experts[int(place)]}"
