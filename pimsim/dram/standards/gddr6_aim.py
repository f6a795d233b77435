"""GDDR6 with a MAC unit in every bank (SK hynix GDDR6-AiM): its commands, parameters and timing rules.

Gaps follow the ``GDDR6_AiM`` model of aim_simulator @ 0f28a07, written as expressions over its timing parameters. Rules
about refresh follow JESD250 (GDDR6) where that model has none. The gaps before ``RD_MAC`` and ``RD_AF`` that it lacks
(adder tree, activation function) are parameters whose defaults change nothing.
"""

from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, Command
from pimsim.dram.rules import TimingRule, rule
from pimsim.dram.standard import Parameter, Standard

NAME = "GDDR6_AiM"

PARAMETERS = (
    Parameter("nBL", "burst: data-bus cycles of one column access", default="nLINK"),
    Parameter("nCL", "read latency"),
    Parameter("nCWL", "write latency"),
    Parameter("nCCDS", "column to column, other bank group", umbrella="nCCD"),
    Parameter("nCCDL", "column to column, same bank group or all banks", umbrella="nCCD"),
    Parameter("nRCDRD", "activate to read", umbrella="nRCD"),
    Parameter("nRCDWR", "activate to write", umbrella="nRCD"),
    Parameter("nRCDRDMAC", "activate to MAC", umbrella="nRCD", default="nRCDRD"),
    Parameter("nRCDEWMUL", "activate to element-wise multiplication", umbrella="nRCD", default="nRCDRD"),
    Parameter("nRCDRDAF", "activate to activation-function look-up", umbrella="nRCD", default="nRCDRD"),
    Parameter("nRCDRDCP", "activate to copy from a bank", umbrella="nRCD", default="nRCDRD"),
    Parameter("nRCDWRCP", "activate to copy into a bank", umbrella="nRCD", default="nRCDWR"),
    Parameter("nRP", "precharge to activate"),
    Parameter("nRAS", "activate to precharge"),
    Parameter("nRC", "activate to activate, same bank", default="nRAS + nRP"),
    Parameter("nWR", "end of write data to precharge"),
    Parameter("nRTP", "read to precharge"),
    Parameter("nRRDS", "activate to activate, other bank group", umbrella="nRRD"),
    Parameter("nRRDL", "activate to activate, same bank group", umbrella="nRRD"),
    Parameter("nWTRS", "end of write data to read, other bank group", umbrella="nWTR"),
    Parameter("nWTRL", "end of write data to read, same bank group", umbrella="nWTR"),
    Parameter("nFAW", "window of at most four activates, where all-bank activation obeys it"),
    Parameter("nCLREG", "read latency of accumulators and activation results"),
    Parameter("nCWLREG", "write latency into accumulators"),
    Parameter("nCWLGB", "write latency into the global buffer"),
    Parameter("nWPRE", "write preamble"),
    Parameter("nMODCH", "mode change between array and register commands"),
    Parameter("nMACRD", "last MAC to accumulator read: adder tree and accumulator pipeline", default="nCCDS"),
    Parameter("nAFRD", "activation function to result read", default="0"),
    Parameter("nRFCab", "all-bank refresh", umbrella="nRFC"),
    Parameter("nRFCpb", "per-bank refresh", umbrella="nRFC"),
    Parameter("nRREFD", "per-bank refresh to activate or refresh of another bank", default="nRRDS"),
    Parameter("nREFI", "mean interval between all-bank refreshes"),
)


def _commands(grouped: bool) -> tuple[Command, ...]:
    return (
        Command("ACT", BANK, row="open"),
        Command("PREpb", BANK, row="close"),
        Command("PREab", CHANNEL, row="close"),
        Command("RD", BANK, row="column", bus="read", latency="nCL + nBL", cause="readout"),
        Command("WR", BANK, row="column", bus="write", latency="nCWL + nBL", cause="kv_write"),
        Command("RDA", BANK, row="column_close", bus="read", latency="nCL + nBL", cause="readout"),
        Command("WRA", BANK, row="column_close", bus="write", latency="nCWL + nBL", cause="kv_write"),
        Command("REFab", CHANNEL, row="refresh", latency="nRFCab", cause="refresh"),
        Command("REFpb", BANK, row="refresh", latency="nRFCpb", cause="refresh"),
        Command("ACT_AB", BANK_GROUP if grouped else CHANNEL, row="open"),
        Command("MAC_AB", CHANNEL, row="column", cause="mac"),
        Command("MAC_SB", BANK, row="column", cause="mac"),
        Command("AF_AB", CHANNEL, row="column", cause="mac"),
        Command("EWMUL_AB", CHANNEL, row="column", cause="mac"),
        Command("RD_CP", BANK, row="column", cause="broadcast"),
        Command("WR_CP", BANK, row="column", cause="kv_write"),
        Command("WR_GB", CHANNEL, bus="write", latency="nCWLGB + nBL", cause="broadcast", register=True),
        Command("WR_BIAS", CHANNEL, bus="write", latency="nCWLREG + nBL", cause="broadcast", register=True),
        Command("RD_MAC", CHANNEL, bus="read", latency="nCLREG + nBL", cause="readout", register=True),
        Command("RD_AF", CHANNEL, bus="read", latency="nCLREG + nBL", cause="readout", register=True),
        Command("WRA_AB", CHANNEL, row="column_close", bus="write", latency="nCWL + nBL + nRP", cause="kv_write"),
        Command("TMOD", CHANNEL, latency="nMODCH", cause="turnaround"),
    )


_BANK_READS = "RD RDA MAC_SB RD_CP"
_ALL_READS = "MAC_AB RD_MAC RD_AF"
_WRITES = "WR WRA WRA_AB WR_GB WR_CP WR_BIAS"
_EVERY_BUT_TMOD = " ".join(command.name for command in _commands(False) if command.name != "TMOD")

_COLUMN_RULES = (
    rule("channel", "RD RDA RD_MAC RD_AF", "RD RDA RD_MAC RD_AF", "nBL"),
    rule("channel", f"{_BANK_READS} {_ALL_READS}", f"{_BANK_READS} {_ALL_READS}", "nCCDS"),
    rule("channel", f"{_BANK_READS} {_ALL_READS} EWMUL_AB", f"{_ALL_READS} EWMUL_AB", "nCCDL"),
    rule("channel", f"{_ALL_READS} EWMUL_AB", _BANK_READS, "nCCDL"),
    rule("channel", "WR WRA WRA_AB WR_GB WR_BIAS", "WR WRA WRA_AB WR_GB WR_BIAS", "nBL"),
    rule("channel", _WRITES, _WRITES, "nCCDS"),
    rule("channel", "WR WRA WR_CP WR_BIAS WRA_AB EWMUL_AB", "WRA_AB WR_BIAS EWMUL_AB", "nCCDL"),
    rule("channel", "WR_BIAS WRA_AB EWMUL_AB", "WR WRA WR_CP", "nCCDL"),
    rule("bank_group", _BANK_READS, _BANK_READS, "nCCDL"),
    rule("bank_group", "WR WRA WR_CP", "WR WRA WR_CP", "nCCDL"),
)

_TURNAROUND_RULES = (
    rule("channel", "RD RDA", "WR WRA WRA_AB", "nCL + nBL + 3 - nCWL + nWPRE"),
    rule("channel", "RD RDA", "WR_GB", "nCL + nBL + 3 - nCWLGB + nWPRE"),
    rule("channel", "RD RDA", "WR_BIAS", "nCL + nBL + 3 - nCWLREG + nWPRE"),
    rule("channel", "RD_MAC RD_AF", "WR WRA WRA_AB", "nCLREG + nBL + 3 - nCWL + nWPRE"),
    rule("channel", "RD_MAC RD_AF", "WR_GB", "nCLREG + nBL + 3 - nCWLGB + nWPRE"),
    rule("channel", "RD_MAC RD_AF", "WR_BIAS", "nCLREG + nBL + 3 - nCWLREG + nWPRE"),
    rule("channel", "WR WRA WRA_AB", "RD RDA RD_MAC RD_AF", "nCWL + nBL + nWTRS"),
    rule("channel", "WR WRA WRA_AB", "RD_MAC RD_AF", "nCWL + nBL + nWTRL"),
    rule("channel", "WRA_AB", "RD RDA", "nCWL + nBL + nWTRL"),
    rule("channel", "WR_GB", "RD RDA RD_MAC RD_AF", "nCWLGB + nBL + nWTRS"),
    rule("channel", "WR_BIAS", "RD RDA RD_MAC RD_AF", "nCWLREG + nBL + nWTRS"),
    rule("channel", "WR_BIAS", "RD RDA RD_MAC RD_AF", "nCWLREG + nBL + nWTRL"),
    rule("bank_group", "WR WRA", "RD RDA", "nCWL + nBL + nWTRL"),
    rule("channel", "MAC_AB", "RD_MAC", "nMACRD"),
    rule("channel", "AF_AB", "RD_AF", "nAFRD"),
    rule("channel", "TMOD", _EVERY_BUT_TMOD, "nMODCH"),
)

_ACTIVATE_RULES = (
    rule("channel", "ACT", "ACT", "nRRDS"),
    rule("bank_group", "ACT", "ACT", "nRRDL"),
    rule("bank", "ACT", "ACT", "nRC"),
    rule("bank", "ACT", "PREpb", "nRAS"),
    rule("bank", "ACT", "RD RDA", "nRCDRD"),
    rule("bank", "ACT", "WR WRA", "nRCDWR"),
    rule("bank", "ACT", "MAC_SB", "nRCDRDMAC"),
    rule("bank", "ACT", "RD_CP", "nRCDRDCP"),
    rule("bank", "ACT", "WR_CP", "nRCDWRCP"),
    rule("channel", "ACT ACT_AB", "PREab", "nRAS"),
    rule("channel", "ACT ACT_AB", "MAC_AB", "nRCDRDMAC"),
    rule("channel", "ACT ACT_AB", "AF_AB", "nRCDRDAF"),
    rule("channel", "ACT ACT_AB", "EWMUL_AB", "nRCDEWMUL"),
    rule("channel", "ACT ACT_AB", "WRA_AB", "nRCDWR"),
)

_PRECHARGE_RULES = (
    rule("channel", "PREab", "ACT ACT_AB PREpb PREab", "nRP"),
    rule("channel", "PREpb", "PREab", "nRP"),
    rule("bank", "PREpb", "ACT PREpb", "nRP"),
    rule("bank", "RD MAC_SB RD_CP", "PREpb", "nRTP"),
    rule("channel", "RD MAC_SB RD_CP", "PREab", "nRTP"),
    rule("channel", "MAC_AB AF_AB EWMUL_AB", "PREpb PREab", "nRTP"),
    rule("channel", "EWMUL_AB", "PREpb PREab", "nCWL + nWR"),
    rule("bank", "WR WR_CP", "PREpb", "nCWL + nBL + nWR"),
    rule("channel", "WR WR_CP", "PREab", "nCWL + nBL + nWR"),
    rule("bank", "RDA", "ACT", "nRTP + nRP"),
    rule("channel", "RDA", "ACT_AB", "nRTP + nRP"),
    rule("bank", "WRA", "ACT", "nCWL + nBL + nWR + nRP"),
    rule("channel", "WRA", "ACT_AB", "nCWL + nBL + nWR + nRP"),
    rule("channel", "WRA_AB", "ACT ACT_AB", "nCWL + nBL + nWR + nRP"),
)

_REFRESH_RULES = (
    rule("channel", "ACT ACT_AB", "REFab", "nRC"),
    rule("channel", "PREab PREpb", "REFab", "nRP"),
    rule("channel", "RDA", "REFab", "nRTP + nRP"),
    rule("channel", "WRA WRA_AB", "REFab", "nCWL + nBL + nWR + nRP"),
    rule("channel", "REFab", f"{_EVERY_BUT_TMOD} TMOD", "nRFCab"),
    rule("channel", "REFpb", "REFab ACT_AB", "nRFCpb"),
    rule("channel", "REFpb", "ACT REFpb", "nRREFD"),
    rule("channel", "ACT ACT_AB", "REFpb", "nRRDL"),
    rule("channel", "ACT_AB", "REFpb", "nRC"),
    rule("channel", "PREab", "REFpb", "nRP"),
    rule("channel", "WRA_AB", "REFpb", "nCWL + nBL + nWR + nRP"),
    rule("bank", "ACT", "REFpb", "nRC"),
    rule("bank", "PREpb", "REFpb", "nRP"),
    rule("bank", "RDA", "REFpb", "nRTP + nRP"),
    rule("bank", "WRA", "REFpb", "nCWL + nBL + nWR + nRP"),
    rule("bank", "REFpb", "ACT REFpb", "nRFCpb"),
)

_FAW_RULES = (
    rule("channel", "ACT", "ACT REFpb", "nFAW", window=4),
    rule("channel", "REFpb", "ACT REFpb", "nFAW", window=4),
    rule("channel", "ACT_AB", "ACT_AB ACT REFpb", "nFAW"),
    rule("channel", "ACT REFpb", "ACT_AB", "nFAW"),
)


def _activation_rules(grouped: bool) -> tuple[TimingRule, ...]:
    """What an all-bank activation shares with single banks: the whole channel, or its bank group."""
    scope = "bank_group" if grouped else "channel"
    return (
        rule("channel", "ACT ACT_AB", "ACT_AB", "nRRDS" if grouped else "nRRDL"),
        rule("channel", "ACT_AB", "ACT", "nRRDS" if grouped else "nRRDL"),
        rule(scope, "ACT ACT_AB", "ACT_AB", "max(nRRDL, nRC)"),
        rule(scope, "ACT_AB", "ACT", "max(nRRDL, nRC)"),
        rule(scope, "ACT_AB", "PREpb", "nRAS"),
        rule(scope, "ACT_AB", "RD RDA", "nRCDRD"),
        rule(scope, "ACT_AB", "WR WRA", "nRCDWR"),
        rule(scope, "ACT_AB", "MAC_SB", "nRCDRDMAC"),
        rule(scope, "ACT_AB", "RD_CP", "nRCDRDCP"),
        rule(scope, "ACT_AB", "WR_CP", "nRCDWRCP"),
        rule(scope, "PREpb", "ACT_AB", "nRP"),
    )


def gddr6_aim(grouped: bool = False, obey_tfaw: bool = False) -> Standard:
    """The standard. ``grouped``: ACT_AB opens one bank group. ``obey_tfaw``: activates respect tFAW, a group filling it."""
    fixed = _COLUMN_RULES + _TURNAROUND_RULES + _ACTIVATE_RULES + _PRECHARGE_RULES + _REFRESH_RULES
    varied = _activation_rules(grouped) + (_FAW_RULES if obey_tfaw else ())
    return Standard(NAME, _commands(grouped), PARAMETERS, fixed + varied, mode_switch="TMOD")


GDDR6_AIM = gddr6_aim()
