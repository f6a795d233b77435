"""What makes traces run fast changes nothing: equal channels simulated once, equal commands together, text read by a kernel."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.aim.parse import read_trace
from pimsim.aim.run import AimRun, run_trace
from pimsim.config.load import load_hardware
from pimsim.engine.command_trace import concatenate

NONE = "controller.quirks=none"
DEVICES = {
    "quirks": (),
    "none": (NONE,),
    "refresh": ("dram.refresh.mode=all_bank", "dram.timing.nREFI=900", "dram.refresh.max_postponed=2"),
    "per_bank": (NONE, "dram.refresh.mode=per_bank", "dram.timing.nREFI=6000", "dram.refresh.max_postponed=3"),
    "grouped": (NONE, "pim.all_bank_activation.grouped_by=4", "pim.all_bank_activation.obey_tFAW=true"),
    "wide_spacing": ("dram.timing.nCCDL=7", "dram.timing.nCCDS=5"),
    "narrow": ("dram.channels=3", NONE),
}


def instructions(seed: int, channels: int, lines: int) -> str:
    """Random instructions in which stretches of all channels alternate with single ones, as models' blocks have them."""
    draw, out = random.Random(seed), []
    every = (1 << channels) - 1
    masks = [every, every, every, 1, draw.randrange(1, every + 1), draw.randrange(1, every + 1)]
    kinds = draw.choices(range(13), k=4)
    while len(out) < lines:
        if draw.random() < 0.1:
            kinds = draw.choices(range(13), k=4)
        mask, row, bank = hex(draw.choice(masks)), draw.randrange(3), draw.randrange(16)
        size, one = draw.choice([1, 2, 5, 32, 33, 34, 64, 100]), hex(1 << draw.randrange(channels))
        channel = draw.randrange(channels)
        out.append(
            (
                f"AiM WR_GB {size} 0 {mask}",
                f"AiM MAC_ABK {size} {mask} {row}",
                f"AiM RD_MAC 0 {mask}",
                f"AiM WR_BIAS 0 {mask}",
                f"AiM EWMUL {size} {mask} {row}",
                f"AiM COPY_BKGB {size} {mask} {bank} {row}",
                f"AiM COPY_GBBK {size} {mask} {bank} {row}",
                f"AiM MAC_SBK {size} {mask} {bank} {row}",
                f"AiM WR_ABK 0 {one} {row}",
                f"R MEM {channel} {bank} {row}",
                f"W MEM {channel} {bank} {row}",
                f"AiM AF {mask}",
                "AiM SYNC",
            )[draw.choice(kinds)]
        )
    return "\n".join([*out, "AiM EOC\n"])


@pytest.mark.parametrize("overrides", DEVICES.values(), ids=DEVICES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 32), lines=st.integers(1, 120))
def test_random_traces_run_the_same_without_skipping(overrides, seed, lines, tmp_path_factory):
    device = load_hardware("gddr6_aim", overrides)
    path = tmp_path_factory.mktemp("random") / "random.trace"
    path.write_text(instructions(seed, device.organization.channels, lines))
    assert run_trace(path, device) == run_trace(path, device, skip=False)
    logs = [concatenate(list(AimRun(path, device, log=True, skip=skip).parts())) for skip in (True, False)]
    assert all(np.array_equal(a, b) for a, b in zip(logs[0][:-1], logs[1][:-1], strict=True))
    totals = np.bincount(logs[0].command, minlength=len(device.standard.command_names))
    issued = run_trace(path, device).commands
    assert {name: n for name, n in zip(device.standard.command_names, totals.tolist(), strict=True) if n} == issued


def test_channels_that_become_alike_again_share_a_class(tmp_path, device):
    path = tmp_path / "apart.trace"
    apart = [f"AiM MAC_ABK 64 {hex(1 << k)} {k}" for k in range(32)]
    together = ["AiM SYNC", *(f"AiM MAC_ABK 64 0xffffffff {row}" for row in range(40)), "AiM EOC"]
    path.write_text("\n".join([*apart, *together]) + "\n")
    fast, slow = AimRun(path, device()), AimRun(path, device(), skip=False)
    for whole in (fast, slow):
        assert not list(whole.parts())
    assert fast.result() == slow.result()
    assert fast.classes < 8 and slow.classes == 32


WORDS = ["AiM", "R", "W", "MEM", "GPR", "CFR", "MAC_ABK", "ISR_MAC_ABK", "RD_MAC", "WR_ABK", "AF", "SYNC", "EOC", "EWADD", "WR_GB",
         "0", "1", "2", "0x1", "0xFF", "0XffFFffff", "16383", "99999999999999999999", "-1", "0x", "#", "1_0", "\u0663"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(
        st.tuples(st.lists(st.sampled_from(WORDS), max_size=6), st.sampled_from([" ", "  ", "\t", "\x0b", " \r", "\u2003"])),
        max_size=12,
    )
)
def test_the_kernel_reads_what_reading_line_by_line_does(lines, tmp_path_factory):
    device = load_hardware("gddr6_aim")
    path = tmp_path_factory.mktemp("text") / "text.trace"
    path.write_bytes("\n".join([*(gap.join(words) for words, gap in lines), "AiM EOC", ""]).encode())
    outcomes = []
    for slowly in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if slowly:
                patch.setattr("pimsim.aim.parse._FAST_LINE_BYTES", 0)
            try:
                outcomes.append(read_trace(path, device.organization, device.table.code).tolist())
            except Exception as error:
                outcomes.append((type(error), str(error)))
    assert outcomes[0] == outcomes[1]


def test_lines_across_pieces_of_the_file(trace_path, device, monkeypatch):
    whole = read_trace(trace_path("fuzz0"), device().organization, device().table.code)
    monkeypatch.setattr("pimsim.aim.parse._BYTES_AT_ONCE", 37)
    assert np.array_equal(whole, read_trace(trace_path("fuzz0"), device().organization, device().table.code))
