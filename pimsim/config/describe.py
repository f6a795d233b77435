"""A resolved description as rows for people and programs: value, unit and source of everything, and what rounding did to times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pimsim.config.device import Device
from pimsim.config.messages import inner_models
from pimsim.dram.standard import Parameter

ASSUMED = "assumed"
_CLOSE = 0.01  # part of a cycle count within which rounding up is pointed out
_WHOLE = 1e-9  # cycles: nearer to the next whole number than this is a whole number


@dataclass(frozen=True)
class Entry:
    """One value: its dotted path, what it is, its unit (empty for a plain number or text) and where it comes from."""

    path: str
    value: Any
    unit: str
    source: str

    @property
    def assumed(self) -> bool:
        """True if no source is at hand."""
        return self.source.startswith(ASSUMED)

    @property
    def section(self) -> str:
        """The path without its last part."""
        return self.path.rpartition(".")[0]

    @property
    def key(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class TimingEntry:
    """One timing parameter in command-clock cycles: how it was resolved, and a note where rounding nearly spared a cycle."""

    name: str
    cycles: int
    ns: float
    origin: str
    source: str
    note: str


def entries(values: Mapping[str, Any], sources: Mapping[str, str], schema: type[BaseModel]) -> list[Entry]:
    """Every value of a description that is not left out, in the order of the schema. ``values`` are those of the model, dumped."""
    return list(_entries(values, sources, schema, ""))


def _entries(
    values: Mapping[str, Any], sources: Mapping[str, str], schema: type[BaseModel] | None, prefix: str
) -> Iterator[Entry]:
    for key, value in values.items():
        if key == "source" or value is None or (isinstance(value, Mapping | list | tuple) and not value):
            continue
        field = schema.model_fields.get(key) if schema is not None else None
        extra = field.json_schema_extra if field is not None else None
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and "nominal" not in value:
            choices = inner_models(field.annotation) if field is not None else []
            inner = next((one for one in choices if set(value) <= set(one.model_fields)), None)
            yield from _entries(value, sources, inner, f"{path}.")
        else:
            unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
            yield Entry(path, value, "" if unit == "1" else unit, sources.get(path, "default"))


def timing_entries(device: Device) -> list[TimingEntry]:
    """Every timing parameter of a device, those derived from other groups first."""
    parameters = {parameter.name: parameter for parameter in device.standard.parameters}
    found = []
    for name, cycles in device.timing.cycles.items():
        spelt = _spelt(device, parameters.get(name))
        source = device.sources.get(f"dram.timing.{spelt}", "") if spelt else ""
        ns = cycles * device.timing.t_ck_ps / 1000
        note = _rounding(name, _exact_cycles(device, name, spelt), cycles)
        found.append(TimingEntry(name, cycles, ns, device.timing.origin[name], source, note))
    return found


def _spelt(device: Device, parameter: Parameter | None) -> str:
    """The key of ``dram.timing`` that set a parameter, itself or a broader name; empty if none did."""
    names = (parameter.name, parameter.umbrella) if parameter is not None else ()
    keys = [key for name in names if name for key in (name, f"t{name[1:]}_ns")]
    return next((key for key in keys if key in device.spec.dram.timing), "")


def _exact_cycles(device: Device, name: str, spelt: str) -> float | None:
    if spelt.endswith("_ns"):
        return device.spec.dram.timing[spelt] * 1000 / device.timing.t_ck_ps
    link = device.spec.link
    if link is None or name not in ("nLINK", "nLINKMAC"):
        return None
    pim = device.spec.pim
    size = device.organization.column_bytes if name == "nLINK" or pim is None else device.organization.banks * pim.result_bytes
    return size * 8 * 1000 / (link.gbit_per_s * device.timing.t_ck_ps)


def _rounding(name: str, exact: float | None, cycles: int) -> str:
    fewer = cycles - 1
    if exact is None or fewer < 1 or not fewer < exact <= fewer * (1 + _CLOSE) or exact > cycles - _WHOLE:
        return ""
    return f"{name} is {exact:.4g} cycles, rounded up to {cycles}: {exact / fewer - 1:.2%} less would be {fewer}"


def shown_value(value: Any) -> str:
    """A value as text: bands as low / nominal / high, numbers plainly, lists separated by commas."""
    if isinstance(value, Mapping) and "nominal" in value:
        low, nominal, high = (value[end] for end in ("low", "nominal", "high"))
        return f"{nominal:g}" if low == high else f"{low:g} / {nominal:g} / {high:g}"
    if isinstance(value, list | tuple):
        return ", ".join(shown_value(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
