"""Peak power of a device: the hungriest thing that its channels can do together, and its ASIC at full activity.

Follows from the hardware alone: every phase is a channel's power while it lasts, and the largest counts in every channel.
"""

from __future__ import annotations

from pimsim.config.device import Device
from pimsim.energy.scaling import asic_dynamic_factor, asic_static_factor
from pimsim.energy.terms import Constants, activation_pj, io_pj_per_bit, mac_column_pj
from pimsim.units import BITS_PER_BYTE

_MW_PER_W = 1000


def activating_w(c: Constants) -> float:
    """Banks that may be opened within one tRCD draw their row's energy in it."""
    table, timing = c.device.table, c.device.timing
    opening = table.code["ACT_AB"]
    between = [r.gap_ck for r in table.rules if r.preceding == r.following == opening and r.scope == "channel"]
    groups, window_ck = c.device.activation_groups, timing["nRCDRD"]
    commands = min(groups, 1 + (window_ck - 1) // max(1, *between)) if groups > 1 else 1
    banks = commands * c.device.pim.all_bank_activation.grouped_by
    return banks * activation_pj(c) / c.ck_ps(window_ck)


def computing_w(c: Constants) -> float:
    """A MAC column of every bank every MAC interval, inputs from the buffer included."""
    return mac_column_pj(c) / c.ck_ps(c.device.mac_interval_ck)


def reading_w(c: Constants) -> float:
    """A column after the other over the pins; the same for writing, whichever takes more."""
    timing = c.device.timing
    column = max(c.column_pj("idd4r_ma"), c.column_pj("idd4w_ma"))
    bits = c.device.organization.column_bytes * BITS_PER_BYTE
    return (column + bits * io_pj_per_bit(c)) / c.ck_ps(max(timing["nCCDS"], timing["nBL"]))


def refreshing_w(c: Constants) -> float:
    """All banks refreshed at once."""
    return c.above_standby_mw("idd5b_ma", "idd2n_ma") / _MW_PER_W


PHASES = (activating_w, computing_w, reading_w, refreshing_w)


def asic_w(c: Constants) -> float:
    """Every adder and multiplier busy in every cycle."""
    energy, spec = c.device.energy, c.device.spec
    static = c.value(energy.asic_static_fraction)
    dynamic = (1 - static) * asic_dynamic_factor(spec, c.which) * c.device.asic.clock_ghz
    return c.value(energy.asic_power_mw) * (dynamic + static * asic_static_factor(spec, c.which)) / _MW_PER_W


def peak_power_w(device: Device, which: str = "nominal") -> float:
    """Power of the device when all channels are in their hungriest phase and the ASIC works."""
    c = Constants(device, which)
    channel = c.standby_mw("idd3n_ma") / _MW_PER_W + max(phase(c) for phase in PHASES)
    return device.organization.channels * channel + asic_w(c)
