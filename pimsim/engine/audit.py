"""The auditor: is a timed command stream legal under the declarative rules, and is it as early as they allow?

It shares the rule data with the engines and nothing else: no ready times are kept, every pair is looked at afresh.
"""

from __future__ import annotations

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.audit_report import AuditReport, Finding
from pimsim.engine.audit_rules import audit_places, audit_rules, latest_pairs, refresh_limit_ck
from pimsim.engine.command_trace import CommandTrace, addressed_only, check_fields, split_by_channel
from pimsim.engine.kernels_audit import (
    BUS,
    CLOSED_BANK,
    HALF_OPEN,
    IN_ORDER,
    KINDS,
    LATE,
    LOOSE,
    NO_CLOCK,
    NO_RULE,
    NOT_HALF_OPEN,
    OPEN_BANK,
    ORDER,
    OVERDUE,
    REFRESH_OPEN,
    START,
    TIMING,
    WRONG_ROW,
    ChannelPast,
    Findings,
    audit_channel,
    check_rows,
    fresh_past,
)
from pimsim.errors import TraceError

DETAILS = 1000
BUS_RULE = "channel: one command a cycle"
_KIND_NAMES = {
    TIMING: "timing",
    BUS: "bus",
    OVERDUE: "refresh",
    LOOSE: "loose",
    ORDER: "order",
    NO_CLOCK: "data_clock",
    LATE: "late",
}
_STATE_TEXT = {
    OPEN_BANK: "needs closed banks, but a row is open",
    CLOSED_BANK: "needs its row open, but the bank is closed",
    WRONG_ROW: "needs its row open, but another row is",
    REFRESH_OPEN: "needs closed banks, but a row is open",
    HALF_OPEN: "comes between the two commands of an activation of its bank",
    NOT_HALF_OPEN: "needs the first command of an activation of the same row before it",
}


class Auditor:
    """Audits a stream part by part in bounded memory: ``feed`` each part in order, then ``report``.

    ``tight`` also lists commands that could have issued earlier, ``refresh`` also checks refresh intervals. Details are
    kept of the first ``limit`` violations and the first ``limit`` loose commands; all are counted.
    """

    def __init__(
        self, device: Device, tight: bool = False, refresh: bool = False, limit: int = DETAILS, where: str = "trace"
    ) -> None:
        self._device, self._tight, self._limit, self._where = device, tight, limit, where
        self._rules = audit_rules(device, refresh)
        self.start()

    def start(self) -> None:
        """Forget everything fed so far."""
        self._past: dict[int, ChannelPast] = {}
        self._counts = np.zeros(KINDS, np.int64)
        self._kept: dict[bool, list[Finding]] = {False: [], True: []}
        self._commands = self._refreshes = 0
        self._last: dict[int, CommandTrace] = {}

    def feed(self, trace: CommandTrace) -> None:
        """Check the next part. Raises TraceError on fields out of range and on a clock that goes backwards in a channel."""
        check_fields(trace, self._device, self._where)
        trace = addressed_only(trace, self._device)
        self._commands += trace.commands
        found: list[Finding] = []
        for channel, index in split_by_channel(trace):
            found += self._feed_channel(channel, trace.take(index))
        self._keep(sorted(found, key=lambda finding: finding.line))

    def feed_rows(self, trace: CommandTrace) -> None:
        """Check bank states alone, of commands that have no clock yet (as ``feed`` otherwise)."""
        check_fields(trace, self._device, self._where)
        trace = addressed_only(trace, self._device)
        self._commands += trace.commands
        for channel, index in split_by_channel(trace):
            part = trace.take(index)
            found = self._findings(part.commands)
            past = self._past_of(channel)
            check_rows(self._rules, past, found, part.command, audit_places(self._device, part), part.row, part.line)
            self._keep(self._take(found, part))

    def report(self) -> AuditReport:
        """Totals and details of everything fed."""
        overdue = self._overdue_at_end()
        kept = sorted(self._kept[False] + overdue, key=lambda finding: finding.line)
        loose = int(self._counts[LOOSE])
        return AuditReport(
            where=self._where,
            standard=self._device.standard.name,
            commands=self._commands,
            channels=len(self._past),
            last_clock=max((int(past.last[0]) for past in self._past.values()), default=0),
            refreshes=self._refreshes,
            violation_count=int(self._counts.sum()) - loose + len(overdue),
            loose_count=loose,
            violations=tuple(kept[: self._limit]),
            loose=tuple(self._kept[True]),
        )

    def _past_of(self, channel: int) -> ChannelPast:
        if channel not in self._past:
            self._past[channel] = fresh_past(self._rules)
        return self._past[channel]

    def _findings(self, commands: int) -> Findings:
        room = self._limit + (commands if self._tight else 0)
        return Findings(np.empty((min(room, 64 + 64 * commands), 8), np.int64), np.zeros(KINDS + 1, np.int64))

    def _feed_channel(self, channel: int, part: CommandTrace) -> list[Finding]:
        past = self._past_of(channel)
        found = self._findings(part.commands)
        places = audit_places(self._device, part)
        clock, command, row, line = part.clock, part.command, part.row, part.line
        stop = audit_channel(self._rules, past, found, self._tight, clock, command, places, row, line)
        if stop >= 0:
            at, before = int(clock[stop]), int(past.last[0])
            text = f"clock {at} goes backwards: channel {channel} was at clock {before} in line {int(past.last[1])}"
            raise TraceError(f"{self._where}:{int(line[stop])}: {text}")
        self._last[channel] = part.take(slice(-1, None))
        return self._take(found, part)

    def _take(self, found: Findings, part: CommandTrace) -> list[Finding]:
        self._counts += found.counts[:KINDS]
        refresh = np.array([command.row == "refresh" for command in self._device.standard.commands])
        self._refreshes += int(refresh[part.command].sum())
        rows = found.rows[: found.counts[KINDS]]
        loose = rows[:, 0] == LOOSE
        listed = np.where(loose, np.cumsum(loose), np.cumsum(~loose)) <= self._limit
        return [self._finding(row, part) for row in rows[listed].tolist()]

    def _keep(self, found: list[Finding]) -> None:
        for finding in found:
            kept = self._kept[finding.kind == "loose"]
            if len(kept) < self._limit:
                kept.append(finding)

    def _finding(self, row: list[int], part: CommandTrace) -> Finding:
        kind, index, rule, before, clock, line, cycles, bank = row
        names, shape = self._device.standard.command_names, self._device.organization
        unit, group, inner = int(part.unit[index]), int(part.bank_group[index]), int(part.bank[index])
        if bank >= 0:
            flat_group, inner = divmod(bank, shape.banks_per_group)
            unit, group = divmod(flat_group, shape.bank_groups)
        elif kind == OVERDUE:
            group, inner = -1, -1
        return Finding(
            kind=_KIND_NAMES.get(kind, "bank_state"),
            line=int(part.line[index]),
            clock=int(part.clock[index]),
            command=names[int(part.command[index])],
            channel=int(part.channel[index]),
            units=self._unit_names(unit),
            bank_group=group,
            bank=inner,
            rule=self._rule_text(kind, rule, int(part.command[index]), before),
            earlier_command=names[before] if before >= 0 else "",
            earlier_line=line,
            earlier_clock=clock,
            cycles=cycles if kind in _KIND_NAMES else 0,
        )

    def _unit_names(self, unit: int) -> dict[str, int]:
        """Pseudo channel, rank, stack ID of a unit, where the standard has them."""
        found: dict[str, int] = {}
        for level, count in reversed(self._device.organization.outer):
            found[level] = unit % count if unit >= 0 else -1
            unit = unit // count if unit >= 0 else -1
        return dict(reversed(found.items()))

    def _rule_text(self, kind: int, rule: int, command: int, before: int) -> str:
        names, ticks = self._device.standard.command_names, self._device.standard.ticks_per_ck
        if kind in _STATE_TEXT:
            return _STATE_TEXT[kind]
        if kind == OVERDUE:
            refresh = self._device.spec.dram.refresh
            limit = refresh_limit_ck(self._device) * ticks
            return f"refresh interval: nREFI * (1 + {refresh.max_postponed}) = {limit}"
        if kind == NO_CLOCK:
            clock = self._device.standard.data_clock
            return f"the data clock has stopped: needs {dict(clock.starts)[names[command]] if clock else ''} in the CK before it"
        if kind == LATE:
            scope, first, second, gap = latest_pairs(self._device)[rule]
            return f"{scope}: {first} -> {second}: at most {gap} = {self._device.timing[gap] * ticks}"
        if rule == START:
            return "nothing"
        if rule == IN_ORDER:
            return "channel: clocks do not decrease"
        if rule == NO_RULE:
            return self._bus_text(command, before)
        return self._pair_text(rule)

    def _bus_text(self, command: int, before: int) -> str:
        standard, held = self._device.standard, self._device.table.held_ticks[before]
        if len(standard.command_buses) == 1 and held == 1:
            return BUS_RULE
        spent = f"{standard.command_names[before]} takes {held} tick{'s' * (held != 1)}"
        return f"channel: {standard.commands[command].command_bus} bus: {spent}"

    def _pair_text(self, rule: int) -> str:
        resolved, names = self._device.table.stream_rules[rule], self._device.standard.command_names
        window = f" (window {resolved.window})" if resolved.window > 1 else ""
        pair = f"{names[resolved.preceding]} -> {names[resolved.following]}"
        scope = f"other {resolved.scope}" if resolved.sibling else resolved.scope
        return f"{scope}: {pair}: {resolved.rule.gap} = {resolved.gap_ticks}{window}"

    def _overdue_at_end(self) -> list[Finding]:
        """Cells that are overdue when the stream ends, booked on the channel's last command."""
        watched, limit, shape = int(self._rules.refresh[0]), int(self._rules.refresh[1]), self._device.organization
        cells = ((), range(0, shape.banks, shape.banks_per_unit), range(shape.banks))[watched]
        found = []
        for channel, part in self._last.items():
            past = self._past[channel]
            for bank in cells:
                late = int(past.last[0] - past.refreshed[bank]) - limit
                if late > 0:
                    cell = -1 if watched == 1 else bank
                    found.append(self._finding([OVERDUE, 0, NO_RULE, -1, int(past.refreshed[bank]), -1, late, cell], part))
        return found


def audit(trace: CommandTrace, device: Device, tight: bool = False, refresh: bool = False, limit: int = DETAILS) -> AuditReport:
    """Audit a whole trace in memory (see ``Auditor``)."""
    auditor = Auditor(device, tight, refresh, limit)
    auditor.feed(trace)
    return auditor.report()
