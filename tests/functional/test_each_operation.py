"""Every operation of a step, recomputed in float64 from the inputs that the device itself had: no rounding builds up."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from pimsim.asic.numerics import exact
from pimsim.config.workload import WorkloadSpec
from pimsim.functional.bf16 import rounded
from pimsim.functional.executor import Executor
from pimsim.functional.fill import fill
from pimsim.functional.machine import PimMachine
from pimsim.functional.weights import RandomWeights
from pimsim.mapping.placement import place
from pimsim.program.lower import Lowering
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import SECTION_INPUT, Op
from tests.functional_cases import SEED, device, workload

FLOAT32_ERROR = 2.0**-19
BF16_ERROR = 2.0**-8 + FLOAT32_ERROR
PRODUCTS, STORED = ("vmm", "scores", "context"), ("layer_norm", "activation", "residual", "softmax")
Vectors = dict[tuple[int, str], np.ndarray]


class Recording(Executor):
    """Keeps the vectors of every layer by layer and name, under ``input`` the section's own."""

    def step_vectors(self, program) -> Vectors:
        self.recorded: Vectors = {}
        self.step(program)
        return self.recorded

    def _run(self, section) -> None:
        before = self.vectors.get(SECTION_INPUT)
        super()._run(section)
        mine = {instruction.op.name for instruction in section.instructions}
        for key, vectors in self.vectors.items():
            name = key if isinstance(key, str) else key[0]
            if name in mine:
                self.recorded[self.layer, name] = vectors[0]
        if before is not None:
            self.recorded[self.layer, SECTION_INPUT] = before[0]


class Expected:
    """One operation in float64, from the device's inputs and the weights as BF16; keeps K and V of earlier steps."""

    def __init__(self, model: DecoderModel) -> None:
        self.weights = RandomWeights(SEED)
        self.tensors = {tensor.name: tensor for tensor in model.tensors}
        self.kept: dict[str, np.ndarray] = {}
        self.history: dict[int, list[np.ndarray]] = {}

    def weight(self, name: str) -> np.ndarray:
        if name not in self.kept:
            self.kept[name] = rounded(self.weights.tensor(self.tensors[name])).astype(np.float64)
        return self.kept[name]

    def of(self, op: Op, weight: str, layer: int, vectors: Vectors) -> np.ndarray:
        if op.kind == "residual":
            return sum(vectors[layer, name].astype(np.float64) for name in op.needs)
        x = vectors[layer, op.needs[0]].astype(np.float64)
        if op.kind == "vmm":
            bias = self.weight(f"{weight}.bias") if op.shape.bias else 0
            return self.weight(weight) @ rounded(x).astype(np.float64) + bias
        if op.kind == "layer_norm":
            normal = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
            return normal * self.weight(f"{weight}.scale") + self.weight(f"{weight}.shift")
        if op.kind == "activation":
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return self.attention(op, layer, x)

    def attention(self, op: Op, layer: int, x: np.ndarray) -> np.ndarray:
        shape = (op.shape.heads, op.shape.key_width)
        if op.kind == "scores":
            query, key, value = (rounded(part).astype(np.float64).reshape(shape) for part in np.split(x, 3))
            self.history.setdefault(layer, []).append(np.stack([key, value]))
            return np.stack([(query * past[0]).sum(1) for past in self.history[layer]], 1)
        if op.kind == "softmax":
            powers = np.exp((x - x.max(1, keepdims=True)) / math.sqrt(op.shape.key_width))
            return powers / powers.sum(1, keepdims=True)
        return sum(rounded(x[:, t, None]) * past[1] for t, past in enumerate(self.history[layer])).ravel()


def check_every_operation(spec: WorkloadSpec, tokens: list[int], *settings: str) -> tuple[int, float]:
    """Compare all operations of the steps that feed ``tokens``.

    Returns the number of compared operations, and the part of the BF16 numbers that rounding the right value would not give.
    """
    on, model = device(*settings), DecoderModel(spec.model)
    placement = place(on, model)
    machine = PimMachine(on, placement.rows_used)
    fill(machine, model, placement, RandomWeights(SEED))
    executor, lowering = Recording(on, model, placement, machine, exact()), Lowering(on, model, placement)
    expected, compared, narrow, other = Expected(model), 0, 0, 0
    for step, token in enumerate(tokens):
        vectors = executor.step_vectors(lowering.step(step + 1, True, token))
        for section in model.sections():
            for layer, op in product(section.layers or (-1,), section.ops):
                if op.kind not in (*PRODUCTS, *STORED):
                    continue
                where = (layer, op.name, step)
                right, found = expected.of(op, section.full_name(op.weight, layer), layer, vectors), vectors[layer, op.name]
                compared += 1
                if op.kind in PRODUCTS:
                    assert np.abs(found - right).max() < FLOAT32_ERROR * np.abs(right).max(), where
                else:
                    assert (np.abs(found - right) <= BF16_ERROR * (np.abs(right) + 2.0**-10)).all(), where
                    narrow += right.size
                    other += int((found != rounded(right.astype(np.float32))).sum())
    return compared, other / narrow


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ("tiny", ("dram.channels=3",)),
        ("odd", ("pim.global_buffer_bytes=64",)),
        ("narrow_head", ("mapping=row_per_output",)),
        ("chunked", ()),
    ],
)
def test_every_operation_is_right_to_the_rounding_of_its_result(shape: str, settings: tuple[str, ...]) -> None:
    spec = workload(shape)
    compared, other = check_every_operation(spec, [3, 7, 50, 50, 1], *settings)
    assert compared == 5 * (12 * spec.model.layers + 2)
    assert other < 1e-3
