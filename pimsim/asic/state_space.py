"""What the ASIC does for state spaces: the short convolution, and the update and read-out of the state, token by token."""

from __future__ import annotations

from pimsim.asic.activations import activation
from pimsim.asic.chains import exp_chain, softplus_chain
from pimsim.asic.work import Stage, chain
from pimsim.config.hardware import AsicSpec
from pimsim.workload.kinds.state_space import ConvShape, StateShape


def convolution(shape: ConvShape, rows: int, asic: AsicSpec) -> list[Stage]:
    """A product for each tap, their sum and the bias, then the activation; tokens do not wait for each other."""
    sums = chain(shape.taps - 1 + int(shape.bias), shape.taps, rows * shape.channels)
    return [sums, *activation(shape.activation, rows * shape.channels, asic)]


def state_update(shape: StateShape, rows: int, asic: AsicSpec) -> list[Stage]:
    """Step, decay, state and output of every token in turn: a token's state waits for that of the token before."""
    terms = asic.gelu_taylor_terms
    step_adds, step_muls = softplus_chain(terms, asic.reciprocal_newton_steps)
    exp_adds, exp_muls = exp_chain(asic.exp_taylor_terms)
    numbers, decays = shape.channels * shape.state, shape.channels * shape.state if shape.variant == "mamba1" else shape.heads
    bounds, bias = 2 * int(shape.step_limit is not None), int(shape.variant == "mamba2")
    once = chain(exp_adds, exp_muls, decays)
    each = [
        chain(step_adds + bias + bounds, step_muls, shape.steps),
        chain(exp_adds, 1 + exp_muls, decays),
        chain(0, 1, shape.channels),
        chain(2, 3, numbers),
        chain(1, 1, shape.channels),
    ]
    return [once, *each * rows]
