"""The declarative rules as arrays for the auditor, ordered by the command that has to wait, and where commands are.

A *place* is the number of the unit that a command addresses at a level (channel, rank, bank group, one bank number in every group,
bank ...), counted through all levels of a channel.
"""

from __future__ import annotations

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import SCOPES
from pimsim.dram.rules import evaluate_gap
from pimsim.engine.command_trace import CommandTrace, IntArray
from pimsim.engine.kernels_audit import (
    ACTION_CLOSE,
    ACTION_CLOSED,
    ACTION_COLUMN,
    ACTION_COLUMN_CLOSE,
    ACTION_NONE,
    ACTION_OPEN,
    ACTION_OPEN_FIRST,
    ACTION_OPEN_SECOND,
    ACTION_REFRESH,
    AuditRules,
)

WATCHED = {"none": 0, "all_bank": 1, "per_bank": 2}
_ACTIONS = {
    "none": ACTION_NONE,
    "open": ACTION_OPEN,
    "open_first": ACTION_OPEN_FIRST,
    "open_second": ACTION_OPEN_SECOND,
    "close": ACTION_CLOSE,
    "column": ACTION_COLUMN,
    "column_close": ACTION_COLUMN_CLOSE,
    "refresh": ACTION_REFRESH,
    "closed": ACTION_CLOSED,
}


def refresh_limit_ck(device: Device) -> int:
    """Longest time in CK between two refreshes of the same cells: nREFI x (1 + refreshes that may be postponed)."""
    return int(device.timing.cycles.get("nREFI", 0)) * (1 + device.spec.dram.refresh.max_postponed)


def audit_levels(device: Device) -> list[str]:
    """The device's levels, from wide to narrow: those of its standard in the order of SCOPES."""
    outer = [name for name, _ in device.organization.outer]
    return [scope for scope in SCOPES if scope in ("channel", "bank_group", "same_bank", "bank") or scope in outer]


def _sizes(device: Device) -> tuple[list[int], list[int], list[int]]:
    """Of each level: units under one parent, units of a channel, banks of one unit."""
    shape, counts = device.organization, dict(device.organization.outer)
    width, total, banks = [1], [1], [shape.banks]
    for level in audit_levels(device)[1:-3]:
        width.append(counts[level])
        total.append(total[-1] * counts[level])
        banks.append(shape.banks // total[-1])
    width += [shape.bank_groups, shape.banks_per_group, shape.banks_per_group]
    total += [shape.units * shape.bank_groups, shape.units * shape.banks_per_group, shape.banks]
    return width, total, [*banks, shape.banks_per_group, shape.bank_groups, 1]


def audit_places(device: Device, trace: CommandTrace) -> IntArray:
    """Place of each command at each level, -1 where it addresses more than one unit there: shape (commands, levels)."""
    shape = device.organization
    _, total, _ = _sizes(device)
    unit, group, bank = trace.unit, trace.bank_group, trace.bank
    columns = [np.zeros_like(unit)]
    columns += [np.where(unit >= 0, unit * count // shape.units, -1) for count in total[1:-3]]
    columns.append(np.where((unit >= 0) & (group >= 0), unit * shape.bank_groups + group, -1))
    columns.append(np.where((unit >= 0) & (bank >= 0), unit * shape.banks_per_group + bank, -1))
    columns.append(np.where((columns[-2] >= 0) & (bank >= 0), columns[-2] * shape.banks_per_group + bank, -1))
    base = np.concatenate([[0], np.cumsum(total[:-1])])
    places = np.stack(columns, axis=1)
    return np.where(places >= 0, places + base, -1)


def audit_rules(device: Device, refresh: bool) -> AuditRules:
    """Arrays of every rule of the device's table; refresh intervals are watched if ``refresh`` is true."""
    commands, rules, shape = device.standard.commands, device.table.stream_rules, device.organization
    levels = {level: index for index, level in enumerate(audit_levels(device))}
    width, total, banks_of = _sizes(device)
    order = sorted(range(len(rules)), key=lambda k: rules[k].following)
    first = np.zeros(len(commands) + 1, np.int64)
    depth = np.ones(len(commands), np.int64)
    for resolved in rules:
        first[resolved.following + 1] += 1
        depth[resolved.preceding] = max(depth[resolved.preceding], resolved.window)
    watched = WATCHED[device.spec.dram.refresh.mode] if refresh else 0
    clock, ticks = device.standard.data_clock, device.standard.ticks_per_ck
    sizes = (shape.banks_per_group, shape.banks_per_unit, shape.banks, sum(total), int(depth.max()))
    more = (len(device.standard.command_buses), levels[clock.scope] if clock else 0, ticks)
    return AuditRules(
        first=np.cumsum(first),
        preceding=np.array([rules[k].preceding for k in order], np.int64),
        level=np.array([levels[rules[k].scope] for k in order], np.int64),
        gap=np.array([rules[k].gap_ticks for k in order], np.int64),
        window=np.array([rules[k].window for k in order], np.int64),
        sibling=np.array([rules[k].sibling for k in order], np.int64),
        rule=np.array(order, np.int64),
        depth=depth,
        command=_commands(device, levels),
        latest=_latest(device, levels),
        base=np.concatenate([[0], np.cumsum(total[:-1])]).astype(np.int64),
        width=np.array(width, np.int64),
        banks_of=np.array(banks_of, np.int64),
        shape=np.array([*sizes, *more], np.int64),
        refresh=np.array([watched, refresh_limit_ck(device) * ticks], np.int64),
    )


def _commands(device: Device, levels: dict[str, int]) -> IntArray:
    """What each command does, in the columns of ``AuditRules.command``."""
    standard, clock = device.standard, device.standard.data_clock
    starters = dict(clock.starts) if clock else {}
    rows = []
    for code, command in enumerate(standard.commands):
        starter, keeps = -1, 0
        if clock and command.name in starters:
            starter = device.table.code[starters[command.name]]
            keeps = evaluate_gap(dict(clock.keeps)[command.bus], device.timing.cycles) * standard.ticks_per_ck
        bus, held = standard.command_buses.index(command.command_bus), device.table.held_ticks[code]
        starts = int(command.name in starters.values())
        rows.append((levels[command.scope], bus, held, starter, starts, keeps, _ACTIONS[command.row]))
    return np.array(rows, np.int64)


def _latest(device: Device, levels: dict[str, int]) -> IntArray:
    """Rows of (following, preceding, level, longest gap in ticks), in the order of ``latest_pairs``."""
    code, ticks = device.table.code, device.standard.ticks_per_ck
    rows = [
        (code[after], code[before], levels[scope], evaluate_gap(gap, device.timing.cycles) * ticks)
        for scope, before, after, gap in latest_pairs(device)
    ]
    return np.array(rows, np.int64).reshape(-1, 4)


def latest_pairs(device: Device) -> list[tuple[str, str, str, str]]:
    """(scope, preceding, following, longest gap) of every pair that must not lie too far apart."""
    return [(rule.scope, before, after, rule.gap) for rule in device.standard.latest for before, after in rule.pairs()]
