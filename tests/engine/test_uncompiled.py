"""The kernels mean the same compiled and as plain Python: both must meet the reference engine, which has no kernels.

Continuous integration runs this file a second time with NUMBA_DISABLE_JIT=1.
"""

import pimsim

TINY = [
    *(f"workload.model.{name}" for name in ("layers=1", "vocabulary=64", "d_model=64", "heads=4", "d_ff=64")),
    "dram.channels=2", "dram.timing.tREFI_ns=700",
]  # fmt: skip


def test_a_tiny_run_equals_the_reference_engine():
    fast = pimsim.simulate("pim_gpt", "gpt2_small", 3, settings=TINY)
    reference = pimsim.simulate("pim_gpt", "gpt2_small", 3, settings=TINY, engine="reference")
    assert fast.cycle_breakdown == reference.cycle_breakdown
    assert fast.command_counts == reference.command_counts and fast.command_counts["REFab"] > 0
    assert fast.energy_j == reference.energy_j and fast.critical_path_s == reference.critical_path_s
