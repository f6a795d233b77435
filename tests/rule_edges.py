"""For a timing rule: a timing table in which it binds, the smallest stream that shows it, and why it may never bind."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, Command
from pimsim.dram.rules import TimingRule, gap_parameters
from pimsim.dram.standard import Standard
from pimsim.dram.table import ResolvedRule
from pimsim.engine.command_trace import CommandTrace
from pimsim.engine.kernels_rules import fresh_channel, schedule
from pimsim.engine.rule_arrays import rule_arrays
from tests.strategies import StreamBuilder, with_cycles

ROW = 1
LONG_CK = 40
SETTLED_CK = 100_000
_WIDTH = {CHANNEL: 3, BANK_GROUP: 2, BANK: 1}


@dataclass(frozen=True)
class Edge:
    """A stream whose last command waits, by the rule, for the one at ``bound_by``; ``settled`` commands come long before."""

    trace: CommandTrace
    settled: int
    bound_by: int

    def clocks(self, device: Device) -> np.ndarray:
        """Earliest clocks by the engine; the first ``settled`` commands have long been done by then."""
        rules = rule_arrays(device.table, device.organization)
        state, trace = fresh_channel(rules), self.trace
        flat = trace.flat_bank(device.organization)
        parts = (slice(0, self.settled), 0), (slice(self.settled, None), SETTLED_CK)
        return np.concatenate(
            [schedule(rules, state, trace.command[p], trace.bank_group[p], flat[p], start) for p, start in parts]
        )

    def timed(self, device: Device) -> CommandTrace:
        """The stream with those clocks."""
        return self.trace._replace(clock=self.clocks(device))


def emphasised(device: Device, position: int) -> Device:
    """``device`` with timing in which the pair at ``position`` decides its edge stream, if there is any.

    All parameters of its gap are long and all others one cycle; or only one of them is.
    """
    names = gap_parameters(device.table.rules[position].rule.gap)
    for long in (names, *([name] for name in names)):
        found = with_cycles(device, {name: LONG_CK if name in long else 1 for name in device.timing.cycles})
        edge = edge_stream(found, found.table.rules[position])
        if edge.clocks(found)[-1] > edge.clocks(without(found, position))[-1]:
            return found
    return with_cycles(device, {name: LONG_CK if name in names else 1 for name in device.timing.cycles})


def without(device: Device, position: int, loosen_ck: int | None = None) -> Device:
    """``device`` with one pair of its rule table deleted, or its gap shortened by ``loosen_ck``."""
    changed = with_cycles(device, dict(device.timing.cycles))
    rules, stream_rules = list(changed.table.rules), list(changed.table.stream_rules)
    if loosen_ck is None:
        del rules[position], stream_rules[position]
    else:
        rules[position] = replace(rules[position], gap_ck=rules[position].gap_ck - loosen_ck)
        stream_rules[position] = replace(stream_rules[position], gap_ticks=stream_rules[position].gap_ticks - loosen_ck)
    changed.table.__dict__.update(rules=tuple(rules), stream_rules=tuple(stream_rules))
    return changed


def edge_stream(device: Device, resolved: ResolvedRule) -> Edge:
    """Prerequisites, the preceding command (as often as the window says), what must come between, the following command.

    The two address banks that share the rule's scope and nothing narrower.
    """
    commands, shape = device.standard.commands, device.organization
    preceding, following = commands[resolved.preceding], commands[resolved.following]
    apart = {BANK: 0, BANK_GROUP: 1, CHANNEL: shape.banks_per_group}[resolved.scope] % shape.banks
    builder = StreamBuilder(device)
    spread = [(k + 1) * apart % shape.banks for k in range(resolved.window)]
    target = 0 if resolved.window == 1 else 1
    builder.prepare(following, target, ROW)
    for bank in spread:
        builder.prepare(preceding, bank, ROW)
    settled = len(builder.issued)
    for bank in spread:
        builder.issue(preceding, bank, ROW)
    builder.prepare(following, target, ROW)
    builder.issue(following, target, ROW)
    trace = builder.trace()
    same = np.flatnonzero(trace.command[:-1] == resolved.preceding)
    return Edge(trace, settled, int(same[-resolved.window]))


def dominated_by(standard: Standard, resolved: ResolvedRule) -> str:
    """Why the rule can never bind, whatever the timing: the bus, or rules that hold the command back at least as long; else ''."""
    rule = resolved.rule
    before, after = standard.commands[resolved.preceding], standard.commands[resolved.following]
    if not gap_parameters(rule.gap) and resolved.gap_ck <= 1:
        return "the command bus: one command a cycle"
    wider = (other for other in standard.rules if other is not rule and _WIDTH[other.scope] >= _WIDTH[rule.scope])
    direct = next((other for other in wider if _holds(other, before, after, rule)), None)
    return str(direct) if direct else _openers_held(standard, rule, before, after)


def _openers_held(standard: Standard, rule: TimingRule, before: Command, after: Command) -> str:
    """If ``before`` closes a bank whose row ``after`` needs, a command that opens it comes between: is each held as long?"""
    shares_bank = CHANNEL in (before.scope, after.scope) or rule.scope == BANK
    if not (after.is_column and before.row in ("close", "refresh", "column_close") and shares_bank):
        return ""
    openers = [command for command in standard.commands if command.row == "open"]
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
