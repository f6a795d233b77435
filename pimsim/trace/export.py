"""The timed commands of one recorded step, with absolute rows and columns, as parts of a command stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.command_trace import CommandTrace, IntArray, trace_of_flat_banks
from pimsim.engine.fast import StepRecord
from pimsim.engine.rule_arrays import SPACING, rule_arrays
from pimsim.errors import RequestError
from pimsim.mapping.placement import Placement
from pimsim.program.block import Block
from pimsim.program.instruction import Instruction, StepProgram
from pimsim.program.vectors import value_addresses

CYCLE, COUNT, OFFSET, COMMAND, GROUP, BANK = range(6)  # columns of ``StepRecord.log``


class Piece(NamedTuple):
    """What one channel issued for one instruction: rows of the record's log, with row and first column of each.

    ``number`` counts the instructions of the step; ``layer`` is -1 outside the layers. ``row`` and ``column`` are absolute,
    -1 where none is addressed.
    """

    number: int
    instruction: Instruction
    layer: int
    channel: int
    log: IntArray
    row: IntArray
    column: IntArray


def pieces(device: Device, placement: Placement, record: StepRecord) -> Iterator[Piece]:
    """The log of a recorded step, cut by instruction and channel; a refresh belongs to the command that it goes before."""
    commands_so_far = np.cumsum(np.where(record.log[:, OFFSET] >= 0, record.log[:, COUNT], 0))
    first = issued = 0
    names = record.program.placed_names()
    for number, ((instruction, layer), name) in enumerate(zip(record.program.unrolled(), names, strict=True)):
        for channel, block in enumerate(instruction.blocks):
            if block is None:
                continue
            issued += int(block.count.sum())
            end = int(np.searchsorted(commands_so_far, issued)) + 1
            row, column = _addresses(placement, instruction, name, block)
            log = record.log[first:end]
            yield Piece(number, instruction, layer, channel, log, *_along_log(device, log, row, column))
            first = end


def check_layer(program: StepProgram, layer: int | None) -> None:
    """Refuse a layer that the model has not. Raises RequestError."""
    if layer is not None and not 0 <= layer < program.layers:
        raise RequestError(f"layer {layer}: must be from 0 to {program.layers - 1}")


def export_step(device: Device, placement: Placement, record: StepRecord, layer: int | None = None) -> Iterator[CommandTrace]:
    """Every command of a recorded step, refresh's own included, as parts in issue order; of one layer if it is given."""
    spacing = rule_arrays(device.table, device.organization).commands[:, SPACING]
    line = 0
    for piece in pieces(device, placement, record):
        if layer is None or piece.layer == layer:
            part = _expand(device, piece, spacing)
            yield part._replace(line=part.line + line)
            line += part.commands


def _expand(device: Device, piece: Piece, spacing: IntArray) -> CommandTrace:
    """Single commands out of the log's bursts."""
    counts = piece.log[:, COUNT]
    burst = np.repeat(np.arange(len(counts)), counts)
    inside = np.arange(len(burst)) - np.repeat(np.cumsum(counts) - counts, counts)
    log, column = piece.log[burst], piece.column[burst]
    trace = trace_of_flat_banks(
        device,
        log[:, CYCLE] + inside * spacing[log[:, COMMAND]],
        log[:, COMMAND],
        piece.channel,
        log[:, BANK],
        piece.row[burst],
        np.where(column >= 0, column + inside, -1),
    )
    return trace._replace(bank_group=log[:, GROUP])


def _addresses(placement: Placement, instruction: Instruction, name: str, block: Block) -> tuple[IntArray, IntArray]:
    """Absolute row and column of every burst of a block. A block that writes V is built for token 0 and moves along the run."""
    row, column = block.row, block.column
    if instruction.tokens is not None:
        row, column = value_addresses(placement.regions[name], block, instruction.tokens[0])
    return np.where(row >= 0, row + placement.base_row(name, instruction.sequence), -1), column


def _along_log(device: Device, log: IntArray, row: IntArray, column: IntArray) -> tuple[IntArray, IntArray]:
    """Row and column of each row of the log, from those of the block's bursts.

    An activation that refresh caused opens the row that the same activation opened last.
    """
    own = log[:, OFFSET] >= 0
    burst = np.cumsum(log[:, OFFSET] == 0) - 1
    rows, columns = np.full(len(log), -1), np.full(len(log), -1)
    rows[own], columns[own] = row[burst[own]], column[burst[own]]
    columns[own] += np.where(columns[own] >= 0, log[own, OFFSET], 0)
    commands = device.standard.commands
    columns[~np.array([command.is_column for command in commands])[log[:, COMMAND]]] = -1
    opens = np.array([command.row == "open" for command in commands])[log[:, COMMAND]]
    for k in np.flatnonzero(opens & ~own):
        same = np.flatnonzero(opens[:k] & own[:k] & (log[:k, COMMAND:] == log[k, COMMAND:])[:, :3].all(1))
        rows[k] = rows[same[-1]]
    return rows, columns
