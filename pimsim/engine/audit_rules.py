"""The declarative rules as arrays for the auditor, ordered by the command that has to wait."""

from __future__ import annotations

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import SCOPES
from pimsim.engine.kernels_audit import (
    ACTION_CLOSE,
    ACTION_COLUMN,
    ACTION_COLUMN_CLOSE,
    ACTION_NONE,
    ACTION_OPEN,
    ACTION_REFRESH,
    AuditRules,
)

WATCHED = {"none": 0, "all_bank": 1, "per_bank": 2}
_ACTIONS = {
    "none": ACTION_NONE,
    "open": ACTION_OPEN,
    "close": ACTION_CLOSE,
    "column": ACTION_COLUMN,
    "column_close": ACTION_COLUMN_CLOSE,
    "refresh": ACTION_REFRESH,
}


def refresh_limit_ck(device: Device) -> int:
    """Longest time in CK between two refreshes of the same cells: nREFI x (1 + refreshes that may be postponed)."""
    return int(device.timing.cycles.get("nREFI", 0)) * (1 + device.spec.dram.refresh.max_postponed)


def audit_rules(device: Device, refresh: bool) -> AuditRules:
    """Arrays of every rule of the device's table; refresh intervals are watched if ``refresh`` is true."""
    commands, rules, shape = device.standard.commands, device.table.rules, device.organization
    order = sorted(range(len(rules)), key=lambda k: rules[k].following)
    first = np.zeros(len(commands) + 1, np.int64)
    depth = np.ones(len(commands), np.int64)
    for resolved in rules:
        first[resolved.following + 1] += 1
        depth[resolved.preceding] = max(depth[resolved.preceding], resolved.window)
    watched = WATCHED[device.spec.dram.refresh.mode] if refresh else 0
    nodes = 1 + shape.bank_groups + shape.banks
    return AuditRules(
        first=np.cumsum(first),
        preceding=np.array([rules[k].preceding for k in order], np.int64),
        scope=np.array([SCOPES.index(rules[k].scope) for k in order], np.int64),
        gap=np.array([rules[k].gap_ck for k in order], np.int64),
        window=np.array([rules[k].window for k in order], np.int64),
        rule=np.array(order, np.int64),
        depth=depth,
        command_scope=np.array([SCOPES.index(command.scope) for command in commands], np.int64),
        action=np.array([_ACTIONS[command.row] for command in commands], np.int64),
        shape=np.array([shape.bank_groups, shape.banks_per_group, shape.banks, nodes, int(depth.max())], np.int64),
        refresh=np.array([watched, refresh_limit_ck(device)], np.int64),
    )
