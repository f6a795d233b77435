"""A rule table as plain arrays, so that compiled kernels can take it apart.

Node numbering inside a channel: 0 is the channel, ``1 + bank_group`` a bank group, ``1 + bank_groups + bank`` a bank.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, PROGRAM_SCOPES
from pimsim.dram.organization import DramOrganization
from pimsim.dram.table import RuleTable

IntArray = NDArray[np.int64]

ROW_NONE, ROW_OPEN, ROW_CLOSE, ROW_COLUMN, ROW_COLUMN_CLOSE, ROW_REFRESH = range(6)
# A command that needs banks closed (``closed``) leaves them so: it changes as little as one that touches registers.
ROW_CODES = {"none": 0, "closed": 0, "open": 1, "close": 2, "column": 3, "column_close": 4, "refresh": 5}
SCOPE_CODES = {CHANNEL: 0, BANK_GROUP: 1, BANK: 2}
NEVER = -(1 << 60)


# Columns of ``RuleArrays.commands``.
ROW_ACTION, LATENCY, SPACING, HISTORY, FIRST_AFTER, FIRST_WINDOW = range(6)
# Columns of ``RuleArrays.after`` and ``RuleArrays.windows``.
AFTER_FOLLOWING, AFTER_SCOPE, AFTER_GAP = range(3)
WINDOW_PRECEDING, WINDOW_SCOPE, WINDOW_GAP, WINDOW_LENGTH, WINDOW_HISTORY = range(5)


class RuleArrays(NamedTuple):
    """Rules and commands as int64 tables; few arrays, because each one costs a kernel call something.

    ``commands`` has a row for each command and one more; rows ``c`` and ``c + 1`` bracket, in column FIRST_AFTER, the
    rows of ``after`` (rules whose preceding command is ``c``) and, in FIRST_WINDOW, those of ``windows`` (windowed rules
    whose following command is ``c``). HISTORY is the history row of a command that a windowed rule follows, or -1.
    ``pair_cause[before, after]`` is where a wait is booked, -1 for the command itself.
    """

    commands: IntArray
    after: IntArray
    windows: IntArray
    pair_cause: IntArray
    groups: int
    per_group: int
    banks: int
    histories: int
    depth: int


def rule_arrays(table: RuleTable, organization: DramOrganization) -> RuleArrays:
    """Flatten ``table``; of several rules for one pair at one scope only the longest gap is kept."""
    specs = table.standard.commands
    longest: dict[tuple[int, int, int], int] = {}
    windowed = [rule for rule in table.rules if rule.window > 1]
    for rule in table.rules:
        if rule.window == 1:
            key = (rule.preceding, rule.following, SCOPE_CODES[rule.scope])
            longest[key] = max(longest.get(key, 0), rule.gap_ck)
    ordered = sorted(longest.items())
    history = {code: row for row, code in enumerate(sorted({rule.preceding for rule in windowed}))}
    windowed.sort(key=lambda rule: (rule.following, rule.preceding))
    commands = np.zeros((len(specs) + 1, 6), np.int64)
    for code, command in enumerate(specs):
        own = [gap for (before, after, _), gap in ordered if before == after == code]
        commands[code, :4] = ROW_CODES[command.row], table.latency_ck[code], max([1, *own]), history.get(code, -1)
        commands[code + 1, FIRST_AFTER] = sum(key[0] <= code for key, _ in ordered)
        commands[code + 1, FIRST_WINDOW] = sum(rule.following <= code for rule in windowed)
    windows = [(r.preceding, SCOPE_CODES[r.scope], r.gap_ck, r.window, history[r.preceding]) for r in windowed]
    return RuleArrays(
        commands=commands,
        after=np.array([(after, scope, gap) for (_, after, scope), gap in ordered], np.int64).reshape(-1, 3),
        windows=np.array(windows, np.int64).reshape(-1, 5),
        pair_cause=np.array([[table.pair_cause(a, b) for b in specs] for a in specs], np.int64),
        groups=organization.bank_groups,
        per_group=organization.banks_per_group,
        banks=organization.banks,
        histories=max(1, len(history)),
        depth=max([rule.window for rule in windowed], default=1),
    )


assert tuple(SCOPE_CODES) == PROGRAM_SCOPES
