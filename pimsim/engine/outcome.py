"""What an engine hands over: integer counters that everything else is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EngineOutcome:
    """Counters of a run. ``causes`` is (channels, causes) in CK, ``counts`` (channels, commands); times in ps.

    ``shared_columns``: columns of a bank that MACs multiplied with vectors beyond the first, over all channels.
    """

    step_ps: IntArray
    dram_cycles: int
    causes: IntArray
    open_cycles: IntArray
    counts: IntArray
    refresh_counts: IntArray
    critical_ps: dict[str, int]
    asic_busy_ps: int
    asic_adds: int
    asic_muls: int
    link_bytes: int
    bursts: int
    shared_columns: int
    simulated_bursts: int
    kernel_s: float

    @property
    def total_ps(self) -> int:
        """Time of the whole run."""
        return int(self.step_ps.sum())
