"""A rule table as plain arrays for scheduling streams, and the nodes that the commands of a stream address.

Levels are the channel, those of the standard above the bank group, the bank group, one bank number in every group, and the bank;
nodes are numbered level by level through the channel.
"""

from __future__ import annotations

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, SAME_BANK
from pimsim.dram.rules import TimingRule, evaluate_gap
from pimsim.engine.command_trace import CommandTrace
from pimsim.engine.kernels_stream import IntArray, StreamRules


def levels_of(device: Device) -> list[tuple[str, int, int]]:
    """(name, units under one parent, units of a channel) of every level."""
    shape = device.organization
    levels, units = [(CHANNEL, 1, 1)], 1
    for name, count in shape.outer:
        units *= count
        levels.append((name, count, units))
    per_group, groups = shape.banks_per_group, units * shape.bank_groups
    return [
        *levels,
        (BANK_GROUP, shape.bank_groups, groups),
        (SAME_BANK, per_group, units * per_group),
        (BANK, per_group, groups * per_group),
    ]


def stream_rules(device: Device) -> StreamRules:
    """Flatten the device's table; of several rules for one pair at one level only the longest gap is kept."""
    standard, table = device.standard, device.table
    levels = levels_of(device)
    level_of = {name: index for index, (name, _, _) in enumerate(levels)}
    longest: dict[tuple[int, int, int, int], int] = {}
    windowed = sorted((r for r in table.stream_rules if r.window > 1), key=lambda r: (r.following, r.preceding))
    for rule in table.stream_rules:
        if rule.window == 1:
            key = (rule.preceding, rule.following, level_of[rule.scope], int(rule.sibling))
            longest[key] = max(longest.get(key, rule.gap_ticks), rule.gap_ticks)
    after = sorted(longest.items())
    history = {code: row for row, code in enumerate(sorted({rule.preceding for rule in windowed}))}
    windows = [(r.preceding, level_of[r.scope], r.gap_ticks, r.window, history[r.preceding]) for r in windowed]
    latest = sorted(
        (table.code[after_name], table.code[before], level_of[rule.scope], _ticks(device, rule))
        for rule in standard.latest
        for before, after_name in rule.pairs()
    )
    clock_level = level_of[standard.data_clock.scope] if standard.data_clock else 0
    firsts = ([key[0] for key, _ in after], [r.following for r in windowed], [row[0] for row in latest])
    return StreamRules(
        commands=_commands(device, history, firsts),
        after=np.array([(key[1], key[2], gap, key[3]) for key, gap in after], np.int64).reshape(-1, 4),
        windows=np.array(windows, np.int64).reshape(-1, 5),
        latest=np.array([row[1:] for row in latest], np.int64).reshape(-1, 3),
        first=np.cumsum([0, *(units for _, _, units in levels)]).astype(np.int64),
        siblings=np.array([count for _, count, _ in levels], np.int64),
        ck=standard.ticks_per_ck,
        clock_level=clock_level,
        buses=len(standard.command_buses),
        histories=max(1, len(history)),
        depth=max([r.window for r in windowed], default=1),
    )


def _ticks(device: Device, rule: TimingRule) -> int:
    return evaluate_gap(rule.gap, device.timing.cycles) * device.standard.ticks_per_ck


def _commands(device: Device, history: dict[int, int], firsts: tuple[list[int], ...]) -> IntArray:
    """Rows of ``StreamRules.commands``; ``firsts``: for each table of rules, the command that each row belongs to, ordered."""
    standard, table = device.standard, device.table
    buses, clock = standard.command_buses, standard.data_clock
    starts = dict(clock.starts) if clock else {}
    keeps = dict(clock.keeps) if clock else {}
    codes = np.arange(len(standard.commands) + 1)
    rows = np.zeros((len(codes), 6 + len(firsts)), np.int64)
    for code, command in enumerate(standard.commands):
        kept = evaluate_gap(keeps[command.bus], device.timing.cycles) * standard.ticks_per_ck if command.name in starts else -1
        starter = table.code[starts[command.name]] if command.name in starts else -1
        is_starter = int(command.name in starts.values())
        held, bus = table.held_ticks[code], buses.index(command.command_bus)
        rows[code, :6] = bus, held, starter, is_starter, kept, history.get(code, -1)
    for column, owners in enumerate(firsts, 6):
        rows[:, column] = np.searchsorted(owners, codes)
    return rows


def places_of(device: Device, trace: CommandTrace) -> IntArray:
    """Node that each command addresses at each level, -1 where it addresses more: shape (commands, levels)."""
    shape, levels = device.organization, levels_of(device)
    places = np.zeros((trace.commands, len(levels)), np.int64)
    below = shape.units
    for index, (_, _, units) in enumerate(levels[1:-3], 1):
        below = shape.units // units
        places[:, index] = np.where(trace.unit >= 0, trace.unit // below, -1)
    places[:, -3] = trace.flat_group(shape)
    known = (trace.bank >= 0) & (trace.unit >= 0)
    places[:, -2] = np.where(known, trace.unit * shape.banks_per_group + trace.bank, -1)
    places[:, -1] = trace.flat_bank(shape)
    first = np.cumsum([0, *(units for _, _, units in levels[:-1])])
    return np.where(places >= 0, places + first, -1)
