"""How latency and energy of one token answer to each main parameter, by simulating the token again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pimsim.config.device import Device, resolve_device
from pimsim.config.hardware import HardwareSpec
from pimsim.config.workload import WorkloadSpec
from pimsim.dram.timing import stem
from pimsim.energy.ledger import energy_ledger
from pimsim.engine.fast import FastEngine
from pimsim.errors import PimsimError
from pimsim.mapping.placement import place
from pimsim.program.lower import Lowering
from pimsim.units import ceil_exact, ps_to_s
from pimsim.workload.model import DecoderModel

CHANGES = {"+10 %": 1.1, "x2": 2.0}
_TOO_COARSE = 1.5  # a step to the next whole value beyond this is no +10 %


@dataclass(frozen=True)
class Answer:
    """One parameter changed: ``before`` and ``after`` as resolved, relative changes of latency and energy.

    ``latency_elasticity`` is the relative change of latency over that of the parameter. The three are None where the
    change is impossible; ``note`` then says why.
    """

    parameter: str
    unit: str
    change: str
    before: float
    after: float | None
    latency_change: float | None
    energy_change: float | None
    latency_elasticity: float | None
    note: str = ""


@dataclass(frozen=True)
class _Parameter:
    """``change`` rewrites the values of a hardware description by a factor, ``value`` reads the size that a device has."""

    name: str
    unit: str
    value: Callable[[Device], float]
    change: Callable[[dict[str, Any], float], None]


def elasticity(device: Device, workload: WorkloadSpec, context: int) -> list[Answer]:
    """Simulate the token at position ``context - 1`` on its own, from idle channels, as it is and with each change."""
    model = DecoderModel(workload.model)
    base = _token(device, model, context)
    return [_answer(device, model, context, base, parameter, change) for parameter in _PARAMETERS for change in CHANGES]


def _token(device: Device, model: DecoderModel, context: int) -> tuple[float, float]:
    """Latency in s and nominal energy in J of one step."""
    program = Lowering(device, model, place(device, model)).step(context, with_head=True)
    outcome = FastEngine(device).run(iter([program]))
    return ps_to_s(outcome.total_ps), energy_ledger(device, outcome).total_j("nominal")


def _answer(
    device: Device, model: DecoderModel, context: int, base: tuple[float, float], parameter: _Parameter, change: str
) -> Answer:
    before = parameter.value(device)
    try:
        changed = _changed(device, parameter, CHANGES[change])
        after = parameter.value(changed)
        if CHANGES[change] < _TOO_COARSE <= after / before:
            return _impossible(parameter, change, before, f"the next value is {after:g} {parameter.unit}")
        latency_s, energy_j = _token(changed, model, context)
    except PimsimError as error:
        return _impossible(parameter, change, before, str(error).splitlines()[-1])
    by_latency, by_energy = latency_s / base[0] - 1, energy_j / base[1] - 1
    return Answer(parameter.name, parameter.unit, change, before, after, by_latency, by_energy, by_latency / (after / before - 1))


def _impossible(parameter: _Parameter, change: str, before: float, why: str) -> Answer:
    return Answer(parameter.name, parameter.unit, change, before, None, None, None, None, why)


def _changed(device: Device, parameter: _Parameter, factor: float) -> Device:
    values = device.spec.model_dump()
    parameter.change(values, factor)
    try:
        spec = HardwareSpec.model_validate(values)
    except ValidationError as error:
        raise PimsimError(str(error.errors()[0]["msg"])) from None
    return resolve_device(spec, device.sources, device.where)


def _timing(family: str) -> Callable[[dict[str, Any], float], None]:
    """Scale a timing in every form in which it is given (tRCD, tRCDRD ...): times as they are, cycles to whole ones."""

    def change(values: dict[str, Any], factor: float) -> None:
        timing = values["dram"]["timing"]
        for key in [key for key in timing if stem(key).startswith(family)]:
            timing[key] = _scaled(key, timing[key], factor)

    return change


def _precharge(values: dict[str, Any], factor: float) -> None:
    """A longer tRP makes a row cycle longer by as much, where tRC is given by itself."""
    timing = values["dram"]["timing"]
    for own, cycle in (("tRP_ns", "tRC_ns"), ("nRP", "nRC")):
        if own in timing:
            longer = _scaled(own, timing[own], factor)
            if cycle in timing:
                timing[cycle] += longer - timing[own]
            timing[own] = longer


def _scaled(key: str, value: float, factor: float) -> float:
    return value * factor if key.endswith("_ns") else float(ceil_exact(value * factor))


def _activate_to_mac(device: Device) -> int:
    """CK from an all-bank activation to a MAC."""
    names = device.standard.command_names
    pairs = ((names[rule.preceding], names[rule.following], rule.gap_ck) for rule in device.table.rules)
    return max(gap for before, after, gap in pairs if (before, after) == ("ACT_AB", "MAC_AB"))


def _cycles(name: str) -> Callable[[Device], float]:
    return lambda device: device.timing[name]


def _whole(group: str, name: str, multiple_of: Callable[[dict[str, Any]], int] = lambda _: 1) -> Callable[..., None]:
    """Scale an integer up to the next one, or to the next multiple."""

    def change(values: dict[str, Any], factor: float) -> None:
        unit = multiple_of(values)
        values[group][name] = ceil_exact(values[group][name] * factor / unit) * unit

    return change


def _rate(group: str, name: str) -> Callable[[dict[str, Any], float], None]:
    def change(values: dict[str, Any], factor: float) -> None:
        values[group][name] *= factor

    return change


def _banks(values: dict[str, Any], factor: float) -> None:
    """More bank groups, for banks are a power of two; activation of all banks stays that."""
    dram, activation = values["dram"], values["pim"]["all_bank_activation"]
    together = activation["grouped_by"] == dram["bank_groups"] * dram["banks_per_group"]
    more = 1 << ceil_exact(dram["bank_groups"] * factor - 1).bit_length()
    if together:
        activation["grouped_by"] = more * dram["banks_per_group"]
    dram["bank_groups"] = more


def _lanes(values: dict[str, Any], factor: float) -> None:
    """More lanes read wider columns, which are a power of two."""
    lanes = 1 << ceil_exact(values["pim"]["mac_lanes"] * factor - 1).bit_length()
    values["dram"]["column_bytes"] = values["dram"]["column_bytes"] * lanes // values["pim"]["mac_lanes"]
    values["pim"]["mac_lanes"] = lanes


_PARAMETERS = (
    _Parameter("tRCD", "CK", _activate_to_mac, _timing("RCD")),
    _Parameter("tRP", "CK", _cycles("nRP"), _precharge),
    _Parameter("tCCD", "CK", lambda d: d.mac_interval_ck, _timing("CCD")),
    _Parameter("tRFC", "CK", lambda d: d.latency_ck("REFab"), _timing("RFC")),
    _Parameter("tREFI", "CK", _cycles("nREFI"), _timing("REFI")),
    _Parameter("channels", "", lambda d: d.organization.channels, _whole("dram", "channels")),
    _Parameter("banks", "", lambda d: d.organization.banks, _banks),
    _Parameter("MAC lanes", "", lambda d: d.pim.mac_lanes, _lanes),
    _Parameter(
        "global buffer", "B", lambda d: d.pim.global_buffer_bytes,
        _whole("pim", "global_buffer_bytes", lambda values: values["dram"]["column_bytes"]),
    ),
    _Parameter("pin rate", "Gb/s", lambda d: d.link.gbit_per_s_per_pin, _rate("link", "gbit_per_s_per_pin")),
    _Parameter("ASIC clock", "GHz", lambda d: d.asic.clock_ghz, _rate("asic", "clock_ghz")),
    _Parameter("adders", "", lambda d: d.asic.adders, _whole("asic", "adders")),
)  # fmt: skip
