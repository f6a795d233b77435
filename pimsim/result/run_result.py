"""The result of a run: every number with its unit in its name, and where it came from."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pimsim.result.write import write_text

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunResult:
    """One simulated request on one device.

    ``latency_s`` spans all steps, prompt included; ``token_latency_s`` is over the steps that generate a token. ``prompt_tokens``
    is the longest prompt's, ``generated_tokens`` each sequence's. ``ttft_s`` (time to the first token) and ``tpot_s`` (time per
    token after it) are over the ``batch`` sequences, which ``sequences`` lists.
    ``cycle_breakdown[channel][cause]`` are command-clock cycles that sum to ``dram_cycles`` for every channel.
    ``critical_path_s[op]`` sums to ``latency_s``. ``energy_breakdown_j`` is the nominal energy by term and sums to
    ``energy_j['nominal']``. ``command_counts`` are over all channels, refresh's own commands included.
    """

    schema_version: int
    hardware: str
    workload: str
    config_hash: str
    prompt_tokens: int
    generated_tokens: int
    latency_s: float
    prompt_latency_s: float
    tokens_per_s: float
    token_latency_s: dict[str, float]
    energy_j: dict[str, float]
    energy_per_token_j: float
    energy_breakdown_j: dict[str, float]
    energy_breakdown_band_j: dict[str, dict[str, float]]
    average_power_w: float
    dram_cycles: int
    cycle_breakdown: dict[str, dict[str, int]]
    critical_path_s: dict[str, float]
    command_counts: dict[str, int]
    refresh_command_counts: dict[str, int]
    row_hit_rate: float
    mac_utilisation: float
    asic_busy_s: float
    external_bytes: int
    internal_bytes: int
    weight_bytes: int
    kv_bytes_reserved: int
    reserved_bytes: int
    streaming_floor_s: float
    macs: dict[str, int]
    engine: dict[str, Any]
    provenance: dict[str, Any]
    batch: int = 1
    prefill_chunk: int = 1
    ttft_s: dict[str, float] = field(default_factory=dict)
    tpot_s: dict[str, float] = field(default_factory=dict)
    sequences: list[dict[str, Any]] = field(default_factory=list)
    decoding: dict[str, Any] | None = None

    @property
    def s_per_token(self) -> float:
        """Latency of the whole request, prompts included, over the generated tokens of all sequences; ``tokens_per_s`` is its inverse."""
        return self.latency_s / (self.batch * self.generated_tokens)

    def _repr_html_(self) -> str:
        """What a notebook shows: the main figures, and where time and energy went, with bars."""
        from pimsim.result.html import run_html

        return run_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, as in the JSON file; ``decoding`` only if there was a strategy."""
        values = dataclasses.asdict(self)
        if self.decoding is None:
            del values["decoding"]
        return values

    def with_decoding(self, decoding: dict[str, Any]) -> RunResult:
        """This result with what a decoding strategy did."""
        return dataclasses.replace(self, decoding=decoding)

    def to_json(self, path: str | Path | None = None) -> str:
        """JSON text; also written to ``path`` if one is given, whole or not at all."""
        text = json.dumps(self.to_dict(), indent=2, sort_keys=False) + "\n"
        if path is not None:
            write_text(path, text)
        return text

    def row(self) -> dict[str, Any]:
        """One row of a table: the scalars, and nested values with dotted names; cycles are summed over channels."""
        flat: dict[str, Any] = {}
        for key, value in self.to_dict().items():
            if key == "cycle_breakdown":
                causes = next(iter(value.values())) if value else {}
                for cause in causes:
                    flat[f"cycles.{cause}"] = sum(channel[cause] for channel in value.values())
            elif isinstance(value, dict):
                flat.update({f"{key}.{inner}": v for inner, v in value.items() if not isinstance(v, dict | list)})
            else:
                flat[key] = value
        return flat

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunResult:
        """The result that ``to_dict`` gave."""
        return cls(**data)
