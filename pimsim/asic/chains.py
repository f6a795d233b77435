"""Additions and multiplications of one value's series and Newton steps: (adds, muls) of the algorithms in ``numerics``.

One Horner step is a multiply and an add; comparisons and exponent manipulations count as additions.
"""

from __future__ import annotations

ERF_TERMS = 5


def exp_chain(terms: int) -> tuple[int, int]:
    """(adds, muls) of one exp: range reduction x = k ln2 + r (2 muls, 2 adds), Horner, exponent add."""
    return 2 + (terms - 1) + 1, 2 + (terms - 1)


def reciprocal_chain(steps: int) -> tuple[int, int]:
    """(adds, muls) of one reciprocal: seed by one integer subtraction, then y (2 - d y) a step."""
    return 1 + steps, 2 * steps


def rsqrt_chain(steps: int) -> tuple[int, int]:
    """(adds, muls) of one inverse square root: integer seed, half of x, then y (1.5 - x/2 y y) a step."""
    return 1 + steps, 1 + 3 * steps


def sine_chain(terms: int) -> tuple[int, int]:
    """(adds, muls) of one sine or cosine of a reduced angle: its square, Horner, a product with the angle, the sign."""
    return terms - 1 + 1, 1 + (terms - 1) + 1


def sigmoid_chain(exp_terms: int, newton_steps: int) -> tuple[int, int]:
    """(adds, muls) of one 1 / (1 + exp(-x))."""
    (exp_adds, exp_muls), (inverse_adds, inverse_muls) = exp_chain(exp_terms), reciprocal_chain(newton_steps)
    return exp_adds + 1 + inverse_adds, exp_muls + inverse_muls


def tanh_chain(exp_terms: int, newton_steps: int) -> tuple[int, int]:
    """(adds, muls) of one 2 sigmoid(2 x) - 1."""
    adds, muls = sigmoid_chain(exp_terms, newton_steps)
    return adds + 1, muls + 2


def erf_chain(exp_terms: int, newton_steps: int) -> tuple[int, int]:
    """(adds, muls) of one erf: t = 1 / (1 + p |x|), a polynomial in t of five terms times exp(-x x), from 1; x's sign is a bit."""
    (exp_adds, exp_muls), (inverse_adds, inverse_muls) = exp_chain(exp_terms), reciprocal_chain(newton_steps)
    return 1 + inverse_adds + (ERF_TERMS - 1) + exp_adds + 1, 1 + inverse_muls + ERF_TERMS + 1 + exp_muls + 1


def log_chain(terms: int, newton_steps: int) -> tuple[int, int]:
    """(adds, muls) of one log: exponent and mantissa apart (2 adds), z = (m - 1) / (m + 1), odd series of z, e ln2 added."""
    inverse_adds, inverse_muls = reciprocal_chain(newton_steps)
    return 2 + 2 + inverse_adds + (terms - 1) + 1, 1 + inverse_muls + 1 + (terms - 1) + 1 + 1


def softplus_chain(exp_terms: int, newton_steps: int) -> tuple[int, int]:
    """(adds, muls) of one log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    (exp_adds, exp_muls), (log_adds, log_muls) = exp_chain(exp_terms), log_chain(exp_terms, newton_steps)
    return exp_adds + 1 + log_adds + 2, exp_muls + log_muls
