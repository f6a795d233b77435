"""A hardware description made ready to simulate: standard, timing in CK and rule table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from pimsim.config.hardware import AsicSpec, ControllerSpec, EnergySpec, HardwareSpec, LinkSpec, PimSpec
from pimsim.config.standards import standard_of
from pimsim.dram.organization import DramOrganization
from pimsim.dram.standard import Standard
from pimsim.dram.table import RuleTable
from pimsim.dram.timing import TimingParams, clock_from_rate, link_cycles, resolve_timing
from pimsim.errors import ConfigError
from pimsim.units import period_ps

_T = TypeVar("_T")


@dataclass(frozen=True)
class Device:
    """A resolved hardware description: ``spec`` as validated, ``sources`` of its values, ``timing`` in CK."""

    spec: HardwareSpec
    standard: Standard
    timing: TimingParams
    sources: Mapping[str, str]
    where: str

    @property
    def name(self) -> str:
        """Name of the hardware description."""
        return self.spec.name

    @cached_property
    def organization(self) -> DramOrganization:
        """Channels, banks, rows and columns."""
        return self.spec.dram.organization

    @cached_property
    def table(self) -> RuleTable:
        """Commands and resolved rules."""
        return RuleTable(self.standard, self.timing)

    def latency_ck(self, command: str) -> int:
        """CK from the issue of a command until its data have arrived or it is done."""
        return self.table.latency_ck[self.table.code[command]]

    @property
    def pim(self) -> PimSpec:
        """MAC units and buffers; ConfigError on a plain DRAM."""
        return self._group("pim", self.spec.pim)

    @property
    def asic(self) -> AsicSpec:
        """The ASIC; ConfigError on a plain DRAM."""
        return self._group("asic", self.spec.asic)

    @property
    def link(self) -> LinkSpec:
        """Pins of a channel; ConfigError on a plain DRAM."""
        return self._group("link", self.spec.link)

    @property
    def controller(self) -> ControllerSpec:
        """Issue order; ConfigError on a plain DRAM."""
        return self._group("controller", self.spec.controller)

    @property
    def energy(self) -> EnergySpec:
        """Energy constants; ConfigError on a plain DRAM."""
        return self._group("energy", self.spec.energy)

    @property
    def activation_groups(self) -> int:
        """Commands that ACT_AB takes to open every bank."""
        return self.organization.banks // self.pim.all_bank_activation.grouped_by

    @cached_property
    def mac_interval_ck(self) -> int:
        """CK between two MACs of a bank."""
        mac = self.table.code["MAC_AB"]
        return max([1, *(rule.gap_ck for rule in self.table.rules if rule.preceding == rule.following == mac)])

    @cached_property
    def asic_period_ps(self) -> int:
        """Clock period of the ASIC."""
        return period_ps(self.asic.clock_ghz)

    def require_pim(self) -> None:
        """Raises ConfigError on a plain DRAM."""
        self._group("pim", self.spec.pim)

    def _group(self, name: str, value: _T | None) -> _T:
        if value is None:
            raise ConfigError(f"{self.where}: group '{name}' is missing: {self.name} is a plain DRAM and cannot run a model")
        return value


def resolve_device(spec: HardwareSpec, sources: Mapping[str, str], where: str) -> Device:
    """Resolve timing and rules of a validated description. Raises ConfigError naming ``where``."""
    standard = standard_of(spec)
    times = clock_from_rate(spec.dram.timing, spec.dram.data_rate_mt_per_s, standard.transfers_per_ck, where)
    t_ck_ps = round(times.get("tCK_ns", 0) * 1000)
    derived = {}
    if spec.pim is not None and spec.dram.organization.units > 1:
        raise ConfigError(f"{where}: dram: a device with MAC units counts each {standard.levels[-1]} as a channel of its own")
    if spec.link is not None and t_ck_ps > 0:
        derived["nLINK"] = link_cycles(spec.dram.column_bytes, spec.link.gbit_per_s, t_ck_ps)
        if spec.pim is not None:
            result_bytes = spec.dram.organization.banks * spec.pim.result_bytes
            derived["nLINKMAC"] = link_cycles(result_bytes, spec.link.gbit_per_s, t_ck_ps)
    timing = resolve_timing(standard, times, derived, f"{where}: dram.timing")
    device = Device(spec, standard, timing, dict(sources), where)
    if spec.pim is not None and spec.dram.refresh.mode != "none":
        _check_refresh(device)
    return device


def _check_refresh(device: Device) -> None:
    """Refuse refreshes so frequent that closing banks, refreshing and opening them again leaves no time for a command."""
    per_bank = device.spec.dram.refresh.mode == "per_bank"
    banks, refresh = device.organization.banks, "REFpb" if per_bank else "REFab"
    refresh_ck = device.latency_ck(refresh)
    interval_ck = device.timing["nREFI"] // (banks if per_bank else 1)
    reopening_ck = _reopening_ck(device, "ACT_AB", device.activation_groups)
    if not per_bank:
        reopening_ck = max(reopening_ck, _reopening_ck(device, "ACT", banks))
    needed_ck = device.table.refresh_lead_ck(per_bank) + refresh_ck + reopening_ck
    if interval_ck <= needed_ck:
        what = f"nREFI / {banks} banks" if per_bank else "nREFI"
        raise ConfigError(
            f"{device.where}: dram.timing: {what} = {interval_ck} CK must exceed {needed_ck} CK: closing the banks, {refresh} "
            f"{refresh_ck} CK, and opening them again; or only refresh runs"
        )


def _reopening_ck(device: Device, name: str, times: int) -> int:
    """CK from the first of ``times`` activations of different banks to any command that works on or closes a row."""
    opening, kinds = device.table.code[name], device.standard.commands
    after = [rule for rule in device.table.rules if rule.preceding == opening]
    own_scope = kinds[opening].scope
    between = [-(-rule.gap_ck // rule.window) for rule in after if rule.following == opening and rule.scope != own_scope]
    to_work = [rule.gap_ck for rule in after if kinds[rule.following].row not in ("open", "refresh")]
    return (times - 1) * max(between, default=0) + max(to_work)
