"""The ASIC's approximations: their errors, their edges, and that they are the operations whose time is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pimsim.asic import activations, chains, functions, numerics
from pimsim.config.load import load_hardware
from pimsim.workload.kinds.attention import AttentionShape
from pimsim.workload.kinds.norm import NormShape

ASIC = load_hardware("pim_gpt").asic
ADDS = (np.add, np.subtract, np.maximum)


class Counted(np.ndarray):
    """An array whose element-wise additions, comparisons and multiplications are counted in ``tally``."""

    tally = {"adds": 0, "muls": 0}  # noqa: RUF012

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(x) if isinstance(x, Counted) else x for x in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        made = np.size(result) if method == "__call__" else np.size(plain[0]) - np.size(result)
        kind = "adds" if ufunc in ADDS else "muls" if ufunc is np.multiply else ""
        if kind:
            self.tally[kind] += made
        return np.asarray(result).view(Counted)


def counts(function: Any, *arguments: np.ndarray) -> tuple[int, int]:
    Counted.tally.update(adds=0, muls=0)
    function(*(argument.astype(np.float32).view(Counted) for argument in arguments))
    return Counted.tally["adds"], Counted.tally["muls"]


def timed(stages: list[Any]) -> tuple[int, int]:
    return sum(stage.adds for stage in stages), sum(stage.muls for stage in stages)


@pytest.mark.parametrize("terms", [1, 2, 6, 9])
def test_exp_is_the_chain_that_is_timed(terms: int) -> None:
    assert counts(lambda x: numerics.taylor_exp(x, terms), np.ones(1)) == chains.exp_chain(terms)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_newton_steps_are_the_chains_that_are_timed(steps: int) -> None:
    assert counts(lambda x: numerics.newton_reciprocal(x, steps), np.ones(1)) == chains.reciprocal_chain(steps)
    assert counts(lambda x: numerics.fast_rsqrt(x, steps), np.ones(1)) == chains.rsqrt_chain(steps)


@pytest.mark.parametrize(
    ("function", "terms"), [("sigmoid", 6), ("tanh", 4), ("gelu_erf", 6), ("gelu", 5), ("quick_gelu", 3), ("silu", 6)]
)
def test_activations_are_the_chains_that_are_timed(function: str, terms: int) -> None:
    asic = ASIC.model_copy(update={"gelu_taylor_terms": terms})
    found = counts(lambda x: numerics.activated(x, function, numerics.approximate(asic)), np.ones(1))
    assert found == timed(activations.activation(function, 1, asic))


def test_gelu_softmax_and_layer_norm_are_the_stages_that_are_timed() -> None:
    asic, x = numerics.approximate(ASIC), np.linspace(-1, 1, 64)
    assert counts(asic.gelu, x) == timed(activations.activation("gelu", 64, ASIC))
    shape, scale = AttentionShape(2, 2, 16, 16, 0.25), np.float32(0.25)
    softmax = counts(lambda s: numerics.softmax(s * scale, asic), x.reshape(2, 32))
    assert softmax == timed(functions.attention_softmax(shape, [32], ASIC))
    norm = counts(lambda v: numerics.normed(v, 1e-5, asic, centred=True) * np.float32(1) + np.float32(0), x)
    assert norm == timed(functions.norm(NormShape(64, scales=64, shifts=64), 1, ASIC, centred=True))


def test_exp_error_falls_with_terms_as_taylor_says() -> None:
    x = np.linspace(-20, 20, 20001).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    for terms in range(1, 7):
        error = np.abs(numerics.taylor_exp(x, terms) / exact - 1).max()
        half = np.log(2) / 2
        remainder = np.exp(half) * (np.exp(half) - sum(half**n / np.prod(np.arange(1.0, n + 1)) for n in range(terms)))
        assert error < remainder + 3e-6
        assert error > remainder / 4


def test_newton_squares_the_error() -> None:
    x = np.geomspace(1e-6, 1e6, 20001).astype(np.float32)
    errors = [np.abs(numerics.newton_reciprocal(x, steps) * x.astype(np.float64) - 1).max() for steps in range(4)]
    roots = [np.abs(numerics.fast_rsqrt(x, steps) * np.sqrt(x.astype(np.float64)) - 1).max() for steps in range(3)]
    assert 0.05 < errors[0] < 0.13
    assert 0.02 < roots[0] < 0.04
    assert errors[1:3] == pytest.approx([errors[0] ** 2, errors[1] ** 2], rel=0.02)
    assert roots[1] == pytest.approx(1.5 * roots[0] ** 2, rel=0.1)
    assert errors[3] < 3e-7
    assert roots[2] < 6e-6


@pytest.mark.parametrize("x", [-1e4, -200.0, -88.0, 88.0, 200.0, 1e4])
def test_exp_saturates_without_a_sign_or_a_nan(x: float) -> None:
    found = float(numerics.taylor_exp(np.array([x], np.float32), 6)[0])
    assert (0 <= found < 1e-37) if x < 0 else (2.0**124 < found < 2.0**127)


def test_gelu_at_the_far_ends() -> None:
    x = np.array([-1000, -30, 30, 1000], np.float32)
    for function in (numerics.approximate(ASIC).gelu, numerics.exact().gelu):
        np.testing.assert_allclose(function(x), [0, 0, 30, 1000], rtol=1e-5, atol=1e-30)


def test_tree_sum_adds_neighbours() -> None:
    tiny, big = np.float32(1), np.float32(2**24)
    assert numerics.tree_sum(np.array([big, tiny, tiny, 0], np.float32)) == big
    assert numerics.tree_sum(np.array([tiny, tiny, big], np.float32)) == big + 2
    np.testing.assert_array_equal(numerics.tree_sum(np.arange(10, dtype=np.float32).reshape(2, 5)), [10, 35])
