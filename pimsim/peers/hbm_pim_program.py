"""HBM-PIM (Samsung, PIMSimulator @ b464dde): operations as the ordinary reads and writes that its host sends to a pseudo channel.

All pseudo channels get the same. In all-bank modes bank 0 stands for all even banks and bank 1 for all odd ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pimsim.errors import ConfigError

PARK_ROW, MODE_ROW, SINGLE_BANK_ROW, REGISTER_ROW = 0x1000, 0x17FF, 0x1FFF, 0x3FFF
MODE_COLUMN, INSTRUCTION_COLUMN, INPUT_COLUMN = 31, 4, 8
EVEN, ODD = 0, 1
MAX_COMMANDS = 4_000_000
ELEMENTWISE = ("add", "mul", "relu")
_OPERAND_ROW, _RESULT_ROW = 128, 256


class Access(NamedTuple):
    """A read or write of one burst; nothing passes one with a ``barrier``."""

    writes: bool
    bank: int
    row: int
    column: int
    barrier: bool


@dataclass(frozen=True)
class HbmPimShape:
    """What programs depend on: pseudo channels, banks, bank groups, units, columns of a row, registers, lanes of a unit."""

    pseudo_channels: int = 64
    banks: int = 16
    bank_groups: int = 4
    units: int = 8
    columns: int = 32
    registers: int = 8
    lanes: int = 16

    @property
    def inputs_per_tile(self) -> int:
        """Elements of the input vector that the registers hold."""
        return self.registers * self.lanes

    @property
    def outputs_per_tile(self) -> int:
        """Outputs that the registers of all units hold."""
        return self.pseudo_channels * self.units * self.registers

    @property
    def elements_per_tile(self) -> int:
        """Elements of a vector that one round of an element-wise operation covers."""
        return self.pseudo_channels * self.banks * self.registers * self.lanes


class _Program:
    def __init__(self, shape: HbmPimShape) -> None:
        self.shape = shape
        self.accesses: list[Access] = []

    def run(self, writes: bool, bank: int, row: int, column: int, count: int = 1) -> None:
        """``count`` accesses at consecutive columns, over rows' ends, and a barrier."""
        for k in range(count):
            place = column + k
            at = (bank, row + place // self.shape.columns, place % self.shape.columns)
            self.accesses.append(Access(writes, *at, barrier=k == count - 1))

    def park(self) -> None:
        """One read of every bank, the groups in turn."""
        per_group = self.shape.banks // self.shape.bank_groups
        banks = [group * per_group + k for k in range(per_group) for group in range(self.shape.bank_groups)]
        self.accesses += [Access(False, bank, PARK_ROW, 0, barrier=bank == banks[-1]) for bank in banks]

    def begin(self) -> None:
        """Park, to all-bank mode, and the units' instructions."""
        self.park()
        half = self.shape.banks // 2
        for bank in (0, 1, half, half + 1):
            self.accesses.append(Access(True, bank, MODE_ROW, MODE_COLUMN, barrier=bank == half + 1))
        self.run(True, ODD, REGISTER_ROW, INSTRUCTION_COLUMN)

    def switch_units(self) -> None:
        """Columns run instructions from here on, or no longer."""
        self.run(True, EVEN, REGISTER_ROW, 0)

    def end(self) -> None:
        """Back to one bank at a time, and park."""
        for bank in (EVEN, ODD):
            self.accesses.append(Access(True, bank, SINGLE_BANK_ROW, MODE_COLUMN, barrier=bank == ODD))
        self.park()


def gemv_program(shape: HbmPimShape, outputs: int, inputs: int, batch: int = 1) -> list[Access]:
    """``batch`` products of a matrix of ``outputs`` x ``inputs``; the host adds up each unit's 16 partial sums."""
    check_sizes(outputs=outputs, inputs=inputs, batch=batch)
    program, registers = _Program(shape), shape.registers
    output_tiles, input_tiles = -(-outputs // shape.outputs_per_tile), -(-inputs // shape.inputs_per_tile)
    macs = registers * registers
    check_commands(output_tiles * input_tiles * batch * (macs + registers))
    program.begin()
    for j in range(output_tiles):
        for b in range(batch):
            program.switch_units()
            for bank in (EVEN, ODD):
                for i in range(bank, input_tiles, 2):
                    program.run(True, ODD, REGISTER_ROW, INPUT_COLUMN, registers)
                    first = macs * (i // 2 + j * input_tiles // 2)
                    for k in range(0, macs, registers):
                        program.run(False, bank, 0, first + k, registers)
            program.run(True, ODD, 0, output_tiles * input_tiles // 2 * macs + (j + b) * registers, registers)
            program.switch_units()
    program.end()
    return program.accesses


def elementwise_program(shape: HbmPimShape, operation: str, elements: int) -> list[Access]:
    """``add`` or ``mul`` of two vectors, or ``relu`` of one; of ``elements`` only whole rounds are done, as the peer does."""
    check_sizes(elements=elements)
    program, count = _Program(shape), shape.registers
    rounds = elements // shape.elements_per_tile
    if rounds < 1:
        raise ConfigError(f"{operation}: elements {elements} must be at least {shape.elements_per_tile}, one round of all units")
    check_commands(rounds * 6 * count)
    program.begin()
    program.switch_units()
    for i in range(rounds):
        for bank in (EVEN, ODD):
            program.run(False, bank, 0, count * i, count)
            if operation != "relu":
                program.run(False, bank, _OPERAND_ROW, count * i, count)
            program.run(True, bank, _RESULT_ROW, count * i, count)
    program.switch_units()
    program.end()
    return program.accesses


def check_sizes(**sizes: int) -> None:
    """Refuse sizes below 1 or beyond what a run can take."""
    for name, value in sizes.items():
        if not 1 <= value <= 1 << 24:
            raise ConfigError(f"{name} {value} must be 1..{1 << 24}")


def check_commands(count: int) -> None:
    """Refuse operations of more commands than are run one by one."""
    if count > MAX_COMMANDS:
        raise ConfigError(f"an operation of {count} commands a channel is too large; at most {MAX_COMMANDS}")
