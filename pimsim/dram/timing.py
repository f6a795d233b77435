"""From timing values as people write them (ns or CK) to the table in CK that everything else uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pimsim.dram.rules import evaluate_gap, gap_parameters
from pimsim.dram.standard import Parameter, Standard
from pimsim.errors import ConfigError, nearest
from pimsim.units import ceil_exact, ns_to_ck

CLOCK_KEY = "tCK_ns"
MIN_CLOCK_NS, MAX_CLOCK_NS = 0.01, 100
MAX_REFRESH_INTERVAL_NS = 64_000_000
REFRESH_PREFIXES = ("nREF", "nRFC", "nRFM")
WAITS_PER_INTERVAL = 8
MIN_LIMIT_CK = 512


@dataclass(frozen=True)
class TimingParams:
    """Resolved timing of one device: the command clock period and every parameter in CK, with where it came from."""

    t_ck_ps: int
    cycles: Mapping[str, int]
    origin: Mapping[str, str]

    def __getitem__(self, name: str) -> int:
        return self.cycles[name]


def stem(key: str) -> str:
    """``tRCD_ns`` and ``nRCD`` both become ``RCD``."""
    return key[1:-3] if key.startswith("t") and key.endswith("_ns") else key[1:]


def known_stems(standard: Standard) -> dict[str, tuple[str, ...]]:
    """Every stem that may be given for a standard, with the parameters it sets (more than one for an umbrella)."""
    stems: dict[str, tuple[str, ...]] = {parameter.name[1:]: (parameter.name,) for parameter in standard.parameters}
    for parameter in standard.parameters:
        if parameter.umbrella:
            umbrella = parameter.umbrella[1:]
            stems[umbrella] = (*stems.get(umbrella, ()), parameter.name)
    return stems


def check_keys(standard: Standard, timing: Mapping[str, float], where: str) -> None:
    """Refuse unknown names, values given twice, negative or fractional cycles, and values nothing would read."""
    stems = known_stems(standard)
    allowed = [CLOCK_KEY] + [spelling for name in stems for spelling in (f"t{name}_ns", f"n{name}")]
    for key, value in timing.items():
        if key not in allowed:
            raise ConfigError(
                f"{where}: unknown key '{key}'{nearest(key, allowed)}; times are tXXX_ns in ns or nXXX in command-clock cycles"
            )
        unit = "ns" if key.endswith("_ns") else "CK"
        if value < 0 or (key == CLOCK_KEY and value == 0):
            raise ConfigError(f"{where}.{key}: {value} {unit} is not allowed: a time must be positive")
        if unit == "CK" and value != int(value):
            raise ConfigError(f"{where}.{key}: {value} is not a whole number of cycles; give t{stem(key)}_ns for a time in ns")
    for name, sets in stems.items():
        if f"t{name}_ns" in timing and f"n{name}" in timing:
            raise ConfigError(f"{where}: 't{name}_ns' and 'n{name}' are the same parameter, given twice")
        given = [p for p in sets if p[1:] != name and (p in timing or f"t{p[1:]}_ns" in timing)]
        spelt = next((s for s in (f"t{name}_ns", f"n{name}") if s in timing), None)
        if spelt and len(sets) > 1 and len(given) == len(sets):
            raise ConfigError(f"{where}.{spelt}: nothing reads it, because {', '.join(given)} are all given")


def clock_from_rate(
    timing: Mapping[str, float], rate_mt_per_s: float | None, transfers_per_ck: int, where: str
) -> dict[str, float]:
    """``timing`` with the period of the command clock that a data rate stands for, cut to whole ps as datasheets print it.

    Raises ConfigError where a period is given too and is another one, by more than the 1 ps of rounding.
    """
    times = dict(timing)
    if rate_mt_per_s is None:
        return times
    period_ps = transfers_per_ck * 1e6 / rate_mt_per_s
    given_ns = times.setdefault(CLOCK_KEY, math.floor(period_ps + 1e-6) / 1000)
    if abs(given_ns * 1000 - period_ps) > 1:
        raise ConfigError(
            f"{where}: dram.data_rate_mt_per_s: {rate_mt_per_s:g} MT/s, {transfers_per_ck} a CK, is a {CLOCK_KEY} of "
            f"{period_ps / 1000:g} ns, but dram.timing.{CLOCK_KEY} is {given_ns:g} ns; give one of them, or both alike"
        )
    return times


def resolve_timing(
    standard: Standard, timing: Mapping[str, float], derived: Mapping[str, int], where: str = "dram.timing"
) -> TimingParams:
    """Resolve ``timing`` (keys ``tXXX_ns`` or ``nXXX``, and ``tCK_ns``) for ``standard``.

    ``derived`` holds parameters in CK that other groups determine (``nLINK`` from the link's pin rate).
    Raises ConfigError for unknown, missing, negative, doubled or contradictory values.
    """
    check_keys(standard, timing, where)
    if CLOCK_KEY not in timing:
        raise ConfigError(f"{where}: '{CLOCK_KEY}' is missing: the command clock's period in ns")
    t_ck_ps = round(timing[CLOCK_KEY] * 1000)
    if t_ck_ps < 1:
        raise ConfigError(f"{where}.{CLOCK_KEY}: {timing[CLOCK_KEY]} ns is below the resolution of 1 ps")
    cycles: dict[str, int] = dict(derived)
    origin = dict.fromkeys(derived, "derived from link")
    missing = []
    for parameter in standard.parameters:
        value, source = _resolve_one(parameter, timing, t_ck_ps, cycles)
        if value is None:
            missing.append(parameter)
        else:
            cycles[parameter.name], origin[parameter.name] = value, source
    missing = [parameter for parameter in missing if not parameter.default] or missing
    if missing:
        listed = ", ".join(f"t{p.name[1:]}_ns ({p.meaning})" for p in missing)
        raise ConfigError(f"{where}: missing {listed}")
    _check_bounds(standard, cycles, timing, where)
    _check_physics(cycles, timing, where)
    return TimingParams(t_ck_ps, cycles, origin)


def _resolve_one(
    parameter: Parameter, timing: Mapping[str, float], t_ck_ps: int, cycles: Mapping[str, int]
) -> tuple[int | None, str]:
    for name in (parameter.name, parameter.umbrella):
        if name and name in timing:
            return int(timing[name]), f"given as {name}"
        in_ns = f"t{name[1:]}_ns"
        if name and in_ns in timing:
            return ns_to_ck(timing[in_ns], t_ck_ps), f"ceil({timing[in_ns]:g} ns / {t_ck_ps / 1000:g} ns)"
    if parameter.default and all(name in cycles for name in gap_parameters(parameter.default)):
        return evaluate_gap(parameter.default, cycles), f"default: {parameter.default}"
    return None, ""


def _check_bounds(standard: Standard, cycles: Mapping[str, int], timing: Mapping[str, float], where: str) -> None:
    """Refuse times beyond what their meaning gives: between two refreshes a DRAM works, and any one wait is a small part of that."""
    if not MIN_CLOCK_NS <= timing[CLOCK_KEY] <= MAX_CLOCK_NS:
        raise ConfigError(f"{where}.{CLOCK_KEY}: {timing[CLOCK_KEY]:g} ns: must be {MIN_CLOCK_NS:g} to {MAX_CLOCK_NS:g} ns")
    t_ck_ns = timing[CLOCK_KEY]
    interval_ck = cycles["nREFI"]
    if interval_ck * t_ck_ns > MAX_REFRESH_INTERVAL_NS:
        raise ConfigError(
            f"{where}: nREFI {interval_ck:,} CK = {interval_ck * t_ck_ns:,.0f} ns: at most {MAX_REFRESH_INTERVAL_NS:,} ns, "
            "the time in which every row of a DRAM is refreshed"
        )
    meanings = {parameter.name: parameter.meaning for parameter in standard.parameters}
    limit_ck = max(MIN_LIMIT_CK, interval_ck // WAITS_PER_INTERVAL)
    for name, value in cycles.items():
        if not name.startswith(REFRESH_PREFIXES) and value > limit_ck:
            raise ConfigError(
                f"{where}: {name} {value:,} CK ({meanings.get(name, 'time of a transfer over the link')}): at most {limit_ck:,} CK, "
                f"a part in {WAITS_PER_INTERVAL} of nREFI {interval_ck:,} CK"
            )


def _check_physics(cycles: Mapping[str, int], timing: Mapping[str, float], where: str) -> None:
    """Refuse tables that no DRAM can have. Given in CK, each of tRC, tRAS, tRP was rounded on its own: one CK of slack."""
    in_ns = all(f"t{name}_ns" in timing for name in ("RC", "RAS", "RP"))
    if in_ns and timing["tRC_ns"] < timing["tRAS_ns"] + timing["tRP_ns"] - 1e-9:
        raise ConfigError(
            f"{where}.tRC_ns: {timing['tRC_ns']:g} ns is less than tRAS + tRP = {timing['tRAS_ns'] + timing['tRP_ns']:g} ns"
        )
    if cycles["nRC"] < cycles["nRAS"] + cycles["nRP"] - 1:
        raise ConfigError(f"{where}: nRC {cycles['nRC']} CK is less than nRAS + nRP = {cycles['nRAS'] + cycles['nRP']} CK")
    for refresh in ("nRFCab", "nRFC", "nRFCpb", "nRFCsb"):
        if refresh in cycles and cycles[refresh] >= cycles["nREFI"]:
            raise ConfigError(
                f"{where}: nREFI {cycles['nREFI']} CK must exceed {refresh} {cycles[refresh]} CK, or only refresh runs"
            )


def link_cycles(column_bytes: int, gbit_per_s: float, t_ck_ps: int) -> int:
    """CK that one column access takes on a channel's pins of ``gbit_per_s`` in all."""
    return max(1, ceil_exact(column_bytes * 8 * 1000 / (gbit_per_s * t_ck_ps)))
