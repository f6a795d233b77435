"""The placed, lowered and timed program computes what an independent NumPy model of the same decoder computes.

Sums in another order differ in the last bits of float32. Rarely that moves an activation across the boundary between
two BF16 numbers, and K or V of that token stays moved by one unit of BF16 for the steps after it. So every step must
agree to about a unit of BF16 of a logit, and a quarter of the steps, those before any such event, to float32's last bits.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.functional_cases import Decoded, decode, device, expected, workload

TOKENS = 64
FLOAT32_ERROR = 4e-6
BF16_UNIT_OF_LOGITS = 2.0**-6
CHANNELS = (1, 3, 8)


@cache
def run(shape: str, channels: int) -> Decoded:
    return decode(device(f"dram.channels={channels}"), workload(shape), TOKENS)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("shape", ["tiny", "odd", "chunked"])
def test_64_greedy_tokens_are_those_of_the_independent_model(shape: str, channels: int) -> None:
    tokens, logits = expected(shape, TOKENS)
    found = run(shape, channels)
    assert found.tokens == tokens
    assert_equal_to_rounding(found.logits, logits)


@pytest.mark.parametrize("shape", ["tiny", "odd", "chunked"])
def test_the_number_of_channels_changes_no_bit(shape: str) -> None:
    for channels in CHANNELS[1:]:
        np.testing.assert_array_equal(run(shape, channels).logits, run(shape, CHANNELS[0]).logits)


def test_tokens_vary_so_that_agreement_says_something() -> None:
    assert len(set(expected("tiny", TOKENS)[0])) > TOKENS / 4


@pytest.mark.parametrize(
    ("shape", "settings", "model"),
    [
        ("narrow_head", (), ()),
        ("narrow_head", ("mapping=row_per_output",), ()),
        ("tiny", ("mapping=row_per_output", "dram.channels=2"), ()),
        ("tiny", ("pim.global_buffer_bytes=128",), ()),
        ("odd", ("pim.global_buffer_bytes=64", "pim.accumulators_per_bank=3"), ()),
        ("odd", ("pim.all_bank_activation.grouped_by=4", "dram.channels=2"), ()),
        ("odd", ("dram.banks_per_group=2",  "pim.all_bank_activation.grouped_by=8"), ()),
        ("tiny", ("asic.sram_kib=0.125",), ()),
        ("tiny", ("dram.channels=11",), ("model.tied_embeddings=false",)),
    ],
)  # fmt: skip
def test_other_devices_and_mappings_compute_the_same(shape: str, settings: tuple[str, ...], model: tuple[str, ...]) -> None:
    tokens, logits = expected(shape, 20, *model)
    found = decode(device(*settings), workload(shape, *model), 20)
    assert found.tokens == tokens
    assert_equal_to_rounding(found.logits, logits)


def test_bf16_accumulation_costs_accuracy_and_stays_close() -> None:
    _, logits = expected("tiny", 4)
    exact = decode(device(), workload("tiny"), 4)
    errors = []
    for settings in (("pim.result_dtype=bf16",), ("pim.accumulate=bf16", "pim.result_dtype=bf16")):
        found = decode(device(*settings), workload("tiny"), 1)
        errors.append(float(np.abs(found.logits[0] - logits[0]).max()))
    assert np.abs(exact.logits[0] - logits[0]).max() < errors[0] < errors[1] < 0.25 * logits[0].std()


def assert_equal_to_rounding(found: np.ndarray, logits: np.ndarray) -> None:
    worst = np.abs(found - logits).max(1)
    assert np.quantile(worst, 0.25) < FLOAT32_ERROR
    assert worst.max() < BF16_UNIT_OF_LOGITS
