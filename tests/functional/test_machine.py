"""What each command does to numbers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.errors import MappingError
from pimsim.functional.bf16 import from_words, rounded, to_words
from pimsim.functional.machine import PimMachine, Received
from pimsim.program.block import BlockBuilder
from tests.functional_cases import device

LANES, BANKS = 16, 16
VECTOR = np.arange(1, 1 + 4 * LANES, dtype=np.float32).reshape(4, LANES)


def machine_with(values: np.ndarray, on: Device | None = None) -> PimMachine:
    """One channel, two rows; ``values`` (columns, lanes) in the first columns of every bank's row 0, times bank + 1."""
    machine = PimMachine(on or device("dram.channels=1"), 2)
    for bank in range(machine.memory.shape[1]):
        machine.memory[0, bank, : len(values)] = to_words(values * np.float32(bank + 1))
    return machine


def run(
    machine: PimMachine, *commands: tuple, sent: np.ndarray = VECTOR, lanes: tuple[int, int] | None = None, base_row: int = 0
) -> Received:
    """Execute ``(name, options)`` pairs as one block."""
    builder = BlockBuilder(machine.device)
    for name, options in commands:
        builder.add(name, **options)
    return machine.run((builder.finish(),), base_row, to_words(sent), lanes, read_columns=4, result_groups=3)


def opened(row: int = 0) -> tuple[str, dict[str, int]]:
    return "ACT_AB", {"row": row}


def test_products_accumulate_over_columns_and_banks_differ() -> None:
    machine = machine_with(np.ones((4, LANES), np.float32))
    found = run(
        machine, opened(), ("WR_GB", {"count": 3, "operand": 1}), ("MAC_AB", {"count": 3, "row": 0, "column": 0, "operand": 2}),
        ("RD_MAC", {"operand": 2}), ("PREab", {}),
    )  # fmt: skip
    np.testing.assert_array_equal(found.results[2], VECTOR[1:4].sum() * np.arange(1, BANKS + 1))
    assert found.result_times.tolist() == [0, 0, 1]
    names = machine.device.standard.command_names
    counted = {name: int(n) for name, n in zip(names, machine.executed[0], strict=True) if n}
    assert counted == {"ACT_AB": 1, "WR_GB": 3, "MAC_AB": 3, "RD_MAC": 1, "PREab": 1}


def test_buffer_is_walked_around_and_restarts_with_a_load() -> None:
    machine = machine_with(np.ones((4, LANES), np.float32))
    pieces = [("MAC_AB", {"row": 0, "column": 0, "operand": 0}), ("RD_MAC", {"operand": 0})]
    load = ("WR_GB", {"count": 2, "operand": 0})
    found = [
        run(machine, opened(), load, *pieces, ("PREab", {})),
        run(machine, opened(), *pieces, ("PREab", {})),
        run(machine, opened(), *pieces, ("PREab", {})),
        run(machine, opened(), load, *pieces, ("PREab", {})),
    ]
    first, second = VECTOR[0].sum(), VECTOR[1].sum()
    assert [part.results[0, 0] for part in found] == [first, second, first, first]


def test_accumulators_are_freed_by_reading_and_bias_starts_them() -> None:
    machine = machine_with(np.ones((1, LANES), np.float32))
    multiply, read = ("MAC_AB", {"row": 0, "column": 0, "operand": 1}), ("RD_MAC", {"operand": 1})
    load = ("WR_GB", {"operand": 0})
    found = run(machine, ("WR_BIAS", {"operand": 1}), load, opened(), multiply, read, ("PREab", {}))
    np.testing.assert_array_equal(found.results[1], VECTOR[1] + VECTOR[0].sum() * np.arange(1, BANKS + 1))
    again = run(machine, opened(), multiply, read, ("PREab", {}))
    np.testing.assert_array_equal(again.results[1], VECTOR[0].sum() * np.arange(1, BANKS + 1))


def test_reads_writes_and_masked_writes_in_one_bank() -> None:
    machine = machine_with(VECTOR)
    at = {"bank": 3, "row": 0, "column": 2}
    run(machine, ("ACT", at), ("WR", {**at, "count": 2, "operand": 0}), ("PREpb", {"bank": 3}))
    np.testing.assert_array_equal(from_words(machine.memory[0, 3, 1:4]), [VECTOR[1] * 4, VECTOR[0], VECTOR[1]])
    run(machine, ("ACT", at), ("WR", {**at, "operand": 1}), ("PREpb", {"bank": 3}), lanes=(5, 7))
    changed = VECTOR[0].copy()
    changed[5:7] = VECTOR[1, 5:7]
    np.testing.assert_array_equal(from_words(machine.memory[0, 3, 2]), changed)
    found = run(machine, ("ACT", at), ("RD", {**at, "count": 2, "operand": 1}), ("PREpb", {"bank": 3}))
    np.testing.assert_array_equal(from_words(found.columns), [np.zeros(LANES), changed, VECTOR[1], np.zeros(LANES)])
    assert found.column_times.tolist() == [0, 1, 1, 0]
    np.testing.assert_array_equal(machine.memory[0, 2], machine_with(VECTOR).memory[0, 2])


def test_reading_or_writing_with_precharge_closes_the_bank() -> None:
    machine, at = machine_with(VECTOR), {"bank": 0, "row": 0, "column": 0, "operand": 0}
    run(machine, ("ACT", at), ("WRA", at), ("ACT", at), ("RDA", at))
    with pytest.raises(MappingError, match=r"burst 0 of 1: RD .* accesses a closed bank"):
        run(machine, ("RD", at))


def test_copies_between_a_bank_and_the_buffer() -> None:
    aim = load_hardware("gddr6_aim", ["dram.channels=1"])
    machine = machine_with(VECTOR, aim)
    at, there = {"bank": 1, "row": 0, "column": 0}, {"bank": 2, "row": 0, "column": 8}
    run(
        machine, ("ACT", at), ("RD_CP", {**at, "count": 4, "operand": 0}), ("PREpb", {"bank": 1}),
        ("ACT", there), ("WR_CP", {**there, "count": 2, "operand": 2}),
    )  # fmt: skip
    np.testing.assert_array_equal(machine.memory[0, 2, 8:10], machine.memory[0, 1, 2:4])


def test_single_bank_product_leaves_other_banks_alone() -> None:
    machine = machine_with(np.ones((1, LANES), np.float32), load_hardware("gddr6_aim", ["dram.channels=1"]))
    found = run(
        machine, ("WR_GB", {"operand": 0}), ("ACT", {"bank": 4, "row": 0}),
        ("MAC_SB", {"bank": 4, "row": 0, "column": 0, "operand": 0}), ("RD_MAC", {"operand": 0}),
    )  # fmt: skip
    expected = np.zeros(BANKS)
    expected[4] = 5 * VECTOR[0].sum()
    np.testing.assert_array_equal(found.results[0], expected)


def test_adder_tree_pairs_neighbours_before_it_accumulates() -> None:
    column = np.zeros((1, LANES), np.float32)
    column[0, :4] = [2.0**25, 1, -(2.0**25), 1]
    machine, ones = machine_with(column), np.ones((1, LANES), np.float32)
    program = (opened(), ("WR_GB", {"operand": 0}), ("MAC_AB", {"row": 0, "column": 0, "operand": 0}), ("RD_MAC", {"operand": 0}))
    assert run(machine, *program, sent=ones).results[0, 0] == 0
    column[0, :4] = [2.0**25, -(2.0**25), 1, 1]
    assert run(machine_with(column), *program, sent=ones).results[0, 0] == 2


def test_bf16_sums_round_every_product_and_every_sum() -> None:
    column = np.zeros((2, LANES), np.float32)
    column[:, :2] = [[257 / 256, 1.0], [256.0, 1.0]]
    sent = np.ones((2, LANES), np.float32)
    program = (
        opened(), ("WR_GB", {"count": 2, "operand": 0}), ("MAC_AB", {"count": 2, "row": 0, "column": 0, "operand": 0}),
        ("RD_MAC", {"operand": 0}),
    )  # fmt: skip
    narrow = machine_with(column, device("dram.channels=1", "pim.accumulate=bf16", "pim.result_dtype=bf16"))
    assert run(narrow, *program, sent=sent).results[0, 0] == 258
    wide = machine_with(column, device("dram.channels=1"))
    assert run(wide, *program, sent=sent).results[0, 0] == 259
    assert run(machine_with(column, device("dram.channels=1", "pim.result_dtype=bf16")), *program, sent=sent).results[0, 0] == 260


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        ((opened(), opened()), "opens a row in a bank whose row is still open"),
        ((("WR_GB", {"operand": 3, "count": 2}),), "beyond the vector"),
        ((("WR_GB", {}),), "beyond the vector"),
        ((opened(), ("MAC_AB", {"row": 0, "column": 0, "operand": 0})), "global buffer that was never loaded"),
        ((("RD_MAC", {"operand": 0}),), "reads an output that no accumulator holds"),
        ((("ACT", {"bank": 0, "row": 0}), ("RD", {"bank": 0, "row": 0, "column": 63, "count": 2, "operand": 0})), "end of its row"),
        ((("ACT", {"bank": 0, "row": 0}), ("WR", {"bank": 0, "row": 0, "column": 0, "operand": 4})), "beyond the vector"),
        ((opened(2),), "addresses row 2; 2 are in use"),
        ((("REFab", {}),), "has no numerical meaning"),
    ],
)  # fmt: skip
def test_commands_that_cannot_mean_anything(commands: tuple, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        run(machine_with(VECTOR), *commands)


def test_a_further_output_needs_a_free_accumulator() -> None:
    products = [("MAC_AB", {"row": 0, "column": 0, "operand": group}) for group in (0, 1)]
    with pytest.raises(MappingError, match="while every accumulator holds one"):
        run(machine_with(VECTOR), opened(), ("WR_GB", {"operand": 0}), *products)
    two = machine_with(VECTOR, device("dram.channels=1", "pim.accumulators_per_bank=2"))
    run(two, opened(), ("WR_GB", {"operand": 0}), *products)


def test_vector_longer_than_the_buffer_is_refused() -> None:
    small = machine_with(VECTOR, device("dram.channels=1", "pim.global_buffer_bytes=64"))
    with pytest.raises(MappingError, match="beyond its end"):
        run(small, ("WR_GB", {"count": 3, "operand": 0}))


def test_rounding_is_to_nearest_even() -> None:
    values = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -1 - 3 * 2**-8, 3.4e38], np.float32)
    np.testing.assert_array_equal(rounded(values), [1, 1 + 2**-6, 1 + 2**-7, -1 - 2**-6, np.inf])
