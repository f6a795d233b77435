"""Every result is looked at before it is handed out: an impossible figure is an error that says which, never a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pimsim.errors import ResultError

if TYPE_CHECKING:
    from pimsim.result.run_result import RunResult

# What these end in is a part of a whole.
RATES = ("_rate", "_utilisation", "_fraction", "_share")
_SLACK = 1e-9
_SHOWN = 5


def checked(result: RunResult) -> RunResult:
    """``result`` itself. Raises ResultError if a figure of it cannot be."""
    figures = {name: value for name, value in result.to_dict().items() if name not in ("engine", "provenance")}
    refuse([*impossible(figures), *_unequal(result), *_beyond(result)], f"{result.hardware}, {result.workload}")
    return result


def check_figures(figures: Mapping[str, Any], of: str) -> None:
    """Raise ResultError if a figure in nested ``figures`` is not finite, is negative, or is a rate above one."""
    refuse(impossible(figures), of)


def refuse(problems: Iterable[str], of: str) -> None:
    """Raise ResultError if there are ``problems`` with the result ``of`` something."""
    listed = list(problems)
    if listed:
        more = f"; and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        raise ResultError(f"{of}: the result is impossible and is not given: {'; '.join(listed[:_SHOWN])}{more}")


def impossible(value: Any, name: str = "") -> Iterator[str]:
    """What is wrong with single figures: not finite, negative, a rate outside 0 .. 1."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from impossible(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from impossible(inner, f"{name}.{index}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            yield f"{name} is {value}"
        elif value < 0:
            yield f"{name} is negative: {value:g}"
        elif name.endswith(RATES) and value > 1:
            yield f"{name} is above 1: {value:g}"


def _unequal(result: RunResult) -> Iterator[str]:
    """Parts that do not sum to their whole."""
    for channel, causes in result.cycle_breakdown.items():
        if sum(causes.values()) != result.dram_cycles:
            yield f"cycle_breakdown.{channel} sums to {sum(causes.values())}, not to dram_cycles {result.dram_cycles}"
    wholes = {"critical_path_s": (result.critical_path_s, result.latency_s)}
    wholes |= {f"energy_breakdown_band_j.{w}": (terms, result.energy_j[w]) for w, terms in result.energy_breakdown_band_j.items()}
    wholes["energy_breakdown_j"] = (result.energy_breakdown_j, result.energy_j["nominal"])
    for name, (parts, whole) in wholes.items():
        if not math.isclose(math.fsum(parts.values()), whole, rel_tol=_SLACK, abs_tol=1e-18):
            yield f"{name} sums to {math.fsum(parts.values()):g}, not to {whole:g}"
    for name, product, whole in (
        ("average_power_w x latency_s", result.average_power_w * result.latency_s, result.energy_j["nominal"]),
        (
            "energy_per_token_j x tokens",
            result.energy_per_token_j * result.generated_tokens * result.batch,
            result.energy_j["nominal"],
        ),
    ):
        if not math.isclose(product, whole, rel_tol=_SLACK, abs_tol=1e-18):
            yield f"{name} is {product:g}, not {whole:g}"


def _beyond(result: RunResult) -> Iterator[str]:
    """Times below a bound, and parts above their whole."""
    if result.latency_s <= 0:
        yield f"latency_s is {result.latency_s:g}"
    bounds = {
        "streaming_floor_s": result.streaming_floor_s, "asic_busy_s": result.asic_busy_s, "prompt_latency_s": result.prompt_latency_s,
        "token_latency_s.last": result.token_latency_s["last"], "token_latency_s.first": result.token_latency_s["first"],
    }  # fmt: skip
    for name, bound in bounds.items():
        if bound > result.latency_s * (1 + _SLACK):
            yield f"latency_s {result.latency_s:g} is below {name} {bound:g}"
    for name, count in result.refresh_command_counts.items():
        if count > result.command_counts.get(name, 0):
            yield f"refresh_command_counts.{name} {count} is above command_counts {result.command_counts.get(name, 0)}"
