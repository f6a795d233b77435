"""DDR5 (JESD79-5): column and activate commands of two CK, ranks, refresh of all banks or of one bank of every group."""

from pimsim.dram.commands import BANK, RANK, SAME_BANK, Command
from pimsim.dram.rules import rule
from pimsim.dram.standard import Parameter, Standard

COMMANDS = (
    Command("ACT", BANK, row="open", held_ck=2),
    Command("PREpb", BANK, row="close"),
    Command("PREab", RANK, row="close"),
    Command("RD", BANK, row="column", bus="read", latency="nCL + nBL", cause="readout", held_ck=2),
    Command("WR", BANK, row="column", bus="write", latency="nCWL + nBL", cause="kv_write", held_ck=2),
    Command("RDA", BANK, row="column_close", bus="read", latency="nCL + nBL", cause="readout", held_ck=2),
    Command("WRA", BANK, row="column_close", bus="write", latency="nCWL + nBL", cause="kv_write", held_ck=2),
    Command("REFab", RANK, row="refresh", latency="nRFC", cause="refresh"),
)

PARAMETERS = (
    Parameter("nBL", "burst: data-bus cycles of one column access", default="nLINK"),
    Parameter("nCL", "read latency"),
    Parameter("nCWL", "write latency"),
    Parameter("nCCDS", "read to read, other bank group", umbrella="nCCD"),
    Parameter("nCCDL", "read to read, same bank group", umbrella="nCCD"),
    Parameter("nCCDS_WR", "write to write, other bank group", umbrella="nCCD", default="nCCDS"),
    Parameter("nCCDL_WR", "write to write, same bank group", umbrella="nCCD", default="nCCDL"),
    Parameter("nRCD", "activate to column"),
    Parameter("nRP", "precharge to activate"),
    Parameter("nRAS", "activate to precharge"),
    Parameter("nRC", "activate to activate, same bank", default="nRAS + nRP"),
    Parameter("nWR", "end of write data to precharge"),
    Parameter("nRTP", "read to precharge"),
    Parameter("nRRDS", "activate to activate, other bank group", umbrella="nRRD"),
    Parameter("nRRDL", "activate to activate, same bank group", umbrella="nRRD"),
    Parameter("nWTRS", "end of write data to read, other bank group", umbrella="nWTR"),
    Parameter("nWTRL", "end of write data to read, same bank group", umbrella="nWTR"),
    Parameter("nFAW", "window of at most four activates"),
    Parameter("nPPD", "precharge to precharge", default="1"),
    Parameter("nCS", "between data of two ranks"),
    Parameter("nRFC", "all-bank refresh"),
    Parameter("nRFCsb", "same-bank refresh", default="nRFC"),
    Parameter("nREFSBRD", "same-bank refresh to activate of another bank", default="nRFCsb"),
    Parameter("nREFI", "mean interval between all-bank refreshes"),
)

# Scope, preceding, following, gap, window and sibling follow the JEDEC standard as tabulated by public simulators (Ramulator 2.1).
RULES = (
    rule("channel", "RD RDA", "RD RDA", "nBL"),
    rule("channel", "WR WRA", "WR WRA", "nBL"),
    rule("rank", "RD RDA", "RD RDA", "nCCDS"),
    rule("rank", "WR WRA", "WR WRA", "nCCDS_WR"),
    rule("rank", "RD RDA", "WR WRA", "nCL + nBL + 2 - nCWL + 2"),
    rule("rank", "WR WRA", "RD RDA", "nCWL + nBL + nWTRS"),
    rule("rank", "RD RDA", "RD RDA WR WRA", "nBL + nCS", sibling=True),
    rule("rank", "WR WRA", "RD RDA", "nCWL + nBL + nCS - nCL", sibling=True),
    rule("rank", "RD", "PREab", "nRTP"),
    rule("rank", "WR", "PREab", "nCWL + nBL + nWR"),
    rule("rank", "ACT", "ACT", "nRRDS"),
    rule("rank", "ACT", "ACT", "nFAW", window=4),
    rule("rank", "ACT", "PREab", "nRAS"),
    rule("rank", "PREab", "ACT", "nRP"),
    rule("rank", "PREpb PREab", "PREpb PREab", "nPPD"),
    rule("rank", "ACT", "REFab", "nRC"),
    rule("rank", "PREpb PREab", "REFab", "nRP"),
    rule("rank", "RDA", "REFab", "nRP + nRTP"),
    rule("rank", "WRA", "REFab", "nCWL + nBL + nWR + nRP"),
    rule("rank", "REFab", "ACT PREab", "nRFC"),
    rule("bank_group", "RD RDA", "RD RDA", "nCCDL"),
    rule("bank_group", "WR WRA", "WR WRA", "nCCDL_WR"),
    rule("bank_group", "WR WRA", "RD RDA", "nCWL + nBL + nWTRL"),
    rule("bank_group", "ACT", "ACT", "nRRDL"),
    rule("bank", "ACT", "ACT", "nRC"),
    rule("bank", "ACT", "RD RDA WR WRA", "nRCD"),
    rule("bank", "ACT", "PREpb", "nRAS"),
    rule("bank", "PREpb", "ACT", "nRP"),
    rule("bank", "RD", "PREpb", "nRTP"),
    rule("bank", "WR", "PREpb", "nCWL + nBL + nWR"),
    rule("bank", "RDA", "ACT", "nRTP + nRP"),
    rule("bank", "WRA", "ACT", "nCWL + nBL + nWR + nRP"),
)

# What JEDEC has and the reference's set lacks: precharge and refresh of the same bank in every group.
ADDED_COMMANDS = (
    Command("PREsb", SAME_BANK, row="close"),
    Command("REFsb", SAME_BANK, row="refresh", latency="nRFCsb", cause="refresh"),
)
ADDED_RULES = (
    rule("rank", "REFab", "REFab REFsb PREsb", "nRFC"),
    rule("rank", "REFsb", "REFab REFsb", "nRFCsb"),
    rule("rank", "REFsb", "ACT", "nREFSBRD"),
    rule("rank", "ACT", "REFsb", "nRRDL"),
    rule("rank", "PREab", "REFsb", "nRP"),
    rule("rank", "PREsb", "REFab", "nRP"),
    rule("rank", "PREpb PREab", "PREsb", "nPPD"),
    rule("rank", "PREsb", "PREpb PREab PREsb", "nPPD"),
    rule("same_bank", "REFsb", "ACT", "nRFCsb"),
    rule("same_bank", "ACT", "REFsb", "nRC"),
    rule("same_bank", "PREpb PREsb", "REFsb", "nRP"),
    rule("same_bank", "RDA", "REFsb", "nRTP + nRP"),
    rule("same_bank", "WRA", "REFsb", "nCWL + nBL + nWR + nRP"),
    rule("same_bank", "ACT", "PREsb", "nRAS"),
    rule("same_bank", "RD", "PREsb", "nRTP"),
    rule("same_bank", "WR", "PREsb", "nCWL + nBL + nWR"),
    rule("same_bank", "PREsb", "ACT", "nRP"),
)

DDR5 = Standard(
    "DDR5",
    COMMANDS,
    PARAMETERS,
    RULES,
    levels=(RANK,),
    added_commands=ADDED_COMMANDS,
    added_rules=ADDED_RULES,
    beats_per_column=16,
    transfers_per_ck=2,
)
