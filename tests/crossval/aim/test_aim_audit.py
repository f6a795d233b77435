"""The auditor, which shares no code with the controller, on the controller's streams: legal, refreshed in time, not slack."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import pytest

from pimsim.engine.audit import Auditor

NONE = "controller.quirks=none"
ALL_BANK = "dram.refresh.mode=all_bank"
TFAW = ("pim.all_bank_activation.grouped_by=4", "pim.all_bank_activation.obey_tFAW=true")
SETTINGS = {
    "none": (NONE,),
    "refresh": (NONE, ALL_BANK, "dram.timing.nREFI=1500", "dram.refresh.max_postponed=2"),
    "per_bank": (NONE, "dram.refresh.mode=per_bank", "dram.timing.nREFI=8000", "dram.refresh.max_postponed=4"),
    "tfaw": (NONE, *TFAW),
}


def audit(trace, device, refresh=False):
    auditor = Auditor(device, refresh=refresh)
    auditor.feed(trace)
    return auditor.report()


def random_trace(seed: int) -> str:
    """Instructions of every kind but AF, whose row is outside the array."""
    draw = random.Random(seed)
    lines = []
    for _ in range(250):
        mask = draw.choice(["0xffffffff", hex(1 << draw.randrange(32)), hex(draw.randrange(1, 1 << 32))])
        size, bank, row = draw.randrange(1, 40), draw.randrange(16), draw.randrange(3)
        lines.append(
            draw.choice(
                [
                    f"AiM WR_GB {size} 0 {mask}",
                    f"AiM WR_BIAS 0 {mask}",
                    f"AiM RD_MAC 0 {mask}",
                    f"AiM COPY_BKGB {size} {mask} {bank} {row}",
                    f"AiM COPY_GBBK {size} {mask} {bank} {row}",
                    f"AiM MAC_SBK {size} {mask} {bank} {row}",
                    f"AiM MAC_ABK {size} {mask} {row}",
                    f"AiM EWMUL {size} {mask} {row}",
                    f"AiM WR_ABK 0 {hex(1 << draw.randrange(32))} {row}",
                    f"R MEM {draw.choice([0, 1])} {bank} {row}",
                    f"W MEM {draw.choice([0, 1])} {bank} {row}",
                    f"AiM RD_SBK 0 {mask} {bank} {row}",
                    f"AiM WR_SBK 0 {mask} {bank} {row}",
                    "AiM SYNC",
                ]
            )
        )
    return ";".join(lines)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_right_behaviour_is_legal(settings, seed, stream, device):
    own = device(*settings)
    report = audit(stream(random_trace(seed), *settings), own, refresh=own.spec.dram.refresh.mode != "none")
    assert report.legal, report.violations[:3]


def test_one_command_moved_early_is_found(stream, device):
    """The auditor sees these streams: a command moved a cycle early that had no slack is reported."""
    trace = stream("AiM MAC_ABK 4 1 0;AiM RD_MAC 0 1;AiM WR_GB 2 0 1", NONE)
    for k in range(1, trace.commands):
        clock = np.array(trace.clock)
        clock[k] -= 1
        names = device(NONE).standard.command_names
        if names[trace.command[k]] != "TMOD" and clock[k] > clock[k - 1]:
            assert not audit(trace._replace(clock=clock), device(NONE)).legal, k


def test_the_peers_reactivation_of_open_banks_is_not_legal(stream, device):
    text = "AiM MAC_SBK 1 1 0 3;AiM MAC_ABK 1 1 3"
    assert not audit(stream(text), device()).legal
    assert audit(stream(text, NONE), device(NONE)).legal


@pytest.mark.parametrize("seed", range(3))
def test_every_access_reaches_the_dram_once(seed, tmp_path, run):
    """Without quirks every AiM request becomes its command, whatever refresh and activation do in between."""
    text = random_trace(seed)
    expected = run(text, NONE).commands
    for settings in SETTINGS.values():
        got = run(text, *settings).commands
        for name in ("MAC_AB", "MAC_SB", "EWMUL_AB", "RD_CP", "WR_CP", "WR_GB", "WR_BIAS", "RD_MAC", "WRA_AB", "WR"):
            assert got[name] == expected[name], name


def test_reference_stream_is_legal_but_for_reactivation(trace_path, stream, device):
    assert gzip.decompress((Path(__file__).parent / "commands" / "gemv_768x768_8ch_reuse32.cmds.gz").read_bytes())
    assert audit(stream(trace_path("gemv_768x768_8ch_reuse32")), device()).legal
