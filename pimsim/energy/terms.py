"""One function per energy term: joule-producing events times their energy, for one scenario of the constants.

DRAM terms follow the usual IDD method (Micron TN-40-07 and successors): what a state or command draws above the standby
current it replaces, times supply voltage and time. A row or a column costs what it cost on the device that was measured, by
its bytes. All energies in pJ, for the whole device (all channels).
"""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.device import Device
from pimsim.config.hardware import MeasuredOnSpec
from pimsim.config.model import Band
from pimsim.energy.scaling import asic_dynamic_factor, asic_static_factor, buffer_factor, io_factor
from pimsim.engine.outcome import EngineOutcome
from pimsim.errors import ConfigError
from pimsim.units import BITS_PER_BYTE, milliwatt_ps_to_pj, ns_to_ps, ps_to_ns


@dataclass(frozen=True)
class Constants:
    """A device, and which of low, nominal or high each constant takes."""

    device: Device
    which: str

    def value(self, band: Band) -> float:
        """The constant in this scenario."""
        return float(getattr(band, self.which))

    def above_standby_mw(self, current: str, standby: str) -> float:
        """Power of ``current`` above ``standby``; ConfigError if negative, for no command gives energy back."""
        currents = self.device.spec.dram.currents
        if currents is None:
            raise ConfigError(f"{self.device.where}: group 'dram.currents' is missing: energy cannot be computed")
        difference = self.value(getattr(currents, current)) - self.value(getattr(currents, standby))
        if difference < 0:
            raise ConfigError(f"{self.device.where}: dram.currents.{current} is below {standby} by {-difference:g} mA")
        return difference * self.value(currents.vdd_v)

    def standby_mw(self, current: str) -> float:
        """Power of a standby current of one channel."""
        currents = self.device.spec.dram.currents
        assert currents is not None
        return self.value(getattr(currents, current)) * self.value(currents.vdd_v)

    def measured_on(self) -> MeasuredOnSpec:
        """What the currents were measured on; this very device if the file does not say."""
        currents = self.device.spec.dram.currents
        if currents is not None and currents.measured_on is not None:
            return currents.measured_on
        timing, shape = self.device.timing, self.device.organization
        return MeasuredOnSpec(
            tRC_ns=ps_to_ns(self.ck_ps(timing["nRC"])),
            tCCD_ns=ps_to_ns(self.ck_ps(max(timing["nCCDS"], timing["nBL"]))),
            row_bytes=shape.row_bytes,
            column_bytes=shape.column_bytes,
            source="the device itself",
        )

    def column_pj(self, current: str) -> float:
        """Energy of one column of a burst: ``current`` above IDD3N over the measured tCCD, by the bytes of a column."""
        measured = self.measured_on()
        burst = milliwatt_ps_to_pj(self.above_standby_mw(current, "idd3n_ma"), ns_to_ps(measured.tCCD_ns))
        return burst * self.device.organization.column_bytes / measured.column_bytes

    def ck_ps(self, cycles: int) -> int:
        """Picoseconds of ``cycles`` CK."""
        return cycles * self.device.timing.t_ck_ps


@dataclass(frozen=True)
class Scenario(Constants):
    """Constants, and a run's counters."""

    outcome: EngineOutcome

    def count(self, name: str) -> int:
        """Commands called ``name`` over all channels; 0 if the standard has none."""
        code = self.device.table.code.get(name)
        return 0 if code is None else int(self.outcome.counts[:, code].sum())


def activation_pj(c: Constants) -> float:
    """Activate and precharge of one bank: IDD0 above IDD2N over the measured tRC, by the bytes of its row."""
    measured = c.measured_on()
    per_bank = milliwatt_ps_to_pj(c.above_standby_mw("idd0_ma", "idd2n_ma"), ns_to_ps(measured.tRC_ns))
    return per_bank * c.device.organization.row_bytes / measured.row_bytes


def io_pj_per_bit(c: Constants) -> float:
    """A bit over the pins, at their data rate."""
    return c.value(c.device.energy.io_pj_per_bit) * io_factor(c.device.spec, c.which)


def buffer_column_pj(c: Constants) -> float:
    """A column written into the global buffer or read from it."""
    per_byte = c.value(c.device.energy.global_buffer_pj_per_byte) * buffer_factor(c.device.spec, c.which)
    return c.device.organization.column_bytes * per_byte


def mac_column_pj(c: Constants) -> float:
    """A MAC command: a column of every bank into its unit, every lane, and the inputs from the buffer."""
    banks, lanes = c.device.organization.banks, c.device.pim.mac_lanes
    array = c.column_pj("idd4r_ma") * c.value(c.device.energy.internal_read_fraction)
    return banks * (array + lanes * c.value(c.device.energy.mac_pj)) + buffer_column_pj(c)


def activation(s: Scenario) -> float:
    """Activate and precharge of every bank that was opened."""
    banks = s.count("ACT") + s.count("ACT_AB") * s.device.pim.all_bank_activation.grouped_by
    return banks * activation_pj(s)


def column_read(s: Scenario) -> float:
    """Reads that leave the chip, without the pins: a column each."""
    return (s.count("RD") + s.count("RDA")) * s.column_pj("idd4r_ma")


def column_write(s: Scenario) -> float:
    """Writes into the array: a column each."""
    return (s.count("WR") + s.count("WRA")) * s.column_pj("idd4w_ma")


def mac_array_read(s: Scenario) -> float:
    """Column reads of every bank into its MAC unit: the part of a burst read's energy spent inside a bank."""
    banks = s.count("MAC_AB") * s.device.organization.banks
    return banks * s.column_pj("idd4r_ma") * s.value(s.device.energy.internal_read_fraction)


def mac_units(s: Scenario) -> float:
    """Multiply-accumulates of every lane of every bank for every vector, padding included."""
    return (
        (s.count("MAC_AB") + s.outcome.shared_columns)
        * s.device.organization.banks
        * s.device.pim.mac_lanes
        * s.value(s.device.energy.mac_pj)
    )


def global_buffer(s: Scenario) -> float:
    """Bytes written into the global buffer, and read from it for each vector of each MAC."""
    columns = s.count("WR_GB") + s.count("MAC_AB") + s.outcome.shared_columns
    return columns * buffer_column_pj(s)


def link_io(s: Scenario) -> float:
    """Bits over the pins in either direction."""
    return external_bytes(s.device, s.outcome) * BITS_PER_BYTE * io_pj_per_bit(s)


def refresh(s: Scenario) -> float:
    """IDD5B above IDD2N over tRFC; a per-bank refresh takes one bank's share of it."""
    whole = milliwatt_ps_to_pj(s.above_standby_mw("idd5b_ma", "idd2n_ma"), s.ck_ps(s.device.latency_ck("REFab")))
    return (s.count("REFab") + s.count("REFpb") / s.device.organization.banks) * whole


def background_active(s: Scenario) -> float:
    """IDD3N while any bank of a channel is open."""
    return milliwatt_ps_to_pj(s.standby_mw("idd3n_ma"), s.ck_ps(int(s.outcome.open_cycles.sum())))


def background_precharged(s: Scenario) -> float:
    """IDD2N while all banks of a channel are closed."""
    closed = s.outcome.dram_cycles * s.device.organization.channels - int(s.outcome.open_cycles.sum())
    return milliwatt_ps_to_pj(s.standby_mw("idd2n_ma"), s.ck_ps(closed))


def asic_dynamic(s: Scenario) -> float:
    """Energy of a fully active ASIC cycle (its dynamic power at 1 GHz over 1 ns, for this ASIC) for each busy cycle."""
    energy, factor = s.device.energy, asic_dynamic_factor(s.device.spec, s.which)
    per_cycle = s.value(energy.asic_power_mw) * (1 - s.value(energy.asic_static_fraction)) * factor
    return per_cycle * (s.outcome.asic_busy_ps // s.device.asic_period_ps)


def asic_static(s: Scenario) -> float:
    """Leakage and clock of this ASIC over the whole run."""
    energy, factor = s.device.energy, asic_static_factor(s.device.spec, s.which)
    power_mw = s.value(energy.asic_power_mw) * s.value(energy.asic_static_fraction) * factor
    return milliwatt_ps_to_pj(power_mw, s.outcome.total_ps)


def external_bytes(device: Device, outcome: EngineOutcome) -> int:
    """Bytes over the pins of all channels, in either direction."""
    code, column = device.table.code, device.organization.column_bytes
    results = device.organization.banks * device.pim.result_bytes
    total = outcome.link_bytes
    for name, size in (("WR_GB", column), ("WR_BIAS", results), ("RD_MAC", results), ("RD", column), ("WR", column)):
        if name in code:
            total += int(outcome.counts[:, code[name]].sum()) * size
    return total


TERMS = (
    activation, column_read, column_write, mac_array_read, mac_units, global_buffer, link_io, refresh,
    background_active, background_precharged, asic_dynamic, asic_static,
)  # fmt: skip
