"""What running a request on a baseline device gives."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.baseline import Baseline
from pimsim.config.model import Band


@dataclass(frozen=True)
class BaselineResult:
    """Latency and energy of a request on a baseline device; ``label`` says how it was found.

    ``prompt_s`` is the one batched pass over the prompt that gives the first token, ``token_latency_s`` the mean time of
    each further token (that of the pass if there is none). Energy is that of ``energy_scope`` (board, package ...).
    ``error_band`` is the (low, high) factor on latency seen in validation, None for an ideal bound.
    """

    label: str
    device: str
    dtype: str
    tokens: int
    latency_s: float
    prompt_s: float
    token_latency_s: float
    energy_j: Band
    energy_scope: str
    error_band: tuple[float, float] | None = None

    @property
    def tokens_per_s(self) -> float:
        """Generated tokens a second over the whole request."""
        return self.tokens / self.latency_s


def device_energy_j(baseline: Baseline, latency_s: float, busy_s: float) -> Band:
    """Energy of a device that computes for ``busy_s`` of ``latency_s``: idle power throughout, active power while busy.

    The high end is TDP throughout, which no real run exceeds.
    """
    power = baseline.spec.power

    def joules(idle_w: float, active_fraction: float) -> float:
        return idle_w * latency_s + active_fraction * (power.tdp_w - idle_w) * min(busy_s, latency_s)

    return Band(
        low=joules(power.idle_w.low, power.active_fraction.low),
        nominal=joules(power.idle_w.nominal, power.active_fraction.nominal),
        high=power.tdp_w * latency_s,
    )
