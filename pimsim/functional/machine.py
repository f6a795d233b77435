"""The DRAM side of the functional run: memories, buffers and accumulators, driven by blocks and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import Device
from pimsim.engine import kernels_functional as core
from pimsim.errors import MappingError
from pimsim.functional.bf16 import FloatArray, WordArray
from pimsim.program.block import Block

IntArray = NDArray[np.int64]
ACTIONS = {
    "ACT": core.OPEN, "ACT_AB": core.OPEN, "PREpb": core.CLOSE, "PREab": core.CLOSE, "RD": core.READ, "RDA": core.READ_CLOSE,
    "WR": core.WRITE, "WRA": core.WRITE_CLOSE, "MAC_AB": core.MAC, "MAC_SB": core.MAC, "WR_GB": core.LOAD,
    "RD_MAC": core.READ_RESULT, "WR_BIAS": core.WRITE_BIAS, "RD_CP": core.COPY_IN, "WR_CP": core.COPY_OUT,
}  # fmt: skip
COMPLAINTS = {
    core.ROW_OPEN: "opens a row in a bank whose row is still open",
    core.ROW_CLOSED: "accesses a closed bank",
    core.WRONG_ROW: "is meant for another row than the one that is open",
    core.BEYOND_VECTOR: "addresses data beyond the vector that is sent or received",
    core.BEYOND_BUFFER: "addresses the global buffer beyond its end or beyond what was loaded",
    core.EMPTY_BUFFER: "multiplies by a global buffer that was never loaded",
    core.ACCUMULATORS_FULL: "starts a further output while every accumulator holds one that was not read",
    core.NO_SUCH_RESULT: "reads an output that no accumulator holds",
    core.BEYOND_ROW: "runs past the end of its row",
    core.NO_MEANING: "has no numerical meaning here",
}
NO_DATA = np.zeros((0, 1), np.uint16)


@dataclass(frozen=True, eq=False)
class Received:
    """What came back: ``columns`` (n, lanes) BF16 words and ``results`` (groups, banks), with how often each was written."""

    columns: WordArray
    column_times: IntArray
    results: FloatArray
    result_times: IntArray


class PimMachine:
    """Numbers in ``rows`` rows of every bank of a device; ``executed`` counts commands per channel and kind."""

    def __init__(self, device: Device, rows: int) -> None:
        shape, pim = device.organization, device.pim
        lanes, buffer_columns = pim.mac_lanes, pim.vectors_per_column * (pim.global_buffer_bytes // shape.column_bytes)
        accumulators = pim.vectors_per_column * pim.accumulators_per_bank
        if rows > shape.rows:
            raise MappingError(f"{device.name}: {rows} rows are asked for, a bank has {shape.rows}")
        if pim.mac_dtype != "bf16":
            raise MappingError(f"{device.name}: numbers are computed in BF16 only; pim.mac_dtype is {pim.mac_dtype}")
        self.device = device
        self.meaning = core.Meaning(
            np.array([_action(device, name) for name in device.standard.command_names], np.int64),
            shape.columns, shape.banks // shape.bank_groups, int(pim.accumulate == "bf16"), int(pim.result_dtype == "bf16"),
        )  # fmt: skip
        self.numbers = core.Numbers(
            memory=np.zeros((shape.channels, shape.banks, rows * shape.columns, lanes), np.uint16),
            open_row=np.full((shape.channels, shape.banks), -1, np.int64),
            buffer=np.zeros((shape.channels, buffer_columns, lanes), np.float32),
            pointer=np.zeros((shape.channels, 2), np.int64),
            tag=np.full((shape.channels, accumulators), -1, np.int64),
            accumulator=np.zeros((shape.channels, accumulators, shape.banks), np.float32),
            executed=np.zeros((shape.channels, len(device.standard.commands)), np.int64),
        )

    @property
    def memory(self) -> WordArray:
        """(channels, banks, columns, lanes) BF16 words; column ``row * columns_per_row + column`` of every bank."""
        return self.numbers.memory

    @property
    def executed(self) -> IntArray:
        """(channels, commands): commands executed so far."""
        return self.numbers.executed

    def run(
        self, blocks: tuple[Block | None, ...], base_row: int, sent: WordArray = NO_DATA, lanes: tuple[int, int] | None = None,
        read_columns: int = 0, result_groups: int = 0, moved: tuple[tuple[IntArray, IntArray], ...] = (),
    ) -> Received:  # fmt: skip
        """Execute one instruction's blocks, channel by channel.

        ``sent``: (columns, lanes) BF16 words. ``lanes``: first and end of those that WR writes, None for all. ``moved``: rows and
        columns per channel that take the place of the blocks' own. Raises MappingError at the first command that
        cannot mean anything.
        """
        width, banks = self.device.pim.mac_lanes, self.device.organization.banks
        received = Received(
            np.zeros((read_columns, width), np.uint16), np.zeros(read_columns, np.int64),
            np.zeros((result_groups, banks), np.float32), np.zeros(result_groups, np.int64),
        )  # fmt: skip
        transfer = core.Transfer(
            np.ascontiguousarray(sent),
            *(lanes or (0, width)),
            received.columns,
            received.column_times,
            received.results,
            received.result_times,
        )
        for channel, block in enumerate(blocks):
            if block is not None:
                row, column = moved[channel] if moved else (block.row, block.column)
                bursts = core.Bursts(
                    block.command, block.group, block.bank, block.count, row, column, block.operand, block.vectors, base_row
                )  # fmt: skip
                self._check_addresses(block, row, base_row)
                status, at = core.execute(self.meaning, self.numbers, channel, bursts, transfer)
                if status != core.FINE:
                    raise self._complaint(int(status), channel, block, int(at))
        return received

    def _check_addresses(self, block: Block, row: IntArray, base_row: int) -> None:
        rows = self.memory.shape[2] // self.device.organization.columns
        if len(row) and base_row + int(row.max()) >= rows:
            raise MappingError(f"{self.device.name}: a command addresses row {base_row + int(row.max())}; {rows} are in use")

    def _complaint(self, status: int, channel: int, block: Block, at: int) -> MappingError:
        name = self.device.standard.command_names[block.command[at]]
        return MappingError(
            f"{self.device.name}: channel {channel}, burst {at} of {block.bursts}: {name} (bank {block.bank[at]}, row "
            f"{block.row[at]}, column {block.column[at]}, operand {block.operand[at]}) {COMPLAINTS[status]}"
        )


def _action(device: Device, name: str) -> int:
    if name == device.standard.mode_switch:
        return core.NOTHING
    return ACTIONS.get(name, core.UNKNOWN)
