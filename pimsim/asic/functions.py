"""The ASIC's instructions as additions and multiplications only, after PIM-GPT: Taylor exp, Newton reciprocal and rsqrt.

Operation counts are those of the algorithms in ``numerics`` (one Horner step is a multiply and an add); comparisons and
exponent manipulations count as additions.
"""

from __future__ import annotations

from pimsim.asic.work import Stage, chain, tree_depth
from pimsim.config.hardware import AsicSpec


def exp_chain(terms: int) -> tuple[int, int]:
    """(adds, muls) of one exp: range reduction x = k ln2 + r (2 muls, 2 adds), Horner, exponent add."""
    return 2 + (terms - 1) + 1, 2 + (terms - 1)


def reciprocal_chain(steps: int) -> tuple[int, int]:
    """(adds, muls) of one reciprocal: seed by one integer subtraction, then y (2 - d y) a step."""
    return 1 + steps, 2 * steps


def rsqrt_chain(steps: int) -> tuple[int, int]:
    """(adds, muls) of one inverse square root: integer seed, half of x, then y (1.5 - x/2 y y) a step."""
    return 1 + steps, 1 + 3 * steps


def layer_norm(width: int, asic: AsicSpec) -> list[Stage]:
    """Mean, variance, inverse square root, then scale and shift of ``width`` elements."""
    root_adds, root_muls = rsqrt_chain(asic.rsqrt_newton_steps)
    tree = Stage(adds=width - 1, add_depth=tree_depth(width))
    one = Stage(muls=1, mul_depth=1)
    return [
        tree, one, chain(1, 1, width), tree, one,
        Stage(1, 0, 1), Stage(root_adds, root_muls, root_adds, root_muls), chain(1, 2, width),
    ]  # fmt: skip


def softmax(heads: int, context: int, asic: AsicSpec) -> list[Stage]:
    """Scale, maximum, exp, sum, reciprocal and product for ``heads`` vectors of ``context`` elements."""
    elements = heads * context
    exp_adds, exp_muls = exp_chain(asic.exp_taylor_terms)
    inverse_adds, inverse_muls = reciprocal_chain(asic.reciprocal_newton_steps)
    reduction = Stage(adds=heads * (context - 1), add_depth=tree_depth(context))
    return [
        chain(0, 1, elements), reduction, chain(1 + exp_adds, exp_muls, elements), reduction,
        chain(inverse_adds, inverse_muls, heads), chain(0, 1, elements),
    ]  # fmt: skip


def gelu(width: int, asic: AsicSpec) -> list[Stage]:
    """x sigmoid(2 u) with u = sqrt(2/pi) (x + 0.044715 x^3): cube (3 muls, 1 add), scale, exp, 1 + e, reciprocal, product."""
    exp_adds, exp_muls = exp_chain(asic.gelu_taylor_terms)
    inverse_adds, inverse_muls = reciprocal_chain(asic.reciprocal_newton_steps)
    return [chain(1 + exp_adds + 1 + inverse_adds, 3 + 1 + exp_muls + inverse_muls + 1, width)]


def accumulate(width: int, parts: int, bias: bool) -> list[Stage]:
    """Sum ``parts`` partial results, and a bias, for each of ``width`` outputs."""
    adds = parts - 1 + int(bias)
    return [chain(adds, 0, width)] if adds else []


def add_vectors(width: int) -> list[Stage]:
    """Element-wise sum of two vectors."""
    return [chain(1, 0, width)]


def select_largest(width: int) -> list[Stage]:
    """Index of the largest of ``width`` values, by comparisons in a tree."""
    return [Stage(adds=width - 1, add_depth=tree_depth(width))]
