"""Compiled core: what happens once a batch, before and after its steps run."""

from __future__ import annotations

from numba import njit

from pimsim.engine.kernels_rules import ChannelRules
from pimsim.engine.kernels_timeline import record_block, settle
from pimsim.engine.rule_arrays import NEVER
from pimsim.engine.state import LAST


@njit(cache=True)
def prepare_marks(rules, control, blocks, scratch, marks, stride, log):  # type: ignore[no-untyped-def]
    """Mutates ``marks`` and ``scratch``: record every block from a fresh channel, without refresh."""
    timing = ChannelRules(scratch.ready[0], scratch.binder[0], scratch.history[0])
    scalar, causes, extra = scratch.scalar[0], scratch.causes[0], scratch.extra[0]
    m = 0
    for block in range(blocks.start.shape[0] - 1):
        timing.ready[:] = NEVER
        timing.binder[:] = -1
        timing.history[:] = NEVER
        scalar[:] = 0
        scalar[LAST] = -1
        causes[:] = 0
        m = record_block(rules, control, blocks, block, timing, scalar, causes, extra, marks, m, stride, log)


@njit(cache=True)
def settle_all(channels, marks):  # type: ignore[no-untyped-def]
    """Mutates channels: write out states that are only known by reference to ``marks``."""
    for c in range(channels.scalar.shape[0]):
        timing = ChannelRules(channels.ready[c], channels.binder[c], channels.history[c])
        settle(timing, channels.scalar[c], marks)
