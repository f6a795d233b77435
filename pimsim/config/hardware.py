"""Schema of a hardware file: DRAM, PIM units, ASIC, link, controller, mapping, energy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pimsim.config.area import AreaSpec
from pimsim.config.costs import CostSpec
from pimsim.config.model import MIN_SOURCE, Fraction, Name, NonNegativeBand, Source, SpecModel, unit
from pimsim.dram.commands import PSEUDO_CHANNEL, RANK, STACK_ID
from pimsim.dram.organization import DramOrganization
from pimsim.dram.standards import STANDARDS

MAX_BANKS = 64
Count = Annotated[int, Field(ge=1, le=1 << 30)]
Outer = Annotated[int, Field(ge=1, le=16)]
# Keys that say how many units of a level a channel has.
OUTER_COUNTS = {PSEUDO_CHANNEL: "pseudo_channels", RANK: "ranks", STACK_ID: "stack_ids"}


class RefreshSpec(SpecModel):
    """Who is refreshed at once, and how many refreshes may be postponed (JEDEC: at most 8)."""

    mode: Literal["all_bank", "per_bank", "none"] = unit("1", "which banks a refresh command refreshes")
    max_postponed: int = unit("refreshes", "refreshes that may be owed before one interrupts an open row", ge=0, le=8)
    source: Source


class MeasuredOnSpec(SpecModel):
    """The device on which IDD0 and IDD4 were measured: it turns them into energies of a row and of a column.

    Kept apart from the timing, so that a swept device (slower pins, wider columns) pays for the bytes it moves inside a
    bank, not for the time that the movement takes.
    """

    tRC_ns: Annotated[float, Field(gt=0)] = unit("ns", "time from activation to activation of the IDD0 loop")
    tCCD_ns: Annotated[float, Field(gt=0)] = unit("ns", "time from burst to burst of the IDD4 loops")
    row_bytes: Annotated[int, Field(ge=2, le=1 << 20)] = unit("B", "bytes of the row that IDD0 activates")
    column_bytes: Annotated[int, Field(ge=2, le=1 << 12)] = unit("B", "bytes of a burst of IDD4R and IDD4W")
    source: Source


class CurrentsSpec(SpecModel):
    """Supply voltage and IDD currents of one channel, and the device they were measured on."""

    vdd_v: NonNegativeBand = unit("V", "core supply voltage")
    idd0_ma: NonNegativeBand = unit("mA", "one bank activate-precharge")
    idd2n_ma: NonNegativeBand = unit("mA", "precharged standby")
    idd3n_ma: NonNegativeBand = unit("mA", "active standby")
    idd4r_ma: NonNegativeBand = unit("mA", "burst read")
    idd4w_ma: NonNegativeBand = unit("mA", "burst write")
    idd5b_ma: NonNegativeBand = unit("mA", "burst refresh")
    measured_on: MeasuredOnSpec | None = None
    source: Source

    @model_validator(mode="after")
    def _above_standby(self) -> CurrentsSpec:
        """No command gives energy back: what it draws is above the standby current that it replaces."""
        for busy, standby in (
            ("idd0_ma", "idd2n_ma"),
            ("idd4r_ma", "idd3n_ma"),
            ("idd4w_ma", "idd3n_ma"),
            ("idd5b_ma", "idd2n_ma"),
        ):
            for which in ("low", "nominal", "high"):
                drawn, replaced = getattr(getattr(self, busy), which), getattr(getattr(self, standby), which)
                if drawn < replaced:
                    raise ValueError(f"{busy} {drawn:g} mA ({which}) is below {standby} {replaced:g} mA")
        return self


class DramSpec(SpecModel):
    """Organisation, timing, refresh and currents of the DRAM."""

    standard: Literal["GDDR6", "GDDR6_AiM", "HBM2", "HBM3", "LPDDR5", "DDR5"] = unit("1", "table of commands and timing rules")
    rules: Literal["complete", "ramulator_2_1"] = unit("1", "all rules of the standard, or a simulator's", default="complete")
    channels: Annotated[int, Field(ge=1, le=4096)] = unit("channels", "channels of the device")
    pseudo_channels: Outer = unit("pseudo channels", "pseudo channels of a channel (HBM)", default=1)
    ranks: Outer = unit("ranks", "ranks of a channel (DDR5, LPDDR5)", default=1)
    stack_ids: Outer = unit("stack IDs", "stack IDs of a pseudo channel (HBM3)", default=1)
    bank_groups: Annotated[int, Field(ge=1, le=64)] = unit("bank groups", "bank groups of a channel")
    banks_per_group: Annotated[int, Field(ge=1, le=64)] = unit("banks", "banks of a bank group")
    rows: Count = unit("rows", "rows of a bank")
    row_bytes: Annotated[int, Field(ge=2, le=1 << 20)] = unit("B", "bytes of one row of one bank")
    column_bytes: Annotated[int, Field(ge=2, le=1 << 12)] = unit("B", "bytes of one column access")
    data_rate_mt_per_s: float | None = unit("MT/s", "transfers of a data pin; sets or checks tCK", default=None, gt=0, le=1e6)
    timing: dict[str, Annotated[float, Field(ge=-1e9, le=1e9)]]
    refresh: RefreshSpec
    currents: CurrentsSpec | None = None
    source: Source

    @field_validator("timing", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        if isinstance(value, dict):
            source = value.get("source", "inherited")
            if not isinstance(source, str) or len(source.strip()) < MIN_SOURCE:
                raise ValueError(f"source must be text of at least {MIN_SOURCE} characters")
            return {
                k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in value.items() if k != "source"
            }
        return value

    @model_validator(mode="after")
    def _shape(self) -> DramSpec:
        if self.row_bytes % self.column_bytes:
            raise ValueError(f"row_bytes {self.row_bytes} B must hold whole columns of column_bytes {self.column_bytes} B")
        for name in ("bank_groups", "banks_per_group", "rows", "row_bytes", "column_bytes", *OUTER_COUNTS.values()):
            value = getattr(self, name)
            if value & (value - 1):
                raise ValueError(f"{name} {value} must be a power of two: it is decoded from address bits")
        if self.bank_groups * self.banks_per_group > MAX_BANKS:
            raise ValueError(
                f"bank_groups x banks_per_group = {self.bank_groups * self.banks_per_group}: at most {MAX_BANKS} banks that share a command"
            )
        levels = STANDARDS[self.standard].levels
        for level, name in OUTER_COUNTS.items():
            if level not in levels and getattr(self, name) > 1:
                raise ValueError(f"{name} {getattr(self, name)}: {self.standard} has none; leave it out")
        if self.data_rate_mt_per_s is not None and not STANDARDS[self.standard].transfers_per_ck:
            raise ValueError(f"data_rate_mt_per_s: transfers a CK of {self.standard} are not stated; give timing.tCK_ns alone")
        return self

    @property
    def organization(self) -> DramOrganization:
        """The shape alone."""
        return DramOrganization(
            self.channels,
            self.bank_groups,
            self.banks_per_group,
            self.rows,
            self.row_bytes,
            self.column_bytes,
            tuple((level, getattr(self, OUTER_COUNTS[level])) for level in STANDARDS[self.standard].levels),
        )


class AllBankActivation(SpecModel):
    """How ACT_AB opens a channel's banks: ``grouped_by`` banks a command, within tFAW or not."""

    grouped_by: Count = unit("banks", "banks that one ACT_AB opens")
    obey_tFAW: bool = unit("1", "whether ACT_AB counts as activates within tFAW")
    source: Source


class PimSpec(SpecModel):
    """MAC units, global buffer and accumulators of a channel."""

    mac_lanes: Annotated[int, Field(ge=1, le=1024)] = unit("multipliers", "16-bit multipliers of one MAC unit")
    mac_dtype: Literal["bf16", "fp16"] = unit("1", "format of weights and inputs")
    accumulate: Literal["fp32", "bf16"] = unit("1", "format of the accumulators")
    result_dtype: Literal["fp32", "bf16"] = unit("1", "format in which RD_MAC hands over results")
    global_buffer_bytes: Annotated[int, Field(ge=2, le=1 << 24)] = unit("B", "input vector buffer of a channel, for each vector")
    accumulators_per_bank: Annotated[int, Field(ge=1, le=64)] = unit(
        "accumulators", "results a MAC unit can hold, for each vector"
    )
    vectors_per_column: Annotated[int, Field(ge=1, le=64)] = unit(
        "vectors", "vectors multiplied with one column read; buffer and accumulators are for each", default=1
    )
    all_bank_activation: AllBankActivation
    source: Source

    @property
    def result_bytes(self) -> int:
        """Bytes of one accumulator as RD_MAC reads it."""
        return 4 if self.result_dtype == "fp32" else 2


class AsicSpec(SpecModel):
    """Arithmetic, memory and approximations of the ASIC."""

    clock_ghz: float = unit("GHz", "clock", ge=1e-6, le=100)
    sram_kib: float = unit("KiB", "on-chip memory", gt=0, le=1 << 20)
    adders: Annotated[int, Field(ge=1, le=1 << 20)] = unit("adders", "adders that work side by side")
    multipliers: Annotated[int, Field(ge=1, le=1 << 20)] = unit("multipliers", "multipliers that work side by side")
    adder_stages: Annotated[int, Field(ge=1, le=64)] = unit("cycles", "pipeline depth of an adder")
    multiplier_stages: Annotated[int, Field(ge=1, le=64)] = unit("cycles", "pipeline depth of a multiplier")
    instruction_overhead_cycles: Annotated[int, Field(ge=0, le=10000)] = unit("cycles", "fetch and decode of an instruction")
    exp_taylor_terms: Annotated[int, Field(ge=1, le=32)] = unit("terms", "terms of the Taylor series of exp in softmax")
    gelu_taylor_terms: Annotated[int, Field(ge=1, le=32)] = unit(
        "terms", "terms of the Taylor series of exp in GELU and other activations"
    )
    rotary_taylor_terms: Annotated[int, Field(ge=1, le=16)] = unit(
        "terms", "terms of the Taylor series of sine and cosine in rotations", default=5
    )
    reciprocal_newton_steps: Annotated[int, Field(ge=0, le=16)] = unit("steps", "Newton-Raphson steps of a reciprocal")
    rsqrt_newton_steps: Annotated[int, Field(ge=0, le=16)] = unit("steps", "Newton steps after the fast inverse square root")
    source: Source


class LinkSpec(SpecModel):
    """Pins between the ASIC and one channel."""

    pins_per_channel: Annotated[int, Field(ge=1, le=4096)] = unit("pins", "data pins of a channel")
    gbit_per_s_per_pin: float = unit("Gb/s", "data rate of a pin", ge=1e-6, le=1000)
    source: Source

    @property
    def gbit_per_s(self) -> float:
        """Data rate of one channel's pins in Gb/s."""
        return self.pins_per_channel * self.gbit_per_s_per_pin


class ControllerSpec(SpecModel):
    """Issue order: ``serial`` starts an instruction when ASIC and PIM are idle, ``overlap`` when its inputs are there."""

    issue: Literal["serial", "overlap"] = unit("1", "when an instruction may start: both units idle, or its inputs there")
    quirks: Literal["none", "aim_simulator"] = unit("1", "whose controller behaviour, faults included", default="none")
    source: Source


class EnergySpec(SpecModel):
    """Energy constants beside the IDD currents."""

    mac_pj: NonNegativeBand = unit("pJ", "one multiply-accumulate in a bank's MAC unit")
    internal_read_fraction: Fraction = unit("1", "part of a burst read's energy spent inside a bank, per bank of a MAC")
    io_pj_per_bit: NonNegativeBand = unit("pJ/bit", "pins and receivers of the link")
    global_buffer_pj_per_byte: NonNegativeBand = unit("pJ/B", "writing or broadcasting one byte of the global buffer")
    asic_power_mw: NonNegativeBand = unit("mW", "whole ASIC at full activity and 1 GHz")
    asic_static_fraction: Fraction = unit("1", "part of the ASIC's power that is spent when idle")
    source: Source


class HardwareSpec(SpecModel):
    """A validated hardware description. ``pim``, ``asic``, ``link`` and the rest are absent in a plain DRAM."""

    name: Name
    description: str = ""
    source: Source
    dram: DramSpec
    pim: PimSpec | None = None
    asic: AsicSpec | None = None
    link: LinkSpec | None = None
    controller: ControllerSpec | None = None
    mapping: str | None = unit("1", "mapping policy", default=None)
    energy: EnergySpec | None = None
    area: AreaSpec | None = None
    costs: CostSpec | None = None

    @property
    def beyond_costs(self) -> str:
        """What lies outside the range that the laws of ``costs`` are taken for, where they are extrapolated; empty if nothing does."""
        if self.asic is None or self.costs is None:
            return ""
        asic = self.asic
        speed = self.costs.asic_speed(asic.clock_ghz, asic.adder_stages, asic.multiplier_stages)
        if speed <= self.costs.max_speed * (1 + 1e-9):
            return ""
        return (
            f"asic.clock_ghz {asic.clock_ghz:g} GHz with {asic.adder_stages} adder and {asic.multiplier_stages} multiplier stages "
            f"needs gates {speed:.3g} times as fast as the described design's; the laws of costs are taken for up to "
            f"{self.costs.max_speed:g} (costs.max_speed) and extrapolated beyond"
        )

    @model_validator(mode="after")
    def _pim_shape(self) -> HardwareSpec:
        if self.pim is None:
            return self
        organization = self.dram.organization
        grouped_by = self.pim.all_bank_activation.grouped_by
        if grouped_by not in (organization.banks, organization.banks_per_group):
            raise ValueError(
                f"pim.all_bank_activation.grouped_by {grouped_by} must be {organization.banks} (all banks at once) "
                f"or {organization.banks_per_group} (a bank group at a time)"
            )
        if self.pim.all_bank_activation.obey_tFAW and grouped_by > 4:
            raise ValueError(f"pim.all_bank_activation: {grouped_by} banks in one command cannot obey tFAW (four in a window)")
        if self.pim.mac_lanes * 2 != self.dram.column_bytes:
            raise ValueError(
                f"pim.mac_lanes {self.pim.mac_lanes} 16-bit numbers need dram.column_bytes {self.pim.mac_lanes * 2} B, not {self.dram.column_bytes} B"
            )
        if self.pim.global_buffer_bytes % self.dram.column_bytes:
            raise ValueError(f"pim.global_buffer_bytes {self.pim.global_buffer_bytes} B must hold whole columns")
        return self
