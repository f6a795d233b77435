"""PIM commands on top of a DRAM standard: all-bank activation, MAC, global buffer, accumulators; rules included.

The rules extend GDDR6 the way its own are written: all-bank commands meet others at channel scope. Sources: command
set after PIM-GPT and GDDR6-AiM; gaps are the plain standard's where a PIM command uses the same resource (a MAC_AB
is a column read in every bank), otherwise a parameter of its own, which the hardware file must source.
"""

from __future__ import annotations

from pimsim.dram.commands import BANK_GROUP, CHANNEL, Command
from pimsim.dram.rules import TimingRule, rule
from pimsim.dram.standard import Parameter, Standard

PARAMETERS = (
    Parameter("nRCDMAC", "all-bank activate to MAC", umbrella="nRCD", default="nRCDRD"),
    Parameter("nCCDMAC", "MAC to MAC", umbrella="nCCD", default="nCCDS"),
    Parameter("nMACRD", "last MAC to accumulator read: adder tree and accumulator pipeline"),
    Parameter("nWLGB", "write latency into global buffer or accumulators", default="1"),
    Parameter("nRLMAC", "read latency of the accumulators", default="1"),
)


def pim_commands(grouped: bool) -> tuple[Command, ...]:
    """The PIM commands; ``grouped`` activation opens one bank group per ACT_AB instead of all banks."""
    return (
        Command("ACT_AB", BANK_GROUP if grouped else CHANNEL, row="open"),
        Command("MAC_AB", CHANNEL, row="column", latency="nMACRD", cause="mac"),
        Command("WR_GB", CHANNEL, bus="write", latency="nWLGB + nLINK", cause="broadcast", register=True),
        Command("WR_BIAS", CHANNEL, bus="write", latency="nWLGB + nLINK", cause="broadcast", register=True),
        Command("RD_MAC", CHANNEL, bus="read", latency="nRLMAC + nLINKMAC", cause="readout", register=True),
    )


_ARRAY_RULES = (
    rule("channel", "ACT_AB", "MAC_AB", "nRCDMAC"),
    rule("channel", "ACT_AB", "RD RDA", "nRCDRD"),
    rule("channel", "ACT_AB", "WR WRA", "nRCDWR"),
    rule("channel", "ACT_AB", "PREab PREpb", "nRAS"),
    rule("channel", "ACT_AB", "ACT REFab REFpb", "nRC"),
    rule("channel", "ACT", "ACT_AB", "nRC"),
    rule("channel", "ACT", "MAC_AB", "nRCDMAC"),
    rule("channel", "PREab PREpb", "ACT_AB", "nRP"),
    rule("channel", "PREpb", "REFab", "nRP"),
    rule("channel", "RDA", "ACT_AB", "nRTP + nRP"),
    rule("channel", "WRA", "ACT_AB", "nCWL + nBL + nWR + nRP"),
    rule("channel", "MAC_AB", "MAC_AB RD RDA WR WRA", "nCCDMAC"),
    rule("channel", "MAC_AB", "PREab PREpb", "nRTP"),
    rule("channel", "RD RDA", "MAC_AB", "nCCDS"),
    rule("channel", "WR WRA", "MAC_AB", "nCWL + nBL + nWTRL"),
)

_REGISTER_RULES = (
    rule("channel", "MAC_AB", "RD_MAC", "nMACRD"),
    rule("channel", "WR_GB WR_BIAS", "WR_GB WR_BIAS WR WRA", "nLINK"),
    rule("channel", "WR_GB WR_BIAS", "MAC_AB", "nWLGB + nLINK"),
    rule("channel", "WR_GB WR_BIAS", "RD_MAC RD RDA", "nWLGB + nLINK + nWTRS"),
    rule("channel", "RD_MAC", "RD_MAC RD RDA", "nLINKMAC"),
    rule("channel", "RD_MAC", "WR_GB WR_BIAS WR WRA", "nRLMAC + nLINKMAC"),
    rule("channel", "RD RDA", "RD_MAC", "max(nCCDS, nCL + nBL - nRLMAC)"),
    rule("channel", "RD RDA", "WR_GB WR_BIAS", "nCL + nBL"),
    rule("channel", "WR WRA", "WR_GB WR_BIAS", "nCWL + nBL"),
    rule("channel", "WR WRA", "RD_MAC", "nCWL + nBL + nWTRS"),
)

_REFRESH_RULES = (
    rule("channel", "REFab", "ACT_AB MAC_AB WR_GB WR_BIAS RD_MAC", "nRFCab"),
    rule("channel", "REFpb", "ACT_AB", "nRFCpb"),
)

_WHOLE_CHANNEL_RULES = (rule("channel", "ACT_AB", "ACT_AB", "nRC"),)
_GROUPED_RULES = (
    rule("channel", "ACT_AB", "ACT_AB", "nRRDS"),
    rule("bank_group", "ACT_AB", "ACT_AB", "nRC"),
)
_FAW_RULES = (
    rule("channel", "ACT_AB", "ACT_AB ACT", "nFAW"),
    rule("channel", "ACT", "ACT_AB", "nFAW"),
)


def pim_rules(grouped: bool, obey_tfaw: bool) -> tuple[TimingRule, ...]:
    """Rules of the PIM commands; with ``obey_tfaw`` each group activation fills one whole tFAW window."""
    activation = _GROUPED_RULES if grouped else _WHOLE_CHANNEL_RULES
    return _ARRAY_RULES + _REGISTER_RULES + _REFRESH_RULES + activation + (_FAW_RULES if obey_tfaw else ())


def with_pim(base: Standard, grouped: bool, obey_tfaw: bool) -> Standard:
    """``base`` with a MAC unit in every bank."""
    return base.extended(f"{base.name}_PIM", pim_commands(grouped), PARAMETERS, pim_rules(grouped, obey_tfaw))
