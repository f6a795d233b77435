"""Wrong placements give the same cycles and the same commands, and other numbers: only this check sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pimsim.config.device import Device
from pimsim.errors import MappingError
from pimsim.functional.kinds import vmm
from pimsim.mapping.layout import Region
from pimsim.program import vectors
from pimsim.program.block import Block
from pimsim.program.instruction import Instruction, Section, StepProgram
from tests.functional_cases import Change, decode, device, expected, workload

TOKENS = 8
SMALL_BUFFER = "pim.global_buffer_bytes=256"


def test_two_tiles_swapped() -> None:
    def swap(on: Device, block: Block) -> Block:
        macs = np.flatnonzero(block.command == on.table.code["MAC_AB"])[:2]
        column = block.column.copy()
        column[macs] = column[macs[::-1]]
        assert block.operand[macs[0]] != block.operand[macs[1]]
        return replace(block, column=column)

    caught_by_numbers_alone(changing("qkv", swap), device(SMALL_BUFFER))


def test_partial_sum_that_overwrites_another_is_refused() -> None:
    def overwrite(on: Device, block: Block) -> Block:
        groups = np.unique(block.operand[block.command == on.table.code["RD_MAC"]])
        moved = (block.operand == groups[-1]) & (block.command != on.table.code["WR_GB"])
        return replace(block, operand=np.where(moved, groups[0], block.operand))

    on, change = device(SMALL_BUFFER), changing("ffn2", overwrite)
    with pytest.raises(MappingError, match=r"h0\.ffn2: output group 0 arrived 2 times"):
        decode(on, workload("tiny"), TOKENS, change(on))


def test_missing_partial_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    right = vmm.sum_of_parts
    monkeypatch.setattr(vmm, "sum_of_parts", lambda parts: right(parts[:-1] if len(parts) > 1 else parts))
    caught_by_numbers_alone(unchanged, device(SMALL_BUFFER))


def test_values_row_major(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens lie side by side in columns, where the products expect them side by side in lanes."""

    def row_major(region: Region, token: int) -> list[int]:
        return [token % region.layout.chunks[0].columns] * region.local_slots

    monkeypatch.setattr(vectors, "value_offset", row_major)
    caught_by_numbers_alone(unchanged, device())


def test_input_chunks_swapped() -> None:
    def swap(on: Device, block: Block) -> Block:
        loads = np.flatnonzero(block.command == on.table.code["WR_GB"])[:2]
        operand = block.operand.copy()
        operand[loads] = operand[loads[::-1]]
        return replace(block, operand=operand)

    caught_by_numbers_alone(changing("ffn2", swap), device(SMALL_BUFFER))


def test_row_that_is_not_open_is_refused() -> None:
    def other_row(on: Device, block: Block) -> Block:
        return replace(block, row=np.where(block.command == on.table.code["MAC_AB"], block.row + 1, block.row))

    on, change = device(), changing("qkv", other_row)
    with pytest.raises(MappingError, match=r"MAC_AB .* is meant for another row than the one that is open"):
        decode(on, workload("tiny"), 1, change(on))


def unchanged(on: Device) -> Change:
    return lambda program: program


def changing(label: str, block_of: Callable[[Device, Block], Block]) -> Callable[[Device], Change]:
    """A change of the blocks of channel 0 of every product called ``label``."""

    def of_instruction(on: Device, instruction: Instruction) -> Instruction:
        if instruction.label != label or instruction.role != "vmm":
            return instruction
        first, *others = instruction.blocks
        assert first is not None
        return replace(instruction, blocks=(block_of(on, first), *others))

    def of_program(on: Device, program: StepProgram) -> StepProgram:
        return replace(program, sections=tuple(of_section(on, section) for section in program.sections))

    def of_section(on: Device, section: Section) -> Section:
        return replace(section, instructions=tuple(of_instruction(on, instruction) for instruction in section.instructions))

    return lambda on: lambda program: of_program(on, program)


def caught_by_numbers_alone(change: Callable[[Device], Change], on: Device) -> None:
    """Timing and counts are those of the right program; tokens and logits are not the independent model's."""
    tokens, logits = expected("tiny", TOKENS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vmm, "sum_of_parts", RIGHT_SUM)
        patch.setattr(vectors, "value_offset", RIGHT_OFFSET)
        right = decode(on, workload("tiny"), TOKENS, timed_with=tokens)
    wrong = decode(on, workload("tiny"), TOKENS, change(on), tokens)
    assert right.outcome is not None
    assert wrong.outcome is not None
    np.testing.assert_array_equal(wrong.outcome.step_ps, right.outcome.step_ps)
    np.testing.assert_array_equal(wrong.outcome.counts, right.outcome.counts)
    np.testing.assert_array_equal(wrong.outcome.causes, right.outcome.causes)
    assert np.abs(right.logits - logits).max() < 2.0**-6
    assert np.abs(wrong.logits - logits).max() > 0.1


RIGHT_SUM, RIGHT_OFFSET = vmm.sum_of_parts, vectors.value_offset
