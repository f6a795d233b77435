"""A rule table as plain arrays, so that compiled kernels can take it apart.

Node numbering inside a channel: 0 is the channel, ``1 + bank_group`` a bank group, ``1 + bank_groups + bank`` a bank.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, SCOPES
from pimsim.dram.organization import DramOrganization
from pimsim.dram.table import RuleTable

IntArray = NDArray[np.int64]

ROW_NONE, ROW_OPEN, ROW_CLOSE, ROW_COLUMN, ROW_COLUMN_CLOSE, ROW_REFRESH = range(6)
ROW_CODES = {"none": 0, "open": 1, "close": 2, "column": 3, "column_close": 4, "refresh": 5}
SCOPE_CODES = {CHANNEL: 0, BANK_GROUP: 1, BANK: 2}
NEVER = -(1 << 60)


class RuleArrays(NamedTuple):
    """Rules grouped by preceding command, windows apart, and what the commands do. All int64.

    ``first[p]:first[p+1]`` index ``following``, ``scope`` and ``gap`` of the rules after command ``p``.
    ``w_*`` hold the rules with a window above 1; ``w_history`` is the history row of their preceding command.
    """

    first: IntArray
    following: IntArray
    scope: IntArray
    gap: IntArray
    w_preceding: IntArray
    w_following: IntArray
    w_scope: IntArray
    w_gap: IntArray
    w_window: IntArray
    w_history: IntArray
    history_of: IntArray
    command_scope: IntArray
    row_action: IntArray
    latency: IntArray
    spacing: IntArray
    pair_cause: IntArray
    shape: IntArray


def rule_arrays(table: RuleTable, organization: DramOrganization) -> RuleArrays:
    """Flatten ``table``; of several rules for one pair at one scope only the longest gap is kept."""
    commands = table.standard.commands
    count = len(commands)
    longest: dict[tuple[int, int, int], int] = {}
    windows: list[tuple[int, int, int, int, int]] = []
    for resolved in table.rules:
        scope = SCOPE_CODES[resolved.scope]
        if resolved.window > 1:
            windows.append((resolved.preceding, resolved.following, scope, resolved.gap_ck, resolved.window))
        else:
            key = (resolved.preceding, resolved.following, scope)
            longest[key] = max(longest.get(key, 0), resolved.gap_ck)
    ordered = sorted(longest.items())
    first = np.zeros(count + 1, np.int64)
    for (preceding, _, _), _ in ordered:
        first[preceding + 1] += 1
    history_of = np.full(count, -1, np.int64)
    for preceding, *_ in windows:
        if history_of[preceding] < 0:
            history_of[preceding] = history_of.max() + 1
    spacing = np.ones(count, np.int64)
    for (preceding, following, _), gap in ordered:
        if preceding == following:
            spacing[preceding] = max(spacing[preceding], gap)
    columns = [np.array([row[i] for row in windows], np.int64) for i in range(5)]
    w_history = np.array([history_of[row[0]] for row in windows], np.int64)
    depth = max([row[4] for row in windows], default=1)
    nodes = 1 + organization.bank_groups + organization.banks
    return RuleArrays(
        first=np.cumsum(first),
        following=np.array([key[1] for key, _ in ordered], np.int64),
        scope=np.array([key[2] for key, _ in ordered], np.int64),
        gap=np.array([gap for _, gap in ordered], np.int64),
        w_preceding=columns[0],
        w_following=columns[1],
        w_scope=columns[2],
        w_gap=columns[3],
        w_window=columns[4],
        w_history=w_history,
        history_of=history_of,
        command_scope=np.array([SCOPE_CODES[command.scope] for command in commands], np.int64),
        row_action=np.array([ROW_CODES[command.row] for command in commands], np.int64),
        latency=np.array(table.latency_ck, np.int64),
        spacing=spacing,
        pair_cause=np.array([[table.pair_cause(a, b) for b in commands] for a in commands], np.int64),
        shape=np.array(
            [
                organization.bank_groups,
                organization.banks_per_group,
                organization.banks,
                nodes,
                count,
                max(1, int(history_of.max()) + 1),
                depth,
            ],
            np.int64,
        ),
    )


assert tuple(SCOPE_CODES) == SCOPES
