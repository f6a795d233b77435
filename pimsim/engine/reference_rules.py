"""Reference engine: the timing rules, looked up one by one in the declarative table."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import NamedTuple

from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL
from pimsim.dram.table import ResolvedRule, RuleTable

UNBOUND = -1


class Target(NamedTuple):
    """A command and whom it addresses in its channel: bank group and flat bank, -1 where it addresses more."""

    command: int
    group: int = -1
    bank: int = -1

    def node(self, scope: str) -> tuple[str, int]:
        """The channel, the bank group or the bank that a rule of ``scope`` looks at."""
        return scope, {CHANNEL: 0, BANK_GROUP: self.group, BANK: self.bank}[scope]


class IssueHistory:
    """When the commands of one channel issued, as far back as any rule looks."""

    def __init__(self, table: RuleTable) -> None:
        self._rules_for: dict[int, list[ResolvedRule]] = defaultdict(list)
        for rule in table.rules:
            self._rules_for[rule.following].append(rule)
        depth = max(rule.window for rule in table.rules)
        self._issued: dict[tuple[int, tuple[str, int]], deque[int]] = defaultdict(lambda: deque(maxlen=depth))

    def earliest(self, target: Target) -> tuple[int, int]:
        """First cycle at which every rule lets ``target`` issue, and the preceding command that sets it.

        A rule asks for ``gap`` cycles after the ``window``-th last issue of its preceding command at its scope's node.
        Of several commands that bind equally the one with the smallest code is named; (0, UNBOUND) if none binds.
        """
        cycle, binder = 0, UNBOUND
        for rule in self._rules_for[target.command]:
            issued = self._issued.get((rule.preceding, target.node(rule.scope)), ())
            if len(issued) < rule.window:
                continue
            ready = issued[-rule.window] + rule.gap_ck
            if ready > cycle or (ready == cycle and rule.preceding < binder):
                cycle, binder = ready, rule.preceding
        return cycle, binder

    def record(self, target: Target, cycle: int) -> None:
        """``target`` issues at ``cycle``: remembered for the channel, and for its bank group and bank if it has them."""
        self._issued[target.command, target.node(CHANNEL)].append(cycle)
        if target.group >= 0:
            self._issued[target.command, target.node(BANK_GROUP)].append(cycle)
        if target.bank >= 0:
            self._issued[target.command, target.node(BANK)].append(cycle)
