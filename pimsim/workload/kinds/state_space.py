"""State spaces: a short convolution over a sequence's last tokens, and the update and read-out of its state."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.workload.kinds.base import OpKind


@dataclass(frozen=True)
class ConvShape:
    """``channels`` elements of the operand from ``offset`` on, each summed over its last ``taps`` tokens, then ``activation``.

    Stored: ``<weight>`` (channels x taps, by channel) and ``<weight>.bias``. Kept: the last ``taps`` inputs, in the cache ``conv_state``.
    """

    channels: int
    taps: int
    bias: bool
    activation: str = "silu"
    offset: int = 0
    cache: str = "conv_state"


@dataclass(frozen=True)
class StateShape:
    """``channels`` channels in ``heads`` heads, ``state`` numbers of state a channel; B and C (``state`` numbers) for each of ``groups``.

    Operands: x (from ``x_offset``), step (from ``step_offset``), B, C. ``mamba1``: a step for each channel, softplus of it with its
    product's bias already in, decays ``a_log`` (channels x state), ``skip`` D a channel. ``mamba2``: step and decay a head, ``step_bias`` added
    to the step before softplus, D a head. ``scales``: what gate, x, B, C and step are multiplied by before the convolution.
    """

    variant: str
    heads: int
    channels: int
    state: int
    groups: int = 1
    x_offset: int = 0
    step_offset: int = 0
    b_offset: int = 0
    c_offset: int = 0
    step_limit: tuple[float, float] | None = None
    cache: str = "state"

    @property
    def steps(self) -> int:
        """Steps (and decays, for mamba2) a token."""
        return self.channels if self.variant == "mamba1" else self.heads


class Conv(OpKind):
    """Depthwise convolution."""

    name, shape = "conv", ConvShape

    def macs(self, shape: ConvShape, seen: int) -> int:
        return shape.channels * shape.taps

    def element_work(self, shape: ConvShape, seen: int) -> int:
        return (5 + int(shape.bias)) * shape.channels

    def weights(self, shape: ConvShape) -> int:
        return shape.channels * (shape.taps + int(shape.bias))

    def state_elements(self, shape: ConvShape) -> int:
        return shape.channels * shape.taps

    def activations(self, shape: ConvShape, seen: int) -> int:
        return 2 * shape.channels


class StateUpdate(OpKind):
    """state = decay x state + step B x; y = C state + D x."""

    name, shape = "state_update", StateShape

    def macs(self, shape: StateShape, seen: int) -> int:
        return 2 * shape.channels * shape.state

    def element_work(self, shape: StateShape, seen: int) -> int:
        decays = shape.channels * shape.state if shape.variant == "mamba1" else shape.heads
        return 9 * decays + 10 * shape.steps + shape.channels * shape.state + 3 * shape.channels

    def weights(self, shape: StateShape) -> int:
        if shape.variant == "mamba1":
            return shape.channels * (shape.state + 1)
        return 3 * shape.heads

    def state_elements(self, shape: StateShape) -> int:
        return shape.channels * shape.state

    def activations(self, shape: StateShape, seen: int) -> int:
        return 2 * shape.channels + shape.steps + 2 * shape.groups * shape.state


KINDS = (Conv(), StateUpdate())
