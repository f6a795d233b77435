"""What has been found out about channels so far, by number: timing states, phrases of commands, what follows from one in another.

A *phrase* is what a block issues from one point at which all its banks are closed to the next. A *state* is how far each rule still
reaches ahead of the last issue, and nothing else, so that equal futures have equal numbers. What a phrase does to a state is a
function of few small numbers; it is simulated once and looked up ever after. A *block* is a sequence of *places*, one before each
phrase and one at its end, with what had happened by then when it ran from a fresh channel, undisturbed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pimsim.config.device import Device
from pimsim.dram.commands import CAUSES
from pimsim.engine.records import record_type, records
from pimsim.engine.rule_arrays import RuleArrays, rule_arrays
from pimsim.engine.state import CHANNEL, CONTROL, MAX_COMMANDS, MAX_DEPTH, MAX_HISTORIES, MAX_NODES, control_of
from pimsim.errors import ConfigError

NO_DATA = -(1 << 40)
MAX_RULES, MAX_WINDOWS, MAX_DEADLINES, MAX_ENTRIES = 4096, 64, 1024, 512
MAX_STATES, MAX_PHRASES, MAX_BURSTS, MAX_TRANSITIONS = 1 << 12, 1 << 17, 1 << 21, 1 << 16
MAX_BLOCKS, MAX_PLACES = 1 << 16, 1 << 22

RULES = record_type(  # ``RuleArrays``
    commands=(int, MAX_COMMANDS + 1, 6),
    after=(int, MAX_RULES, 3),
    windows=(int, MAX_WINDOWS, 5),
    pair_cause=(int, MAX_COMMANDS, MAX_COMMANDS),
    groups=int,
    per_group=int,
    banks=int,
    kinds=int,  # number of commands
)
# What a state consists of: a deadline, or the issue ``ago`` issues back that a window of ``gap`` cycles looks at.
DEADLINE = record_type(command=int, node=int)
ENTRY = record_type(history=int, node=int, ago=int, gap=int)
BURST = record_type(command=int, group=int, bank=int, count=int, cause=int)
TRANSITION = record_type(
    low=int,  # the two words of its key
    high=int,
    state=int,  # state afterwards
    first=int,  # issue of its first command, relative to the last one before it, as all times
    advance=int,  # issue of its last command
    done=int,  # end of its last data, or NO_DATA
    open_cycles=int,
    refreshes=int,
    causes=(int, len(CAUSES) + 1),
    extra=(np.int32, MAX_COMMANDS),
)
PLACE = record_type(
    phrase=int,  # phrase that follows; -1 at the end
    state=int,  # state here
    last=int,  # last issue before
    first=int,  # first issue of the phrase that follows
    done=int,  # end of that phrase's last data
    done_so_far=int,  # end of all data before
    open_cycles=int,
    causes=(int, len(CAUSES)),
)
MEMO = record_type(
    states=int,  # how many of each there are
    phrases=int,
    bursts=int,
    transitions=int,
    blocks=int,
    followed=int,  # blocks whose places are known
    places=int,
    full=int,  # 1 once something did not fit
    simulated=int,  # bursts simulated to find out what they do
    deadlines=int,
    entries=int,
    deadline=(DEADLINE, MAX_DEADLINES),
    entry=(ENTRY, MAX_ENTRIES),
    # Of each state: deadlines, their binders, window entries; whether a refresh came last; cycles until it holds nothing back.
    state_values=(np.int32, MAX_STATES + 1, 2 * MAX_DEADLINES + MAX_ENTRIES),
    after_refresh=(int, MAX_STATES + 1),
    quiet=(int, MAX_STATES + 1),
    # Bursts of phrase p: from phrase_start[p] to phrase_start[p + 1]; a refresh cannot come inside a solid one unless urgent.
    burst=(BURST, MAX_BURSTS),
    phrase_start=(int, MAX_PHRASES + 2),
    solid=(int, MAX_PHRASES + 1),
    transition=(TRANSITION, MAX_TRANSITIONS + 1),
    # Places of block b: from block_start[b] to block_start[b + 1].
    place=(PLACE, MAX_PLACES),
    block_start=(int, MAX_BLOCKS + 2),
    # Hash tables of numbers: number + 1, 0 where free.
    state_table=(int, 4 * MAX_STATES),
    phrase_table=(int, 4 * MAX_PHRASES),
    transition_table=(int, 2 * MAX_TRANSITIONS),
    block_table=(int, 4 * MAX_BLOCKS),
)
CORE = record_type(
    rules=RULES,
    control=CONTROL,
    calm=CONTROL,  # the same without refresh
    memo=MEMO,
    bench=CHANNEL,  # one more channel, to find out on what phrases do
    silent=(int, 1, 8),  # a log that takes nothing
)


def core_of(device: Device, skip: bool = True) -> Any:
    """A CORE record (in an array of one) for a device, in which nothing is known. Raises ConfigError if it is too large for one."""
    rules = rule_arrays(device.table, device.organization)
    _check_size(device, rules)
    core = records(1, CORE)
    own = core[0].rules
    for name in ("commands", "after", "windows", "pair_cause"):
        values = getattr(rules, name)
        getattr(own, name)[tuple(slice(extent) for extent in values.shape)] = values
    own.groups, own.per_group, own.banks, own.kinds = rules.groups, rules.per_group, rules.banks, len(rules.commands) - 1
    for name, value in control_of(device, skip).items():
        setattr(core[0].control, name, value)
        setattr(core[0].calm, name, value if name != "refresh_mode" else 0)
    _name_parts(core[0].memo, rules)
    return core


def _name_parts(memo: Any, rules: RuleArrays) -> None:
    """Mutates ``memo``: which deadlines and window entries a rule can read, all that two states may differ in."""
    nodes = (range(1), range(1, 1 + rules.groups), range(1 + rules.groups, 1 + rules.groups + rules.banks))
    deadlines = sorted({(following, node) for following, scope, _ in rules.after.tolist() for node in nodes[scope]})
    longest: dict[tuple[int, int, int], int] = {}
    for _, scope, gap, length, row in rules.windows.tolist():
        for key in ((row, node, ago) for node in nodes[scope] for ago in range(length)):
            longest[key] = max(longest.get(key, 0), gap)
    entries = [(*key, gap) for key, gap in sorted(longest.items())]
    memo.deadlines, memo.entries = len(deadlines), len(entries)
    memo.deadline[: len(deadlines)] = np.array(deadlines, [(name, np.int64) for name in DEADLINE.names or ()])
    memo.entry[: len(entries)] = np.array(entries, [(name, np.int64) for name in ENTRY.names or ()])


def _check_size(device: Device, rules: RuleArrays) -> None:
    nodes = 1 + rules.groups + rules.banks
    following = len(set(rules.after[:, 0].tolist()))
    sizes = (
        ("commands", len(rules.commands) - 1, MAX_COMMANDS),
        ("bank groups and banks", nodes, MAX_NODES),
        ("timing rules", len(rules.after), MAX_RULES),
        ("deadlines", following * nodes, MAX_DEADLINES * 4),
        ("windows", len(rules.windows), MAX_WINDOWS),
        ("commands that windows look at", rules.histories, MAX_HISTORIES),
        ("commands in a window", rules.depth, MAX_DEPTH),
    )
    for what, found, most in sizes:
        if found > most:
            raise ConfigError(f"{device.name}: {found} {what}: the fast engine takes at most {most}")
