"""A standard's rules with their gaps resolved to CK: what engines, auditor and explanations look rules up in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pimsim.dram.commands import CAUSE_INDEX, Command
from pimsim.dram.rules import TimingRule, evaluate_gap
from pimsim.dram.standard import Standard
from pimsim.dram.timing import TimingParams


@dataclass(frozen=True)
class ResolvedRule:
    """One (preceding, following) pair of a rule, with command codes and the gap in CK."""

    scope: str
    preceding: int
    following: int
    gap_ck: int
    window: int
    rule: TimingRule


@dataclass(frozen=True)
class RuleTable:
    """Commands of a standard (their code is their position) and all resolved rules."""

    standard: Standard
    timing: TimingParams

    @cached_property
    def rules(self) -> tuple[ResolvedRule, ...]:
        """Every pair of every rule. Gaps that a command bus of one command a clock enforces anyway are kept."""
        code = self.code
        return tuple(
            ResolvedRule(rule.scope, code[before], code[after], evaluate_gap(rule.gap, self.timing.cycles), rule.window, rule)
            for rule in self.standard.rules
            for before, after in rule.pairs()
        )

    @cached_property
    def code(self) -> dict[str, int]:
        """Code of each command name."""
        return {name: index for index, name in enumerate(self.standard.command_names)}

    @cached_property
    def latency_ck(self) -> tuple[int, ...]:
        """Cycles from a command's issue until its data arrived, by command code."""
        return tuple(evaluate_gap(command.latency, self.timing.cycles) for command in self.standard.commands)

    def refresh_lead_ck(self, per_bank: bool) -> int:
        """Longest time from any command to the refresh after the precharge that it may need: a controller that closes banks
        this long before a refresh must be done has it done in time."""
        refresh, precharges = ("REFpb", ("PREpb", "PREab")) if per_bank else ("REFab", ("PREab",))
        refreshes = [i for i, command in enumerate(self.standard.commands) if command.row == "refresh"]
        after = [rule for rule in self.rules if rule.preceding not in refreshes]

        def longest(following: tuple[str, ...], preceding: tuple[str, ...] = ()) -> int:
            names = self.standard.command_names
            gaps = [
                r.gap_ck for r in after if names[r.following] in following and (not preceding or names[r.preceding] in preceding)
            ]
            return max(gaps, default=0)

        return max(longest(precharges) + longest((refresh,), precharges), longest((refresh,)))

    def pair_cause(self, before: Command, after: Command) -> int:
        """Index into CAUSES for cycles in which ``after`` waits for ``before``; -1 if it is booked on ``after`` itself."""
        if before.row == "refresh" or after.row == "refresh":
            return CAUSE_INDEX["refresh"]
        turned = {before.bus, after.bus} == {"read", "write"}
        if turned or self.standard.mode_switch in (before.name, after.name):
            return CAUSE_INDEX["turnaround"]
        if after.cause == "mac" and before.row == "open":
            return CAUSE_INDEX["row_switch"]
        return -1
