"""For a timing rule: a timing table in which it binds, the smallest stream that shows it, and why it may never bind."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, SAME_BANK, Command
from pimsim.dram.rules import TimingRule, gap_parameters
from pimsim.dram.standard import Standard
from pimsim.dram.table import StreamRule
from pimsim.engine.command_trace import CommandTrace
from pimsim.engine.kernels_stream import fresh_stream, schedule_stream
from pimsim.engine.stream_arrays import places_of, stream_rules
from tests.strategies import CLOCK_LEAD, StreamBuilder, banks_of, with_cycles

ROW = 1
LONG_CK = 40
SETTLED_CK = 100_000


@dataclass(frozen=True)
class Edge:
    """A stream whose last command waits, by the rule, for the one at ``bound_by``; ``settled`` commands come long before."""

    trace: CommandTrace
    settled: int
    bound_by: int

    def clocks(self, device: Device) -> np.ndarray:
        """Earliest clocks by the engine; the first ``settled`` commands have long been done by then."""
        rules = stream_rules(device)
        state, places = fresh_stream(rules), places_of(device, self.trace)
        clock = np.zeros(self.trace.commands, np.int64)
        for part, start in ((slice(0, self.settled), 0), (slice(self.settled, None), SETTLED_CK)):
            state.last[0] = start
            stop, _ = schedule_stream(rules, state, self.trace.command[part], places[part], clock[part])
            assert stop < 0
        return clock

    def timed(self, device: Device) -> CommandTrace:
        """The stream with those clocks."""
        return self.trace._replace(clock=self.clocks(device))

    def early(self, device: Device) -> np.ndarray:
        """Those clocks with the last command a tick earlier, and the command that starts its data clock with it."""
        clock, data_clock = self.clocks(device), device.standard.data_clock
        starters = dict(data_clock.starts).values() if data_clock else ()
        names = device.standard.command_names
        clock[-2 if len(clock) > 1 and names[self.trace.command[-2]] in starters else -1 :] -= 1
        return clock


def emphasised(device: Device, position: int) -> Device:
    """``device`` with timing in which the pair at ``position`` decides its edge stream, if there is any.

    All parameters of its gap are long and all others one cycle; or only one of them is.
    """
    names = [name for name in gap_parameters(device.table.stream_rules[position].rule.gap) if name != CLOCK_LEAD]
    for long in (names, *([name] for name in names)):
        found = with_cycles(device, {name: LONG_CK if name in long else 1 for name in device.timing.cycles})
        edge = edge_stream(found, found.table.stream_rules[position])
        if edge.clocks(found)[-1] > edge.clocks(without(found, position))[-1]:
            return found
    return with_cycles(device, {name: LONG_CK if name in names else 1 for name in device.timing.cycles})


def without(device: Device, position: int, loosen_ticks: int | None = None) -> Device:
    """``device`` with one pair of its rule table deleted, or its gap shortened by ``loosen_ticks``."""
    changed = with_cycles(device, dict(device.timing.cycles))
    rules = list(changed.table.stream_rules)
    if loosen_ticks is None:
        del rules[position]
    else:
        rules[position] = replace(rules[position], gap_ticks=rules[position].gap_ticks - loosen_ticks)
    changed.table.__dict__["stream_rules"] = tuple(rules)
    return changed


def edge_stream(device: Device, resolved: StreamRule) -> Edge:
    """Prerequisites, the preceding command (as often as the window says), what must come between, the following command.

    The two address banks that share the rule's scope and nothing narrower.
    """
    commands = device.standard.commands
    preceding, following = commands[resolved.preceding], commands[resolved.following]
    apart, within = _apart(device, resolved)
    builder = StreamBuilder(device)
    spread = [(k + 1) * apart % within for k in range(resolved.window)]
    target = 0 if resolved.window == 1 else 1
    builder.prepare(following, target, ROW)
    for bank in spread:
        builder.prepare(preceding, bank, ROW)
    settled = len(builder.issued)
    for bank in spread:
        builder.issue(builder.meant(preceding), bank, ROW)
    builder.prepare(following, target, ROW)
    builder.issue(following, target, ROW)
    if following.row == "open_first":
        builder.issued.pop()
    trace = builder.trace()
    same = np.flatnonzero(trace.command[:-1] == resolved.preceding)
    return Edge(trace, settled, int(same[-resolved.window]))


def _apart(device: Device, resolved: StreamRule) -> tuple[int, int]:
    """How far two banks are apart that share the rule's scope and nothing narrower, or are siblings; banks that they may be among."""
    shape, scope = device.organization, resolved.scope
    levels = [CHANNEL, *(level for level, _ in shape.outer), BANK_GROUP, BANK]
    if scope == SAME_BANK:
        return shape.banks_per_group % shape.banks_per_unit, shape.banks_per_unit
    at = levels.index(scope)
    if resolved.sibling:
        return banks_of(device, scope), banks_of(device, levels[at - 1])
    within = banks_of(device, scope)
    if scope == CHANNEL or resolved.window > 1:
        return shape.banks_per_group % within, within
    narrower = [banks_of(device, level) for level in levels[at + 1 :]]
    return next((banks for banks in narrower if banks < within), 0), within


def dominated_by(device: Device, resolved: StreamRule) -> str:
    """Why the rule can never bind, whatever the timing; else ''.

    The device's shape, the bus, or rules that hold the command back at least as long.
    """
    standard, rule = device.standard, resolved.rule
    if rule.sibling and len(set(_apart(device, resolved))) == 1:
        return f"the organization: there is no other {rule.scope}"
    before, after = standard.commands[resolved.preceding], standard.commands[resolved.following]
    if not gap_parameters(rule.gap) and resolved.gap_ticks <= 1:
        return "the command bus: one command a cycle"
    if standard.data_clock and before.name in dict(standard.data_clock.starts).values():
        return "the data clock: the column command comes in the CK after"
    wider = (other for other in standard.rules if other is not rule and _covers(standard, other, rule))
    direct = next((other for other in wider if _holds(other, before, after, rule)), None)
    return str(direct) if direct else _second_held(standard, rule, before, after) or _openers_held(standard, rule, before, after)


def _covers(standard: Standard, other: TimingRule, rule: TimingRule) -> bool:
    """Do all commands that meet by ``rule`` meet by ``other``?"""
    order = [CHANNEL, *standard.levels, BANK_GROUP, BANK]
    if rule.sibling or other.sibling:
        wider = not other.sibling and other.scope in order[: order.index(rule.scope)]
        return wider or (rule.sibling and other.sibling and other.scope == rule.scope)
    if SAME_BANK in (rule.scope, other.scope):
        inside = order.index(BANK_GROUP) if rule.scope == SAME_BANK else order.index(rule.scope)
        return (
            rule.scope == other.scope
            or (other.scope == SAME_BANK and rule.scope == BANK)
            or (other.scope != SAME_BANK and order.index(other.scope) < inside)
        )
    return order.index(other.scope) <= order.index(rule.scope)


def _second_held(standard: Standard, rule: TimingRule, before: Command, after: Command) -> str:
    """If ``before`` is the first of two activation commands: does ``after`` wait as long for the second?"""
    if before.row != "open_first":
        return ""
    seconds = [command for command in standard.commands if command.row == "open_second"]
    held = (o for o in standard.rules for c in seconds if _covers(standard, o, rule) and _holds(o, c, after, rule))
    return next((str(other) for other in held), "")


def _openers_held(standard: Standard, rule: TimingRule, before: Command, after: Command) -> str:
    """If ``before`` closes a bank whose row ``after`` needs, a command that opens it comes between: is each held as long?"""
    shares_bank = rule.scope in {BANK, before.scope, after.scope} - {BANK_GROUP, SAME_BANK}
    if not (after.is_column and before.row in ("close", "refresh", "column_close") and shares_bank):
        return ""
    openers = [command for command in standard.commands if command.row in ("open", "open_first")]
    held = [next((other for other in standard.rules if _holds(other, before, c, rule)), None) for c in openers]
    if None in held:
        return ""
    names, reasons = "/".join(c.name for c in openers), "; ".join(dict.fromkeys(str(other) for other in held))
    return f"{after.name} needs {names} after {before.name}, and they wait by {reasons}"


def _holds(other: TimingRule, before: Command, after: Command, rule: TimingRule) -> bool:
    """Does ``other`` keep ``after`` from ``before`` at least as long as ``rule`` asks, in every timing table?"""
    named = before.name in other.preceding and after.name in other.following
    return named and other.window <= rule.window and _at_least(other.gap, rule.gap)


def _at_least(longer: str, shorter: str) -> bool:
    """Is gap expression ``longer`` never below ``shorter``? Sums of parameters and max() are compared, others only when equal."""
    if longer == shorter:
        return True
    sums = [_sums(ast.parse(text, mode="eval").body) for text in (longer, shorter)]
    return None not in sums and all(any(small <= large for large in sums[0]) for small in sums[1])


def _sums(node: ast.expr) -> list[Counter[str]] | None:
    """The alternatives of a maximum, each as how often it adds which parameter; None for anything else."""
    if isinstance(node, ast.Name):
        return [Counter([node.id])]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _sums(node.left), _sums(node.right)
        return None if left is None or right is None else [a + b for a in left for b in right]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "max":
        parts = [_sums(argument) for argument in node.args]
        return None if None in parts else [alternative for part in parts for alternative in part]
    return None
