"""Compiled core: what happens once a batch, before and after its steps run."""

from __future__ import annotations

from pimsim.engine.kernels_cache import kernel
from pimsim.engine.kernels_rules import ChannelRules
from pimsim.engine.kernels_timeline import record_block, settle
from pimsim.engine.kernels_unowned import unowned
from pimsim.engine.rule_arrays import NEVER
from pimsim.engine.state import LAST


@kernel
def prepare_marks(rules, control, blocks, scratch, marks, log):  # type: ignore[no-untyped-def]
    """Mutates ``marks`` and ``scratch``: record every block from a fresh channel, without refresh."""
    rules, blocks, marks, scratch = unowned(rules), unowned(blocks), unowned(marks), unowned(scratch)
    timing, counters = ChannelRules(scratch.deadline[0], scratch.history[0]), scratch.counters[0]
    m = 0
    for block in range(blocks.start.shape[0] - 1):
        timing.deadline[:, :, 0] = NEVER
        timing.deadline[:, :, 1] = -1
        timing.history[:] = NEVER
        counters[:] = 0
        counters[LAST] = -1
        m = record_block(rules, control, blocks, block, timing, counters, marks, m, log)


@kernel
def settle_all(channels, marks):  # type: ignore[no-untyped-def]
    """Mutates channels: write out states that are only known by reference to ``marks``."""
    for c in range(channels.counters.shape[0]):
        settle(ChannelRules(channels.deadline[c], channels.history[c]), channels.counters[c], marks)
