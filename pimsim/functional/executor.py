"""Execute step programs: PIM blocks on the machine, ASIC instructions in float32, vectors in between.

Between instructions vectors are BF16; only results of matrix-vector products stay as wide as the accumulators' results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pimsim.asic.numerics import Numerics, layer_norm, softmax
from pimsim.config.device import Device
from pimsim.errors import MappingError
from pimsim.functional import formats
from pimsim.functional.bf16 import FloatArray, rounded
from pimsim.functional.machine import PimMachine, Received
from pimsim.mapping.layout import Region
from pimsim.mapping.placement import Placement
from pimsim.program.instruction import LINK, PIM, Instruction, StepProgram
from pimsim.program.vectors import value_addresses
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import CONTEXT, EMBEDDING, GELU, KV_WRITE, LAYER_NORM, RESIDUAL, SCORES, SELECT, SOFTMAX, VMM, Op


@dataclass(frozen=True, eq=False)
class StepOutput:
    """``token`` selected by a step and the ``logits`` it was selected from; None for a step without a head."""

    token: int | None
    logits: FloatArray | None


class Executor:
    """Runs the steps of one request; K and V stay in the machine from one step to the next."""

    def __init__(
        self, device: Device, model: DecoderModel, placement: Placement, machine: PimMachine, numerics: Numerics
    ) -> None:
        self.device, self.model, self.placement, self.machine, self.numerics = device, model, placement, machine, numerics
        self.vectors: dict[str, FloatArray] = {}
        self.received: dict[tuple[str, str], Received] = {}
        self.layer = self.context = 0
        self.selected: int | None = None

    def step(self, program: StepProgram) -> StepOutput:
        """Execute one step. Raises MappingError if its commands or addresses do not fit together."""
        self.vectors, self.received, self.selected, self.context = {}, {}, None, program.context
        before, inside, after = program.sections
        self._section(before.instructions, 0)
        entry, end = before.instructions[-1].op.name, inside.instructions[-1].op.name
        for layer in inside.layers:
            self._section(inside.instructions, layer)
            self.vectors[entry] = self.vectors[end]
        self._section(after.instructions, 0)
        logits = self.vectors[after.instructions[-1].op.needs[0]] if after.instructions else None
        return StepOutput(self.selected, logits)

    def _section(self, instructions: tuple[Instruction, ...], layer: int) -> None:
        self.layer = layer
        for instruction in instructions:
            if instruction.kind == LINK:
                continue
            actions = _PIM if instruction.kind == PIM else _ASIC
            if instruction.op.kind not in actions:
                raise MappingError(f"{instruction.op.name}: operation '{instruction.op.kind}' cannot be executed on numbers yet")
            actions[instruction.op.kind](self, instruction)

    def input_of(self, op: Op) -> FloatArray:
        """The vector that an operation works on."""
        return self.vectors[op.needs[0]]

    def store(self, op: Op, vector: FloatArray) -> None:
        """Keep an operation's result as the BF16 vector that the ASIC's memory holds."""
        self.vectors[op.name] = rounded(vector)

    def store_product(self, op: Op, vector: FloatArray) -> None:
        """Keep a matrix-vector product in the width of the accumulators' results."""
        self.vectors[op.name] = rounded(vector) if self.device.pim.result_dtype == "bf16" else vector

    def base_row(self, region: str) -> int:
        """First row of what ``region`` names in layer 0, for the layer that runs now."""
        name = region if not region.startswith("h0.") else f"h{self.layer}.{region.removeprefix('h0.')}"
        for kind in (self.placement.regions, self.placement.strips, self.placement.tables):
            if name in kind:
                return kind[name].base_row  # type: ignore[attr-defined, no-any-return]
        raise MappingError(f"{name}: was never placed")

    def receive(self, instruction: Instruction, received: Received) -> None:
        """Keep what an instruction's reads returned until the ASIC asks for it."""
        self.received[instruction.op.name, instruction.role] = received

    def loaded(self, op: Op, role: str) -> FloatArray:
        """The vector that an earlier instruction of ``op`` read."""
        return formats.vector_of(self.received[op.name, role], f"{op.name} ({role})")

    def region(self, op: Op) -> Region:
        """Where the operation's matrix lies (in layer 0)."""
        return self.placement.regions[op.weight]


def _read(run: Executor, instruction: Instruction, columns: int) -> None:
    base_row = run.base_row(instruction.region)
    run.receive(instruction, run.machine.run(instruction.blocks, base_row, read_columns=columns))


def _multiply(run: Executor, instruction: Instruction, sent: np.ndarray, groups: int) -> Received:
    base_row = run.base_row(instruction.region)
    received = run.machine.run(instruction.blocks, base_row, sent, result_groups=groups)
    run.receive(instruction, received)
    return received


def _read_embedding(run: Executor, instruction: Instruction) -> None:
    _read(run, instruction, run.placement.geometry.columns_for(instruction.op.inputs))


def _read_norm(run: Executor, instruction: Instruction) -> None:
    _read(run, instruction, 2 * run.placement.geometry.columns_for(instruction.op.inputs))


def _run_weights(run: Executor, instruction: Instruction) -> None:
    op, geometry = instruction.op, run.placement.geometry
    if instruction.role == "load":
        return _read(run, instruction, geometry.columns_for(op.outputs))
    layout = run.region(op).layout
    sent = formats.columns_of(run.input_of(op), geometry.lanes)
    received = _multiply(run, instruction, sent, len(layout.chunks) * layout.slots)
    if len(layout.chunks) == 1 and not op.bias:
        run.store_product(op, formats.outputs_of(received, 1, op.name)[0, : op.outputs])
    return None


def _write_keys_or_values(run: Executor, instruction: Instruction) -> None:
    op, geometry, token = instruction.op, run.placement.geometry, run.context - 1
    width, base_row = op.heads * op.head_width, run.base_row(instruction.region)
    part = 1 if op.label == "k_write" else 2
    heads = run.input_of(op)[part * width : (part + 1) * width].reshape(op.heads, op.head_width)
    if part == 1:
        run.machine.run(instruction.blocks, base_row, formats.rows_of_columns(heads, geometry.lanes))
        return
    moved = tuple(
        value_addresses(run.region(op), block, token) if block else (np.zeros(0, np.int64),) * 2 for block in instruction.blocks
    )
    sent, lane = formats.lane_of_columns(heads, geometry, token % geometry.lanes), token % geometry.lanes
    run.machine.run(instruction.blocks, base_row, sent, (lane, lane + 1), moved=moved)


def _run_scores(run: Executor, instruction: Instruction) -> None:
    op, geometry = instruction.op, run.placement.geometry
    query = run.input_of(op)[: op.heads * op.head_width].reshape(op.heads, op.head_width)
    groups = geometry.slots_for(op.context) * op.heads
    received = _multiply(run, instruction, formats.rows_of_columns(query, geometry.lanes), groups)
    run.store_product(op, formats.scores_of(received, op.heads, op.context, op.name))


def _run_context(run: Executor, instruction: Instruction) -> None:
    op, geometry, region = instruction.op, run.placement.geometry, run.region(instruction.op)
    parts = formats.used_chunks(region, geometry.columns_for(op.context))
    sent = formats.rows_of_columns(run.input_of(op), geometry.lanes)
    received = _multiply(run, instruction, sent, parts * region.layout.slots)
    if parts == 1:
        found = formats.outputs_of(received, 1, op.name)
        run.store_product(op, formats.context_of(found, op.heads, op.head_width)[0])


def _add_embeddings(run: Executor, instruction: Instruction) -> None:
    op = instruction.op
    run.store(op, (run.loaded(op, "token") + run.loaded(op, "position"))[: op.inputs])


def _norm(run: Executor, instruction: Instruction) -> None:
    op = instruction.op
    scale, shift = run.loaded(op, "load").reshape(2, -1)[:, : op.inputs]
    run.store(op, layer_norm(run.input_of(op), scale, shift, run.numerics))


def _sum_parts(run: Executor, instruction: Instruction) -> None:
    op, chunks = instruction.op, len(run.region(instruction.op).layout.chunks)
    total = _sum(formats.outputs_of(run.received[op.name, "vmm"], chunks, op.name))[: op.outputs]
    if op.bias:
        total = total + run.loaded(op, "load")[: op.outputs]
    run.store_product(op, total)


def _sum_context(run: Executor, instruction: Instruction) -> None:
    op = instruction.op
    parts = formats.used_chunks(run.region(op), run.placement.geometry.columns_for(op.context))
    found = formats.outputs_of(run.received[op.name, "vmm"], parts, op.name)
    run.store_product(op, _sum(formats.context_of(found, op.heads, op.head_width)))


def _sum(parts: FloatArray) -> FloatArray:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _softmax(run: Executor, instruction: Instruction) -> None:
    op = instruction.op
    run.store(op, softmax(run.input_of(op), op.head_width, run.numerics))


def _gelu(run: Executor, instruction: Instruction) -> None:
    run.store(instruction.op, run.numerics.gelu(run.input_of(instruction.op)))


def _residual(run: Executor, instruction: Instruction) -> None:
    first, second = (run.vectors[name] for name in instruction.op.needs)
    run.store(instruction.op, first + second)


def _select(run: Executor, instruction: Instruction) -> None:
    run.selected = int(np.argmax(run.input_of(instruction.op)))


_PIM: dict[str, Callable[[Executor, Instruction], None]] = {
    EMBEDDING: _read_embedding,
    LAYER_NORM: _read_norm,
    VMM: _run_weights,
    KV_WRITE: _write_keys_or_values,
    SCORES: _run_scores,
    CONTEXT: _run_context,
}
_ASIC: dict[str, Callable[[Executor, Instruction], None]] = {
    EMBEDDING: _add_embeddings,
    LAYER_NORM: _norm,
    VMM: _sum_parts,
    SOFTMAX: _softmax,
    CONTEXT: _sum_context,
    GELU: _gelu,
    RESIDUAL: _residual,
    SELECT: _select,
}
