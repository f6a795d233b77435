"""Timed commands as plain arrays, and the checks that make such arrays safe to hand to compiled code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, OUTER_LEVELS, SAME_BANK
from pimsim.dram.organization import DramOrganization
from pimsim.errors import TraceError

IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
MAX_CLOCK = 1 << 60


class CommandTrace(NamedTuple):
    """Commands in issue order as equally long int64 arrays.

    ``clock`` in ticks, which are CK unless the standard has command slots of part of a CK; ``command`` is a code of
    ``RuleTable.code``; ``unit`` numbers the innermost level above the bank group (rank, pseudo channel, stack ID) through its
    channel; ``bank_group`` counts inside its unit, ``bank`` inside its bank group; -1 means that a field is not addressed
    (or, for ``clock``, not known). ``line`` says where a command comes from: line of a file, or index.
    """

    clock: IntArray
    command: IntArray
    channel: IntArray
    unit: IntArray
    bank_group: IntArray
    bank: IntArray
    row: IntArray
    column: IntArray
    line: IntArray

    @property
    def commands(self) -> int:
        """Number of commands (``len`` of a tuple is its number of fields)."""
        return int(self.command.shape[0])

    def take(self, index: IntArray | Mask | slice) -> CommandTrace:
        """The commands at ``index``."""
        return CommandTrace(*(field[index] for field in self))

    def flat_group(self, shape: DramOrganization) -> IntArray:
        """Bank group numbered through its channel; -1 where no single one is addressed."""
        return np.where(self.bank_group >= 0, self.unit * shape.bank_groups + self.bank_group, -1)

    def flat_bank(self, shape: DramOrganization) -> IntArray:
        """Bank numbered through its channel; -1 where no single bank is addressed."""
        single = (self.bank >= 0) & (self.bank_group >= 0)
        return np.where(single, self.flat_group(shape) * shape.banks_per_group + self.bank, -1)


def trace_of_flat_banks(
    device: Device, clock: IntArray, command: IntArray, channel: IntArray | int, bank: IntArray, row: IntArray, column: IntArray
) -> CommandTrace:
    """A trace from banks numbered flat inside their channel; a group-wide command gives any bank of its group."""
    shape = device.organization
    count = command.shape[0]
    lanes = np.broadcast_to(np.asarray(channel, np.int64), (count,))
    flat_group, inner = (
        np.where(bank >= 0, bank // shape.banks_per_group, -1),
        np.where(bank >= 0, bank % shape.banks_per_group, -1),
    )
    unit, group = np.where(bank >= 0, bank // shape.banks_per_unit, -1), np.where(bank >= 0, flat_group % shape.bank_groups, -1)
    if shape.units == 1:
        unit = np.zeros_like(unit)
    return addressed_only(CommandTrace(clock, command, lanes, unit, group, inner, row, column, np.arange(count)), device)


def concatenate(parts: list[CommandTrace]) -> CommandTrace:
    """One trace out of consecutive parts."""
    if not parts:
        return CommandTrace(*(np.empty(0, np.int64) for _ in CommandTrace._fields))
    return CommandTrace(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def split_by_channel(trace: CommandTrace) -> list[tuple[int, IntArray]]:
    """(channel, indices of its commands in order) of every channel in the trace."""
    if trace.commands == 0:
        return []
    order = np.argsort(trace.channel, kind="stable")
    channels, starts = np.unique(trace.channel[order], return_index=True)
    return [(int(channel), index) for channel, index in zip(channels, np.split(order, starts[1:]), strict=True)]


def addressed_only(trace: CommandTrace, device: Device) -> CommandTrace:
    """The same trace with -1 in bank fields that the command's scope does not address."""
    scope = np.array([command.scope for command in device.standard.commands])[trace.command]
    single = device.organization.units == 1
    return trace._replace(
        unit=np.zeros_like(trace.unit) if single else np.where(scope == CHANNEL, -1, trace.unit),
        bank_group=np.where(np.isin(scope, _WITHOUT_GROUP), -1, trace.bank_group),
        bank=np.where(np.isin(scope, (BANK, SAME_BANK)), trace.bank, -1),
    )


_WITHOUT_GROUP = (CHANNEL, *OUTER_LEVELS, SAME_BANK)


def check_fields(trace: CommandTrace, device: Device, where: str) -> None:
    """Refuse commands, channels, banks, rows and columns that the device has not. Raises TraceError naming ``where``:line."""
    commands = device.standard.commands
    known = (trace.command >= 0) & (trace.command < len(commands))
    code = np.where(known, trace.command, 0)
    scope = np.array([command.scope for command in commands])[code]
    needs_column = np.array([command.is_column for command in commands])[code]
    needs_row = needs_column | np.array([command.row.startswith("open") for command in commands])[code]
    never, always = np.zeros_like(known), np.ones_like(known)
    shape = device.organization
    fields = (
        ("command", trace.command, len(commands), always),
        ("clock", trace.clock, MAX_CLOCK, never),
        ("channel", trace.channel, shape.channels, always),
        ("unit", trace.unit, shape.units, (scope != CHANNEL) & (shape.units > 1)),
        ("bank_group", trace.bank_group, shape.bank_groups, np.isin(scope, (BANK, BANK_GROUP))),
        ("bank", trace.bank, shape.banks_per_group, np.isin(scope, (BANK, SAME_BANK))),
        ("row", trace.row, shape.rows, needs_row),
        ("column", trace.column, _columns_addressable(device), needs_column),
    )
    faults = []
    for name, values, limit, needed in fields:
        bad = (values >= limit) | (values < np.where(needed, 0, -1))
        if bad.any():
            faults.append((int(np.argmax(bad)), name, limit))
    if faults:
        index, name, limit = min(faults)
        value = int(getattr(trace, name)[index])
        wanted = " and ".join(level for level, _ in shape.outer) if name == "unit" else name
        what = f"{name} {value} is out of range" if value != -1 else f"{commands[int(code[index])].name} needs a {wanted}"
        raise TraceError(f"{where}:{int(trace.line[index])}: {what}; allowed: 0 to {limit - 1}")


def _columns_addressable(device: Device) -> int:
    """Columns of a row, counted in bursts or in beats, or of the global buffer where that is larger: register commands count
    columns in it."""
    shape, pim = device.organization, device.spec.pim
    columns = shape.columns * device.standard.beats_per_column
    return max(columns, pim.global_buffer_bytes // shape.column_bytes) if pim else columns
