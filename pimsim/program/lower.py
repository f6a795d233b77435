"""Lower the operations of a decoding step to instructions: one function per kind of operation, in a registry."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property

from pimsim.asic import functions
from pimsim.asic.work import Stage
from pimsim.config.device import Device
from pimsim.errors import MappingError
from pimsim.mapping.layout import Region
from pimsim.mapping.placement import Placement
from pimsim.program import vectors, vmm
from pimsim.program.block import Block
from pimsim.program.durations import asic_ps, link_ps
from pimsim.program.instruction import ASIC, LINK, PIM, SECTION_INPUT, Instruction, Section, StepProgram
from pimsim.workload.model import BYTES_PER_ELEMENT, DecoderModel
from pimsim.workload.ops import (
    CONTEXT,
    EMBEDDING,
    GELU,
    KV_WRITE,
    LAYER_NORM,
    RESIDUAL,
    SCORES,
    SELECT,
    SOFTMAX,
    VMM,
    Op,
)


@dataclass
class Lowering:
    """Lowers steps of one model on one device; blocks that repeat are built once.

    Of blocks that vary with the token or the context, those of the latest one are kept: memory does not grow with tokens.
    """

    device: Device
    model: DecoderModel
    placement: Placement
    _blocks: dict[Hashable, tuple[Hashable, tuple[Block | None, ...]]] = field(default_factory=dict)
    _instructions: dict[Hashable, tuple[tuple[Instruction, ...], int]] = field(default_factory=dict)

    def step(self, context: int, with_head: bool, token_id: int = 0) -> StepProgram:
        """The program of the token at position ``context - 1``; ``token_id`` is the row its embedding is read from."""
        ops = self._one_layer.step(context, with_head)
        inside = [i for i, op in enumerate(ops) if op.layer == 0]
        parts = (ops[: inside[0]], ops[inside[0] : inside[-1] + 1], ops[inside[-1] + 1 :])
        before, inside_layers, after = (_Section(self, part, context, token_id).lower() for part in parts)
        layers = tuple(range(self.model.spec.layers))
        return StepProgram(context, (Section(before), Section(inside_layers, layers), Section(after)))

    @cached_property
    def _one_layer(self) -> DecoderModel:
        """The model with its first layer only: all layers are alike but for the rows they lie in."""
        return DecoderModel(self.model.spec.model_copy(update={"layers": 1}))

    def per_channel(
        self, key: Hashable, build: Callable[[int], Block | None], varying: Hashable = None
    ) -> tuple[Block | None, ...]:
        """Blocks of every channel, built once per ``key`` and again when ``varying`` changes."""
        if key not in self._blocks or self._blocks[key][0] != varying:
            found = (build(channel) for channel in range(self.placement.geometry.channels))
            self._blocks[key] = varying, tuple(block if block is not None and block.bursts else None for block in found)
        return self._blocks[key][1]

    def slots_at_once(self, region: Region) -> int:
        """Local slots whose partial sums fit half of the ASIC's memory; all of them if nothing is partial."""
        if len(region.layout.chunks) == 1:
            return max(1, region.local_slots)
        geometry = region.geometry
        budget = int(self.device.asic.sram_kib * 1024) // 2
        return max(1, budget // (geometry.channels * geometry.banks * self.device.pim.result_bytes))


@dataclass
class _Section:
    """Instructions of one section while they are collected."""

    lowering: Lowering
    ops: list[Op]
    context: int
    token_id: int
    found: list[Instruction] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)

    def lower(self) -> tuple[Instruction, ...]:
        for op in self.ops:
            if op.kind not in _LOWER:
                raise MappingError(f"{op.name}: operation '{op.kind}' cannot be lowered to PIM yet; known: {', '.join(_LOWER)}")
            self.done[op.name] = self.lower_op(op)
        return tuple(self.found)

    def lower_op(self, op: Op) -> int:
        """Lower one operation; what does not depend on the context is lowered once and used again at the same place."""
        if op.context or op.kind == EMBEDDING:
            return _LOWER[op.kind](self, op)
        at, seen = len(self.found), self.lowering._instructions
        key = (op.name, at, self.needs(op))
        if key not in seen:
            result = _LOWER[op.kind](self, op)
            seen[key] = tuple(self.found[at:]), result
        else:
            self.found += seen[key][0]
        return seen[key][1]

    def needs(self, op: Op) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.done.get(name, SECTION_INPUT) for name in op.needs)) or (SECTION_INPUT,)

    def pim(self, op: Op, role: str, needs: tuple[int, ...], region: str, blocks: tuple[Block | None, ...]) -> int:
        self.found.append(Instruction(op, PIM, role, needs, blocks=blocks, region=region))
        return len(self.found) - 1

    def asic(self, op: Op, needs: tuple[int, ...], stages: list[Stage], buffer_elements: int) -> int:
        """Append ASIC work; what its operands exceed the SRAM by travels out and back first."""
        capacity = int(self.lowering.device.asic.sram_kib * 1024)
        excess = buffer_elements * BYTES_PER_ELEMENT - capacity
        behind_link = False
        if excess > 0:
            self.found.append(Instruction(op, LINK, "spill", needs, link_bytes=2 * excess))
            needs = (len(self.found) - 1,)
            behind_link = link_ps(self.lowering.device, 2 * excess) > asic_ps(self.lowering.device, stages)
        self.found.append(Instruction(op, ASIC, "compute", needs, stages=tuple(stages), behind_link=behind_link))
        return len(self.found) - 1

    def load(self, op: Op, names: list[str]) -> int:
        """Append the read of stored vectors, end to end; it waits for nothing but the section."""
        lowering = self.lowering
        strips = [lowering.placement.strips[name] for name in names]
        starts = [sum(strip.columns for strip in strips[:i]) for i in range(len(strips))]
        key = ("load", tuple((strip.bank, strip.linear, strip.columns) for strip in strips))

        def build(channel: int) -> Block | None:
            runs = [run for strip, at in zip(strips, starts, strict=True) for run in vectors.strip_runs(strip, channel, at)]
            return vectors.run_block(lowering.device, runs)

        return self.pim(op, "load", (SECTION_INPUT,), names[0], lowering.per_channel(key, build))


def _embedding(section: _Section, op: Op) -> int:
    lowering, position = section.lowering, section.context - 1
    region, table = lowering.placement.regions[op.weight], lowering.placement.tables["wpe"]
    token = lowering.per_channel(
        ("row", region.layout),
        lambda c: vectors.run_block(lowering.device, vectors.row_runs(region, section.token_id, c)),
        section.token_id,
    )
    learned = lowering.per_channel(
        ("table",), lambda c: vectors.run_block(lowering.device, vectors.table_runs(table, position, c)), position
    )
    first = section.pim(op, "token", (SECTION_INPUT,), op.weight, token)
    second = section.pim(op, "position", (SECTION_INPUT,), "wpe", learned)
    return section.asic(op, (first, second), functions.add_vectors(op.inputs), 2 * op.inputs)


def _layer_norm(section: _Section, op: Op) -> int:
    load = section.load(op, [f"{op.weight}.scale", f"{op.weight}.shift"])
    stages = functions.layer_norm(op.inputs, section.lowering.device.asic)
    return section.asic(op, (*section.needs(op), load), stages, 4 * op.inputs)


def _vmm(section: _Section, op: Op) -> int:
    lowering = section.lowering
    region = lowering.placement.regions[op.weight]
    needs = section.needs(op)
    if op.bias:
        needs_bias: tuple[int, ...] = (section.load(op, [f"{op.weight}.bias"]),)
    else:
        needs_bias = ()
    at_once = lowering.slots_at_once(region)
    blocks = lowering.per_channel(
        ("vmm", region.layout),
        lambda c: vmm.vmm_block(
            lowering.device, vmm.weight_steps(region, c, at_once, vmm.vectors_for(lowering.device, 1, False))
        ),
    )
    product = section.pim(op, "vmm", needs, op.weight, blocks)
    stages = functions.accumulate(op.outputs, len(region.layout.chunks), op.bias)
    if not stages:
        return product
    return section.asic(op, (product, *needs_bias), stages, op.outputs)


def _kv_write(section: _Section, op: Op) -> int:
    lowering, token = section.lowering, section.context - 1
    region = lowering.placement.regions[op.weight]
    if op.label == "v_write":
        blocks = lowering.per_channel(("v", region.layout), lambda c: vectors.value_write_block(lowering.device, region, c))
    else:
        blocks = lowering.per_channel(
            ("k", region.layout),
            lambda c: vectors.run_block(lowering.device, vectors.row_runs(region, token, c), write=True),
            token,
        )
    return section.pim(op, "write", section.needs(op), op.weight, blocks)


def _scores(section: _Section, op: Op) -> int:
    lowering = section.lowering
    region, geometry = lowering.placement.regions[op.weight], lowering.placement.geometry
    columns = geometry.columns_for(op.head_width)
    blocks = lowering.per_channel(
        ("scores", region.layout),
        lambda c: vmm.vmm_block(
            lowering.device, vmm.score_steps(region, c, op.context, columns, vmm.vectors_for(lowering.device, 1, False))
        ),
        geometry.slots_for(op.context),
    )
    return section.pim(op, "vmm", section.needs(op), op.weight, blocks)


def _softmax(section: _Section, op: Op) -> int:
    stages = functions.softmax(op.heads, op.context, section.lowering.device.asic)
    return section.asic(op, section.needs(op), stages, op.heads * op.context)


def _attention_context(section: _Section, op: Op) -> int:
    lowering = section.lowering
    region, geometry = lowering.placement.regions[op.weight], lowering.placement.geometry
    used = geometry.columns_for(op.context)
    blocks = lowering.per_channel(
        ("context", region.layout),
        lambda c: vmm.vmm_block(
            lowering.device, vmm.context_steps(region, c, op.context, op.heads, vmm.vectors_for(lowering.device, 1, False))
        ),
        used,
    )
    product = section.pim(op, "vmm", section.needs(op), op.weight, blocks)
    parts = sum(chunk.start < used for chunk in region.layout.chunks)
    stages = functions.accumulate(op.outputs, parts, bias=False)
    return section.asic(op, (product,), stages, parts * op.outputs) if stages else product


def _gelu(section: _Section, op: Op) -> int:
    return section.asic(op, section.needs(op), functions.gelu(op.inputs, section.lowering.device.asic), op.inputs)


def _residual(section: _Section, op: Op) -> int:
    return section.asic(op, section.needs(op), functions.add_vectors(op.inputs), 2 * op.inputs)


def _select(section: _Section, op: Op) -> int:
    return section.asic(op, section.needs(op), functions.select_largest(op.inputs), op.inputs)


_LOWER: dict[str, Callable[[_Section, Op], int]] = {
    EMBEDDING: _embedding,
    LAYER_NORM: _layer_norm,
    VMM: _vmm,
    KV_WRITE: _kv_write,
    SCORES: _scores,
    SOFTMAX: _softmax,
    CONTEXT: _attention_context,
    GELU: _gelu,
    RESIDUAL: _residual,
    SELECT: _select,
}
