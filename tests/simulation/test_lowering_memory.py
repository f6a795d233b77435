"""Lowering a long request holds the blocks of one step, however many steps came before."""

from __future__ import annotations

import gc
from weakref import WeakSet

import pytest

from pimsim.config.load import load_hardware, load_workload
from pimsim.mapping.placement import place
from pimsim.program.block import FIELDS, Block
from pimsim.program.instruction import StepProgram
from pimsim.program.lower import Lowering
from pimsim.workload.model import DecoderModel


@pytest.fixture
def lowering() -> Lowering:
    device, workload = load_hardware("pim_gpt"), load_workload("gpt2_small", ["model.vocabulary=64"])
    model = DecoderModel(workload.model)
    return Lowering(device, model, place(device, model))


def blocks_of(program: StepProgram) -> list[Block]:
    return [b for instruction, _ in program.unrolled() for b in instruction.blocks if b is not None]


def alive_after(lowering: Lowering, contexts: range) -> int:
    """Blocks still held once the programs of ``contexts`` are gone, each lowered with another token."""
    seen: WeakSet[Block] = WeakSet()
    for context in contexts:
        seen.update(blocks_of(lowering.step(context, True, token_id=context % 64)))
    gc.collect()
    return len(seen)


def test_blocks_held_do_not_grow_with_tokens(lowering: Lowering) -> None:
    assert alive_after(lowering, range(1, 321)) <= alive_after(lowering, range(305, 321))


def test_steps_of_one_context_slot_share_their_attention_blocks(lowering: Lowering) -> None:
    first, second = (lowering.step(context, True) for context in (33, 34))
    for one, other in zip(first.sections[1].instructions, second.sections[1].instructions, strict=True):
        assert (one.blocks is other.blocks) == (one.label != "k_write" or not one.blocks), one.label


def test_going_back_to_an_earlier_context_lowers_it_as_at_first(lowering: Lowering) -> None:
    first = blocks_of(lowering.step(20, True, token_id=3))
    blocks_of(lowering.step(300, True, token_id=9))
    again = blocks_of(lowering.step(20, True, token_id=3))
    assert len(first) == len(again)
    for one, other in zip(first, again, strict=True):
        for name in FIELDS:
            assert (getattr(one, name) == getattr(other, name)).all(), name
