"""PIM commands on top of a DRAM standard: all-bank activation, MAC, global buffer, accumulators; rules included.

The rules extend a standard the way its own are written: all-bank commands meet others at channel scope, activations go over the
bus of its activations, column and buffer commands over that of its reads; a refresh and a precharge after a read take what they take there. Sources: command
set after PIM-GPT and GDDR6-AiM; gaps are the plain standard's where a PIM command uses the same resource (a MAC_AB
is a column read in every bank), otherwise a parameter of its own, which the hardware file must source.
"""

from __future__ import annotations

from dataclasses import replace

from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, OUTER_LEVELS, Command
from pimsim.dram.rules import TimingRule, rule
from pimsim.dram.standard import Parameter, Standard
from pimsim.errors import ConfigError

PARAMETERS = (
    Parameter("nRCDMAC", "all-bank activate to MAC", umbrella="nRCD", default="nRCDRD"),
    Parameter("nCCDMAC", "MAC to MAC", umbrella="nCCD", default="nCCDS"),
    Parameter("nMACRD", "last MAC to accumulator read: adder tree and accumulator pipeline"),
    Parameter("nWLGB", "write latency into global buffer or accumulators", default="1"),
    Parameter("nRLMAC", "read latency of the accumulators", default="1"),
)


def pim_commands(base: Standard, grouped: bool) -> tuple[Command, ...]:
    """The PIM commands; ``grouped`` activation opens one bank group per ACT_AB instead of all banks."""
    act, read = base.command("ACT"), base.command("RD")
    columns = (
        Command("MAC_AB", CHANNEL, row="column", latency="nMACRD", cause="mac"),
        Command("WR_GB", CHANNEL, bus="write", latency="nWLGB + nLINK", cause="broadcast", register=True),
        Command("WR_BIAS", CHANNEL, bus="write", latency="nWLGB + nLINK", cause="broadcast", register=True),
        Command("RD_MAC", CHANNEL, bus="read", latency="nRLMAC + nLINKMAC", cause="readout", register=True),
    )
    opening = Command("ACT_AB", BANK_GROUP if grouped else CHANNEL, row="open", command_bus=act.command_bus, held_ck=act.held_ck)
    return (opening, *(replace(command, command_bus=read.command_bus) for command in columns))


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
    rule("channel", "WRA", "ACT_AB", "nCWL + nBL + nWR + nRP"),
    rule("channel", "MAC_AB", "MAC_AB RD RDA WR WRA", "nCCDMAC"),
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


def _own_rules(base: Standard) -> tuple[TimingRule, ...]:
    """What follows the standard's own names: precharge after a read, and refreshes."""
    to_precharge = next(r.gap for r in base.rules if r.scope == BANK and "RD" in r.preceding and "PREpb" in r.following)
    return (
        rule("channel", "RDA", "ACT_AB", f"{to_precharge} + nRP"),
        rule("channel", "MAC_AB", "PREab PREpb", to_precharge),
        rule("channel", "REFab", "ACT_AB MAC_AB WR_GB WR_BIAS RD_MAC", base.command("REFab").latency),
        rule("channel", "REFpb", "ACT_AB", base.command("REFpb").latency),
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


def pim_rules(base: Standard, grouped: bool, obey_tfaw: bool) -> tuple[TimingRule, ...]:
    """Rules of the PIM commands that ``base`` lacks; with ``obey_tfaw`` each group activation fills one whole tFAW window."""
    activation = _GROUPED_RULES if grouped else _WHOLE_CHANNEL_RULES
    rules = _ARRAY_RULES + _REGISTER_RULES + _own_rules(base) + activation + (_FAW_RULES if obey_tfaw else ())
    return tuple(added for added in rules if not any(_says(own, added) for own in base.rules))


def _says(own: TimingRule, added: TimingRule) -> bool:
    """Does the standard's ``own`` rule say all that ``added`` does? A channel with MAC units is one pseudo channel, rank and stack."""
    wide = own.scope in (CHANNEL, *OUTER_LEVELS) and not own.sibling and added.scope == CHANNEL
    same = (own.gap, own.window) == (added.gap, added.window)
    return wide and same and set(added.pairs()) <= set(own.pairs())


def with_pim(base: Standard, grouped: bool, obey_tfaw: bool) -> Standard:
    """``base`` with a MAC unit in every bank."""
    missing = {"ACT", "RD", "RDA", "WRA", "PREpb", "PREab", "REFab", "REFpb"} - set(base.command_names)
    if missing:
        raise ConfigError(
            f"dram.standard {base.name}: MAC units need the commands {', '.join(sorted(missing))}, which it has not"
        )
    return base.extended(f"{base.name}_PIM", pim_commands(base, grouped), PARAMETERS, pim_rules(base, grouped, obey_tfaw))
