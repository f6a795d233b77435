"""The only place that converts units. Time is integer everywhere; GB = 10^9 B, GiB = 2^30 B.

CK is a channel's command clock. A duration in ns becomes a whole number of CK by rounding up; a tolerance of one part
in 10^9 keeps an exact multiple (0.57 ns x 2 = 1.14 ns) from being pushed up by its binary representation.
"""

from __future__ import annotations

import math

PS_PER_NS = 1000
PS_PER_S = 10**12
BITS_PER_BYTE = 8
BYTES_PER_KIB = 1024
BYTES_PER_GB = 10**9
_RELATIVE_SLACK = 1e-9


def ceil_exact(value: float) -> int:
    """Round up, forgiving a relative excess of 1e-9 left by decimal-to-binary conversion."""
    return math.ceil(value - abs(value) * _RELATIVE_SLACK)


def ns_to_ps(time_ns: float) -> int:
    """Integer picoseconds nearest to ``time_ns``."""
    return round(time_ns * PS_PER_NS)


def ps_to_ns(time_ps: int) -> float:
    """Nanoseconds in ``time_ps`` picoseconds."""
    return time_ps / PS_PER_NS


def ns_to_ck(time_ns: float, t_ck_ps: int) -> int:
    """Whole command-clock cycles that cover ``time_ns``."""
    return ceil_exact(time_ns * PS_PER_NS / t_ck_ps)


def ps_to_edge(time_ps: int, period_ps: int) -> int:
    """Index of the first edge of a clock of ``period_ps`` at or after ``time_ps``."""
    return -(-time_ps // period_ps)


def period_ps(clock_ghz: float) -> int:
    """Period of a clock in integer picoseconds, rounded to the nearest."""
    return max(1, round(PS_PER_NS / clock_ghz))


def ck_to_s(cycles: int, t_ck_ps: int) -> float:
    """Seconds in ``cycles`` command-clock cycles."""
    return cycles * t_ck_ps / PS_PER_S


def ps_to_s(time_ps: int) -> float:
    """Seconds in ``time_ps`` picoseconds."""
    return time_ps / PS_PER_S


def pj_to_j(energy_pj: float) -> float:
    """Joules in ``energy_pj`` picojoules."""
    return energy_pj * 1e-12


def milliwatt_ps_to_pj(power_mw: float, time_ps: float) -> float:
    """Picojoules spent by ``power_mw`` milliwatts over ``time_ps`` picoseconds."""
    return power_mw * 1e-3 * time_ps
