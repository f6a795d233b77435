"""A run as a notebook shows it: a small table with bars, readable on light and dark."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pimsim.result.run_result import RunResult

_MOST, _LEAST_SHARE = 10, 0.005


def run_html(result: RunResult) -> str:
    """HTML without scripts or styles from elsewhere."""
    energy, per_token = result.energy_j, result.s_per_token
    figures = {
        "latency": f"{result.latency_s:.4g} s",
        "per token": f"{per_token * 1e3:.4g} ms ({result.tokens_per_s:,.4g} tokens/s)",
        "energy": f"{energy['nominal']:.4g} J ({energy['low']:.3g} to {energy['high']:.3g})",
        "average power": f"{result.average_power_w:.4g} W",
        "row hits": f"{result.row_hit_rate:.2%}",
        "MAC use": f"{result.mac_utilisation:.1%}",
    }
    if result.ttft_s:
        figures["TTFT, TPOT"] = f"{result.ttft_s['mean'] * 1e3:.4g} ms, {result.tpot_s['mean'] * 1e3:.4g} ms"
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td>{html.escape(text)}</td></tr>" for name, text in figures.items()
    )
    lists = {"cycles": _mean_causes(result), "critical path": result.critical_path_s, "energy": result.energy_breakdown_j}
    title = f"{result.workload} on {result.hardware}: {result.prompt_tokens} prompt + {result.generated_tokens} generated tokens"
    return (
        f"<div><b>{html.escape(title)}</b><div style='display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start'>"
        f"<table>{rows}</table>{''.join(_bars(name, parts) for name, parts in lists.items())}</div></div>"
    )


def _mean_causes(result: RunResult) -> dict[str, float]:
    channels = list(result.cycle_breakdown.values())
    return {cause: sum(channel[cause] for channel in channels) / len(channels) for cause in channels[0]} if channels else {}


def _bars(title: str, parts: Mapping[str, float]) -> str:
    total = sum(parts.values()) or 1.0
    shown = [
        (name, value / total) for name, value in sorted(parts.items(), key=lambda item: -item[1]) if value / total >= _LEAST_SHARE
    ]
    rows = "".join(
        f"<tr><td style='text-align:left'>{html.escape(name)}</td><td>{share:.1%}</td><td style='width:6em;text-align:left'>"
        f"<div style='background:#0072B2;height:.7em;width:{100 * share / shown[0][1]:.0f}%'></div></td></tr>"
        for name, share in shown[:_MOST]
    )
    return f"<table><tr><th colspan='3' style='text-align:left'>{title}</th></tr>{rows}</table>"
