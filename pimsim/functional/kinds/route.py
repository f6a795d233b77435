"""Numbers of the choice of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pimsim.asic.numerics import Numerics, softmax
from pimsim.errors import MappingError

if TYPE_CHECKING:
    from pimsim.functional.bf16 import FloatArray
    from pimsim.functional.executor import Executor
    from pimsim.program.instruction import Instruction
    from pimsim.workload.kinds.experts import RouteShape


def receive(run: Executor, instruction: Instruction) -> None:
    """Read the correction that is added for choosing."""
    run.run(instruction, read_columns=run.placement.geometry.columns_for(instruction.op.shape.experts))


def compute(run: Executor, instruction: Instruction) -> None:
    """Choose experts for the row; their weights are the result."""
    op, shape = instruction.op, instruction.op.shape
    if run.rows.count != 1:
        raise MappingError(f"{run.name_of(op.name)}: experts are chosen by numbers for one row a step only")
    logits = run.input_of(op)[0, : shape.experts]
    correction = run.loaded(op, "load")[: shape.experts] if shape.router.correction else np.float32(0)
    experts, weights = choose(logits, correction, shape, run.numerics)
    run.chosen[run.layer] = tuple(experts)
    run.store_product(op, weights[None])


def choose(
    logits: FloatArray, correction: FloatArray | np.float32, shape: RouteShape, numerics: Numerics
) -> tuple[list[int], FloatArray]:
    """The experts of most corrected score, in groups of most score, and the weights of their outputs."""
    router = shape.router
    if router.scores == "sigmoid":
        scores = numerics.sigmoid(logits)
    else:
        scores = logits if router.scores == "softmax_of_chosen" else softmax(logits[None], numerics)[0]
    wanted = scores + correction
    if router.groups > 1:
        by_group = np.sort(wanted.reshape(router.groups, -1), 1)[:, ::-1]
        of_group = by_group[:, :2].sum(1) if router.group_score == "sum_of_two_best" else by_group[:, 0]
        kept = np.argsort(-of_group, kind="stable")[: router.chosen_groups]
        inside = np.isin(np.arange(shape.experts) // (shape.experts // router.groups), kept)
        wanted = np.where(inside, wanted, np.float32(-np.inf))
    experts = np.argsort(-wanted, kind="stable")[: shape.chosen]
    weights = scores[experts]
    if router.scores == "softmax_of_chosen":
        weights = softmax(weights[None], numerics)[0]
    if router.renormalise:
        weights = weights * numerics.reciprocal(np.atleast_1d(weights.sum()))[0]
    return experts.tolist(), weights * np.float32(router.scale)
