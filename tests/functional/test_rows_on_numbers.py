"""Several rows a step: batches, chunks of prompts and trees compute what single tokens compute, in both engines' time alike."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.asic.numerics import exact
from pimsim.config.device import Device
from pimsim.engine.fast import FastEngine
from pimsim.engine.reference import ReferenceEngine
from pimsim.functional.device_logits import DeviceRun, device_run
from pimsim.functional.generate import issued
from pimsim.functional.weights import RandomWeights
from pimsim.workload.model import DecoderModel, Request
from pimsim.workload.step import Row, Step
from tests.engine.agreement import differences
from tests.functional_cases import SEED, device, workload

PLANS = ((20, 0), (3, 33), (1, 1), (10, 2))  # rows of each of two sequences, step by step


def fresh(on: Device, model: DecoderModel, sequences: int, rows: int) -> DeviceRun:
    return device_run(on, model, RandomWeights(SEED), exact(), Request(rows, 1, sequences, rows))


def alone(on: Device, model: DecoderModel, tokens: list[int]) -> np.ndarray:
    """(tokens, vocabulary) of one token a step."""
    return fresh(on, model, 1, 1).logits(tokens)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ("tiny", ()),
        ("tiny", ("pim.vectors_per_column=4",)),
        ("odd", ("pim.global_buffer_bytes=64", "pim.vectors_per_column=3", "mapping=pim_gpt_row_open")),
        ("narrow_head", ("mapping=row_per_output",)),
    ],
)
def test_tokens_in_a_batch_are_those_computed_alone(shape: str, settings: tuple[str, ...]) -> None:
    on, model = device(*settings), DecoderModel(workload(shape).model)
    tokens = np.random.default_rng(0).integers(0, model.spec.vocabulary, (2, 40)).tolist()
    run, at, found = fresh(on, model, 2, 33), [0, 0], [[], []]
    for plan in PLANS:
        rows = [Row(s, at[s] + j, tokens[s][at[s] + j]) for s, count in enumerate(plan) for j in range(count)]
        for row, logits in zip(rows, run.feed(Step(tuple(rows), tuple(range(len(rows))))).logits, strict=True):
            found[row.sequence].append(logits)
        at = [first + count for first, count in zip(at, plan, strict=True)]
    for sequence in range(2):
        np.testing.assert_array_equal(found[sequence], alone(on, model, tokens[sequence][: at[sequence]]))
    outcome = FastEngine(on).run(iter(run.programs))
    assert differences(outcome, ReferenceEngine(on).run(run.programs)) == []
    np.testing.assert_array_equal(issued(outcome), run.executor.machine.executed)


def test_a_tree_gives_each_path_what_it_gets_alone() -> None:
    on, model = device(), DecoderModel(workload("tiny").model)
    prompt, tree, parents = [5, 17, 30], [7, 8, 9, 10], [None, 0, 0, 2]
    run = fresh(on, model, 1, 8)
    run.logits(prompt)
    rows = []
    for token, parent in zip(tree, parents, strict=True):
        above = () if parent is None else (*(rows[parent].ancestors or ()), parent)
        rows.append(Row(0, len(prompt) + len(above), token, above))
    logits = run.feed(Step(tuple(rows), tuple(range(len(rows))))).logits
    for path in ([0, 1], [0, 2, 3]):
        right = alone(on, model, prompt + [tree[k] for k in path])[len(prompt) :]
        np.testing.assert_allclose(logits[path], right, atol=2e-2)


def test_more_vectors_a_column_never_take_longer() -> None:
    model, times = DecoderModel(workload("tiny").model), []
    for together in (1, 2, 4, 8):
        run = fresh(device(f"pim.vectors_per_column={together}"), model, 1, 8)
        rows = tuple(Row(0, position) for position in range(8))
        times.append(FastEngine(run.lowering.device).run(iter([run.lowering.program(Step(rows, (7,)))])).total_ps)
    assert times == sorted(times, reverse=True) and times[0] > times[-1]
