"""A standard's rules with their gaps resolved: in CK for programs, in ticks for command streams.

A program runs on channels that are one pseudo channel, rank and stack each, and issues on edges of the CK: its rules are those
of the channel, the bank group and the bank, and a gap of part of a CK is rounded up. A stream has every level, and ticks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pimsim.dram.commands import CAUSE_INDEX, CHANNEL, OUTER_LEVELS, SAME_BANK, Command
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
class StreamRule:
    """One (preceding, following) pair of a rule, with command codes and the gap in ticks from issue to issue."""

    scope: str
    preceding: int
    following: int
    gap_ticks: int
    window: int
    sibling: bool
    rule: TimingRule


@dataclass(frozen=True)
class RuleTable:
    """Commands of a standard (their code is their position) and all resolved rules."""

    standard: Standard
    timing: TimingParams

    @cached_property
    def rules(self) -> tuple[ResolvedRule, ...]:
        """Every pair of every rule, as programs need them. Gaps that a command bus of one command a CK enforces are kept."""
        ticks, found = self.standard.ticks_per_ck, []
        for r in self.stream_rules:
            if r.sibling or SAME_BANK in self._scopes_of(r):
                continue
            scope = CHANNEL if r.scope in OUTER_LEVELS else r.scope
            found.append(ResolvedRule(scope, r.preceding, r.following, -(-r.gap_ticks // ticks), r.window, r.rule))
        return (*found, *self._bus_rules())

    @cached_property
    def stream_rules(self) -> tuple[StreamRule, ...]:
        """Every pair of every rule, in ticks: a gap runs from the end of the first command to the end of the second."""
        code, ticks, held = self.code, self.standard.ticks_per_ck, self.held_ticks
        return tuple(
            StreamRule(
                scope=rule.scope,
                preceding=code[before],
                following=code[after],
                gap_ticks=evaluate_gap(rule.gap, self.timing.cycles) * ticks + held[code[before]] - held[code[after]],
                window=rule.window,
                sibling=rule.sibling,
                rule=rule,
            )
            for rule in self.standard.rules
            for before, after in rule.pairs()
        )

    def _scopes_of(self, rule: StreamRule) -> set[str]:
        """Scope of a rule and of its two commands."""
        commands = self.standard.commands
        return {rule.scope, commands[rule.preceding].scope, commands[rule.following].scope}

    def _bus_rules(self) -> list[ResolvedRule]:
        """What a command that holds its bus for more than a CK forbids on it, written as rules."""
        commands, ticks = self.standard.commands, self.standard.ticks_per_ck
        found = []
        for before, command in enumerate(commands):
            held_ck = -(-self.held_ticks[before] // ticks)
            if held_ck < 2:
                continue
            sharing = tuple(c.name for c in commands if c.command_bus == command.command_bus)
            rule = TimingRule(CHANNEL, (command.name,), sharing, str(held_ck))
            found += [ResolvedRule(CHANNEL, before, self.code[after], held_ck, 1, rule) for after in sharing]
        return found

    @cached_property
    def held_ticks(self) -> tuple[int, ...]:
        """Ticks for which a command holds its bus, by command code."""
        return tuple(int(command.held_ck * self.standard.ticks_per_ck) for command in self.standard.commands)

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
