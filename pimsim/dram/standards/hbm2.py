"""HBM2 (JESD235): pseudo channels that share a row and a column command bus, an activation of two CK, refresh per bank."""

from pimsim.dram.commands import BANK, PSEUDO_CHANNEL, Command
from pimsim.dram.rules import rule
from pimsim.dram.standard import Parameter, Standard

_ROW, _COLUMN = "row", "column"

COMMANDS = (
    Command("ACT", BANK, row="open", command_bus=_ROW, held_ck=2),
    Command("PREpb", BANK, row="close", command_bus=_ROW),
    Command("PREab", PSEUDO_CHANNEL, row="close", command_bus=_ROW),
    Command("RD", BANK, row="column", bus="read", latency="nCL + nBL", cause="readout", command_bus=_COLUMN),
    Command("WR", BANK, row="column", bus="write", latency="nCWL + nBL", cause="kv_write", command_bus=_COLUMN),
    Command("RDA", BANK, row="column_close", bus="read", latency="nCL + nBL", cause="readout", command_bus=_COLUMN),
    Command("WRA", BANK, row="column_close", bus="write", latency="nCWL + nBL", cause="kv_write", command_bus=_COLUMN),
    Command("REFab", PSEUDO_CHANNEL, row="refresh", latency="nRFC", cause="refresh", command_bus=_ROW),
    Command("REFpb", BANK, row="refresh", latency="nRFCpb", cause="refresh", command_bus=_ROW),
)

PARAMETERS = (
    Parameter("nBL", "burst: data-bus cycles of one column access", default="nLINK"),
    Parameter("nCL", "read latency"),
    Parameter("nCWL", "write latency"),
    Parameter("nCCDS", "column to column, other bank group", umbrella="nCCD"),
    Parameter("nCCDL", "column to column, same bank group", umbrella="nCCD"),
    Parameter("nRCDRD", "activate to read", umbrella="nRCD"),
    Parameter("nRCDWR", "activate to write", umbrella="nRCD"),
    Parameter("nRP", "precharge to activate"),
    Parameter("nRAS", "activate to precharge"),
    Parameter("nRC", "activate to activate, same bank", default="nRAS + nRP"),
    Parameter("nWR", "end of write data to precharge"),
    Parameter("nRTPL", "read to precharge", umbrella="nRTP"),
    Parameter("nRRDS", "activate to activate, other bank group", umbrella="nRRD"),
    Parameter("nRRDL", "activate to activate, same bank group", umbrella="nRRD"),
    Parameter("nWTRS", "end of write data to read, other bank group", umbrella="nWTR"),
    Parameter("nWTRL", "end of write data to read, same bank group", umbrella="nWTR"),
    Parameter("nFAW", "window of at most four activates"),
    Parameter("nRFC", "all-bank refresh"),
    Parameter("nRFCpb", "per-bank refresh"),
    Parameter("nRREFD", "per-bank refresh to activate or refresh of another bank", default="nRRDS"),
    Parameter("nREFI", "mean interval between all-bank refreshes"),
)

# Scope, preceding, following, gap, window and sibling follow the JEDEC standard as tabulated by public simulators (Ramulator 2.1).
RULES = (
    rule("pseudo_channel", "RD RDA", "RD RDA", "nBL"),
    rule("pseudo_channel", "WR WRA", "WR WRA", "nBL"),
    rule("pseudo_channel", "RD RDA", "RD RDA", "nCCDS"),
    rule("pseudo_channel", "WR WRA", "WR WRA", "nCCDS"),
    rule("pseudo_channel", "RD RDA", "WR WRA", "nCL + nBL + 2 - nCWL"),
    rule("pseudo_channel", "WR WRA", "RD RDA", "nCWL + nBL + nWTRS"),
    rule("pseudo_channel", "RD", "PREab", "nRTPL"),
    rule("pseudo_channel", "WR", "PREab", "nCWL + nBL + nWR"),
    rule("pseudo_channel", "ACT", "ACT", "nRRDS"),
    rule("pseudo_channel", "ACT", "ACT", "nFAW", window=4),
    rule("pseudo_channel", "ACT", "PREab", "nRAS"),
    rule("pseudo_channel", "PREab", "ACT", "nRP"),
    rule("pseudo_channel", "ACT", "REFab", "nRC"),
    rule("pseudo_channel", "PREpb PREab", "REFab", "nRP"),
    rule("pseudo_channel", "RDA", "REFab", "nRP + nRTPL"),
    rule("pseudo_channel", "WRA", "REFab", "nCWL + nBL + nWR + nRP"),
    rule("pseudo_channel", "REFab", "ACT PREab", "nRFC"),
    rule("pseudo_channel", "REFpb", "ACT", "nRREFD"),
    rule("pseudo_channel", "ACT", "REFpb", "nRRDS"),
    rule("bank_group", "RD RDA", "RD RDA", "nCCDL"),
    rule("bank_group", "WR WRA", "WR WRA", "nCCDL"),
    rule("bank_group", "WR WRA", "RD RDA", "nCWL + nBL + nWTRL"),
    rule("bank_group", "ACT", "ACT", "nRRDL"),
    rule("bank", "ACT", "ACT", "nRC"),
    rule("bank", "ACT", "RD RDA", "nRCDRD"),
    rule("bank", "ACT", "WR WRA", "nRCDWR"),
    rule("bank", "ACT", "PREpb", "nRAS"),
    rule("bank", "PREpb", "ACT", "nRP"),
    rule("bank", "RD", "PREpb", "nRTPL"),
    rule("bank", "WR", "PREpb", "nCWL + nBL + nWR"),
    rule("bank", "RDA", "ACT", "nRTPL + nRP"),
    rule("bank", "WRA", "ACT", "nCWL + nBL + nWR + nRP"),
    rule("bank", "REFpb", "ACT", "nRFCpb"),
    rule("bank", "ACT", "REFpb", "nRC"),
    rule("bank", "PREpb", "REFpb", "nRP"),
)

# What JEDEC has and the reference's set lacks.
ADDED_RULES = (
    rule("pseudo_channel", "REFpb", "REFpb", "nRREFD"),
    rule("pseudo_channel", "PREab", "REFpb", "nRP"),
    rule("pseudo_channel", "REFab", "REFab REFpb", "nRFC"),
    rule("pseudo_channel", "REFpb", "REFab", "nRFCpb"),
    rule("bank_group", "ACT", "REFpb", "nRRDL"),
    rule("bank", "RDA", "REFpb", "nRTPL + nRP"),
    rule("bank", "WRA", "REFpb", "nCWL + nBL + nWR + nRP"),
    rule("bank", "REFpb", "REFpb", "nRFCpb"),
)

HBM2 = Standard(
    "HBM2",
    COMMANDS,
    PARAMETERS,
    RULES,
    levels=(PSEUDO_CHANNEL,),
    added_rules=ADDED_RULES,
    beats_per_column=4,
    transfers_per_ck=2,
)
