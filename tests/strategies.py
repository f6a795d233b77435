"""Random legal command streams for any standard, devices to run them on, and random timing tables.

A stream is legal when every command finds its banks in the state it needs. Streams are built from the commands'
attributes alone (scope and what they do to rows), so they exist for every standard without knowing any.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import strategies as st

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.config.shipped import shipped_names
from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, SAME_BANK, Command
from pimsim.dram.timing import TimingParams
from pimsim.engine.command_trace import CommandTrace, concatenate, trace_of_flat_banks

ACTIVATION = "pim.all_bank_activation"
CLOCK_LEAD = "nCAS"
GROUPED = (f"{ACTIVATION}.grouped_by=4",)
GROUPED_FAW = (*GROUPED, f"{ACTIVATION}.obey_tFAW=true")


@cache
def devices() -> dict[str, Device]:
    """One device of every different rule table that shipped hardware and its all-bank activation variants have."""
    found: dict[tuple[object, ...], tuple[str, Device]] = {}
    for name in shipped_names("hw_configs"):
        plain = load_hardware(name)
        variants: list[tuple[str, tuple[str, ...]]] = [("", ())]
        if ("rank", 1) in plain.organization.outer:
            variants = [("_2r", ("dram.ranks=2",))]
        if plain.spec.pim is not None:
            variants += [("_grouped", GROUPED), ("_grouped_faw", GROUPED_FAW)]
        for suffix, settings in variants:
            device = load_hardware(name, settings)
            found.setdefault((device.standard.name, device.standard.rules), (f"{name}{suffix}", device))
    return dict(found.values())


def with_cycles(device: Device, cycles: dict[str, int]) -> Device:
    """``device`` with other timing, in CK, whether or not a DRAM could have it."""
    return replace(device, timing=TimingParams(device.timing.t_ck_ps, cycles, {}))


def random_timing(device: Device, rng: random.Random) -> Device:
    """``device`` with every timing parameter drawn anew, but for the time from a clock's start to its column command."""
    drawn = {name: rng.choice((1, 2, 3, 5, 9, 17, 31, 58)) for name in device.timing.cycles}
    return with_cycles(device, {name: 1 if name == CLOCK_LEAD else cycles for name, cycles in drawn.items()})


class StreamBuilder:
    """Grows a legal stream on one channel; knows which row every bank has open.

    The two commands of an activation stand together, and a command that starts a data clock before every column command.
    """

    def __init__(self, device: Device, channel: int = 0) -> None:
        self.device, self.channel = device, channel
        self.shape, self.commands = device.organization, device.standard.commands
        self.open_row = [-1] * self.shape.banks
        self.issued: list[tuple[int, int, int, int]] = []
        clock = device.standard.data_clock
        self.starter = dict(clock.starts) if clock else {}

    def targets(self, command: Command, bank: int) -> range:
        """Banks that the command addresses."""
        if command.scope == SAME_BANK:
            low = bank // self.shape.banks_per_unit * self.shape.banks_per_unit
            first = low + bank % self.shape.banks_per_group
            return range(first, low + self.shape.banks_per_unit, self.shape.banks_per_group)
        width = banks_of(self.device, command.scope)
        low = bank // width * width
        return range(low, low + width)

    def meant(self, command: Command) -> Command:
        """What to choose for ``command``: the first of its pair, the column command that it stands before, or itself."""
        if command.row == "open_second":
            return next(c for c in self.commands if c.row == "open_first")
        columns = [name for name, starter in self.starter.items() if starter == command.name]
        return self.device.standard.command(columns[0]) if columns else command

    def legal(self, command: Command, bank: int, row: int) -> bool:
        """Are all addressed banks in the state that the command needs?"""
        rows = [self.open_row[b] for b in self.targets(command, bank)]
        if command.is_column:
            return all(open_row == row for open_row in rows)
        return command.row not in ("open", "open_first", "refresh", "closed") or all(open_row < 0 for open_row in rows)

    def issue(self, command: Command, bank: int, row: int, column: int = 0) -> None:
        """Append a legal command, and what belongs to it."""
        assert self.legal(command, bank, row), (command, bank, row)
        after = {"open": row, "open_first": row, "close": -1, "column_close": -1}
        for b in self.targets(command, bank):
            self.open_row[b] = after.get(command.row, self.open_row[b])
        whole = [command]
        if command.name in self.starter:
            whole.insert(0, self.device.standard.command(self.starter[command.name]))
        if command.row == "open_first":
            whole.append(next(c for c in self.commands if c.row == "open_second"))
        for c in whole:
            self.issued.append((self.commands.index(c), bank if c.scope != CHANNEL else -1, row, column))

    def step_towards(self, command: Command, bank: int, row: int, column: int = 0) -> None:
        """Append the command if it is legal, else one command that brings it nearer."""
        command = self.meant(command)
        if self.legal(command, bank, row):
            self.issue(command, bank, row, column)
            return
        wanted = row if command.is_column else -1
        wrong = [b for b in self.targets(command, bank) if self.open_row[b] not in (-1, wanted)]
        single = command.scope in (BANK, SAME_BANK)
        if wrong:
            self.issue(self._closer(single), wrong[0], row)
            return
        closed = [b for b in self.targets(command, bank) if self.open_row[b] < 0]
        opener = self._opener(single)
        if (opener.scope == CHANNEL and len(closed) < self.shape.banks) or (
            opener.scope == BANK_GROUP and not self.legal(opener, closed[0], row)
        ):
            self.issue(self._closer(single), closed[0], row)
        else:
            self.issue(opener, closed[0], row)

    def prepare(self, command: Command, bank: int, row: int) -> None:
        """Append what makes the command legal."""
        command = self.meant(command)
        while not self.legal(command, bank, row):
            self.step_towards(command, bank, row)

    def trace(self) -> CommandTrace:
        """What was appended, without clocks; lines count from 0."""
        fields = np.array(self.issued, np.int64).reshape(-1, 4).T
        unknown = np.full(fields.shape[1], -1, np.int64)
        return trace_of_flat_banks(self.device, unknown, fields[0], self.channel, fields[1], fields[2], fields[3])

    def _closer(self, single: bool) -> Command:
        return next(c for c in self.commands if c.row == "close" and (c.scope == BANK) == single)

    def _opener(self, single: bool) -> Command:
        scopes = (BANK,) if single else (CHANNEL, BANK_GROUP, BANK)
        return next(c for s in scopes for c in self.commands if c.row in ("open", "open_first") and c.scope == s)


def banks_of(device: Device, scope: str) -> int:
    """Banks of one unit of a scope."""
    shape = device.organization
    if scope in (BANK, BANK_GROUP):
        return 1 if scope == BANK else shape.banks_per_group
    banks = shape.banks
    for level, count in shape.outer if scope != CHANNEL else ():
        banks //= count
        if level == scope:
            break
    return banks


def random_stream(device: Device, choices: list[int], rows: int = 3, banks: int | None = None) -> CommandTrace:
    """A legal stream, one command a choice or all that lead to one: few rows and, if asked for, few banks, so that commands meet often."""
    channels = [StreamBuilder(device, channel) for channel in range(min(2, device.organization.channels))]
    order = []
    for choice in choices:
        rng = random.Random(choice)
        builder = channels[0] if rng.random() < 0.9 else channels[-1]
        command = builder.meant(rng.choice(builder.commands))
        bank = rng.randrange(banks or builder.shape.banks)
        open_rows = [row for row in builder.open_row if row >= 0]
        row = rng.choice(open_rows) if open_rows and rng.random() < 0.8 else rng.randrange(rows)
        before = len(builder.issued)
        if rng.random() < 0.3:
            builder.prepare(command, bank, row)
        builder.step_towards(command, bank, row, rng.randrange(builder.shape.columns))
        order += [(builder.channel, k) for k in range(before, len(builder.issued))]
    return _interleaved([builder.trace() for builder in channels], order)


def _interleaved(parts: list[CommandTrace], order: list[tuple[int, int]]) -> CommandTrace:
    offsets = np.cumsum([0] + [part.commands for part in parts])
    index = np.array([offsets[channel] + k for channel, k in order], np.int64)
    return concatenate(parts).take(index)._replace(line=np.arange(len(order)))


def command_streams(device: Device, max_size: int = 120) -> st.SearchStrategy[CommandTrace]:
    """Legal streams of up to ``max_size`` commands, without clocks."""
    choices = st.lists(st.integers(0, 1 << 30), min_size=1, max_size=max_size)
    return choices.map(lambda drawn: random_stream(device, drawn))


def timings(device: Device) -> st.SearchStrategy[Device]:
    """``device`` with random timing tables."""
    return st.integers(0, 1 << 30).map(lambda seed: random_timing(device, random.Random(seed)))
