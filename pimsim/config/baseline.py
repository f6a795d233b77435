"""Schema of a baseline device: a GPU, CPU or system-on-chip seen as peak arithmetic, memory and power."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config import shipped
from pimsim.config.layers import override, read_layers
from pimsim.config.load import validate
from pimsim.config.model import Band, Fraction, Name, Source, SpecModel, unit

FOLDER = "hw_configs/baselines"
Dtype = Literal["fp32", "fp16", "bf16"]
BYTES_PER_DTYPE: Mapping[str, int] = {"fp32": 4, "fp16": 2, "bf16": 2}


class ComputeSpec(SpecModel):
    """Dense peak arithmetic; ``fp16_bf16`` is absent where the device has no 16-bit arithmetic."""

    fp16_bf16_tflops: float | None = unit("TFLOP/s", "dense 16-bit peak", gt=0, le=1e6, default=None)
    fp32_tflops: float = unit("TFLOP/s", "dense 32-bit peak", gt=0, le=1e6)
    source: Source


class MemorySpec(SpecModel):
    """Main memory of the device; ``kind`` picks the efficiency class of the calibrated model."""

    kind: Literal["hbm", "gddr", "lpddr", "ddr"] = unit("1", "class of memory, which picks the calibrated efficiency")
    bandwidth_gb_per_s: float = unit("GB/s", "peak bandwidth, GB = 10^9 B", gt=0, le=1e6)
    capacity_gb: float = unit("GB", "capacity, GB = 10^9 B", gt=0, le=1e6)
    source: Source


class PowerSpec(SpecModel):
    """Power of what ``scope`` names. ``tdp_w`` is an upper bound, not what decoding draws."""

    scope: Literal["board", "package", "module", "system"] = unit("1", "what the powers are of")
    tdp_w: float = unit("W", "thermal design power", gt=0, le=1e5)
    idle_w: Band = unit("W", "powered and waiting")
    active_fraction: Fraction = unit("1", "part of tdp_w - idle_w drawn while the device computes")
    source: Source

    @model_validator(mode="after")
    def _physical(self) -> PowerSpec:
        if self.idle_w.low < 0 or self.idle_w.high > self.tdp_w:
            raise ValueError(f"idle_w {self.idle_w.low:g} .. {self.idle_w.high:g} W must lie in 0 .. tdp_w {self.tdp_w:g} W")
        return self


class BaselineSpec(SpecModel):
    """A validated baseline device. ``labels`` are further names under which measurements list it.

    ``cores`` are those of one CPU socket, from which a measurement on "64 cores" tells the number of sockets.
    """

    name: Name
    description: str = ""
    source: Source
    device_class: Literal["gpu", "cpu"] = unit("1", "kind of device")
    host: Literal["server", "desktop", "embedded"] = unit("1", "whose single-thread speed issues kernels")
    launch_year: Annotated[int, Field(ge=1990, le=2100)] = unit("year", "when it was launched")
    dtype: Dtype = unit("1", "format of weights, K and V")
    cores: Annotated[int, Field(ge=1, le=4096)] | None = unit("cores", "cores of one CPU socket", default=None)
    labels: list[str] = unit("1", "further names under which measurements list it", default_factory=list)
    compute: ComputeSpec
    memory: MemorySpec
    power: PowerSpec

    @model_validator(mode="after")
    def _dtype_has_arithmetic(self) -> BaselineSpec:
        if self.dtype != "fp32" and self.compute.fp16_bf16_tflops is None:
            raise ValueError(f"dtype {self.dtype} needs compute.fp16_bf16_tflops; without 16-bit arithmetic use fp32")
        return self


@dataclass(frozen=True)
class Baseline:
    """A baseline device: ``spec`` as validated, ``sources`` of its values by dotted path, the file it came from."""

    spec: BaselineSpec
    sources: Mapping[str, str]
    where: str

    @property
    def name(self) -> str:
        """Name of the device description."""
        return self.spec.name

    @property
    def bytes_per_s(self) -> float:
        """Peak memory bandwidth in B/s."""
        return self.spec.memory.bandwidth_gb_per_s * 1e9

    def flop_per_s(self, dtype: str | None = None) -> float:
        """Dense peak in FLOP/s for ``dtype`` (the device's own if None); 32-bit where 16-bit arithmetic is absent."""
        half = self.spec.compute.fp16_bf16_tflops
        single = (dtype or self.spec.dtype) == "fp32" or half is None
        return (self.spec.compute.fp32_tflops if single else half) * 1e12  # type: ignore[operator]


def baseline_names() -> list[str]:
    """Names of the shipped baseline devices."""
    return shipped.shipped_names(FOLDER)


def load_baseline(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Baseline:
    """Load a baseline device: a shipped name (``a100_80``) or a path, with ``path=value`` overrides.

    Raises ConfigError on an unknown name (with the nearest), an unknown key or an impossible value.
    """
    layered = read_layers(str(name_or_path), FOLDER, "baseline device")
    for assignment in overrides:
        override(layered, assignment)
    return Baseline(validate(BaselineSpec, layered.values, layered.where), dict(layered.sources), layered.where)
