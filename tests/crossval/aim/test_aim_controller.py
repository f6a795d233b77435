"""Front end and controller at their edges: buffers, blocking, mode changes, refresh, activation within tFAW."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.aim.run import AimRun
from pimsim.engine.aim_state import C_ADDRESSED, C_BLOCKED, C_END_TAKEN, C_NEXT_TAKEN, F_STARTED
from pimsim.errors import TraceError

LAST, FIRST = "0x1", "0x80000000"  # mask bit 0 is the last channel
REFRESH = "dram.refresh.mode=all_bank"
GROUPED = "pim.all_bank_activation.grouped_by=4"
TFAW = (GROUPED, "pim.all_bank_activation.obey_tFAW=true")
QUIRKS = ("aim_simulator", "none")


@pytest.mark.parametrize("quirks", QUIRKS)
@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        ("", 2),
        ("AiM MAC_ABK 1 1 0", 59),
        ("AiM MAC_ABK 64 1 0", 185),
        ("AiM MAC_ABK 64 1 0;AiM MAC_ABK 64 1 1", 411),
        ("AiM MAC_ABK 6400 1 0", 12857),
        ("AiM WR_GB 64 0 1", 163),
        ("AiM RD_MAC 0 1", 37),
        ("AiM RD_MAC 0 1;AiM RD_MAC 0 1", 40),
        ("AiM WR_GB 64 0 1;AiM MAC_ABK 64 1 0;AiM RD_MAC 0 1", 412),
        ("AiM AF 1", 89),
        ("AiM EWMUL 1 1 0", 28),
        ("AiM COPY_BKGB 1 1 0 0", 69),
        ("AiM COPY_GBBK 1 1 0 0", 51),
        ("AiM WR_ABK 0 1 0;AiM WR_ABK 0 1 0", 171),
        ("AiM SYNC", 4),
        ("AiM EWADD 4000 0 1", 3),
        ("W GPR 7;R GPR 7;W CFR 1 1;R CFR 1 1", 6),
    ],
)
def test_cycles_of_single_channels(text, cycles, quirks, run):
    assert run(text, f"controller.quirks={quirks}").memory_system_cycles == cycles


def test_a_full_channel_holds_back_the_others(run):
    alone = f"AiM MAC_ABK 64 {LAST} 0"
    other = f"AiM MAC_ABK 64 {FIRST} 0"
    assert run(alone).memory_system_cycles == 185
    assert run(f"{alone};{other}").memory_system_cycles == 303
    assert run(f"{alone};AiM SYNC;{other}").memory_system_cycles == 370
    assert run("AiM MAC_ABK 64 0x80000001 0").memory_system_cycles == 185


@pytest.mark.parametrize(("quirks", "entries"), [("aim_simulator", 33), ("none", 32)])
def test_entries_of_the_instruction_queue(quirks, entries, stream):
    """What fits is decoded in one cycle, so the other channel's TMOD comes in cycle 2; one more request waits for a place."""
    for count, clock in ((entries, 2), (entries + 1, 35)):
        got = stream(f"AiM WR_GB {count} 0 {LAST};AiM WR_GB 1 0 {FIRST}", f"controller.quirks={quirks}")
        assert got.clock[got.channel == 0].min() == clock


def test_mode_change_waits_for_the_next_command_and_delays_it(stream, device):
    got = stream("AiM MAC_ABK 1 1 0;AiM RD_MAC 0 1;AiM WR_GB 1 0 1;AiM MAC_ABK 1 1 0")
    names = [device().standard.command_names[code] for code in got.command]
    assert list(zip(got.clock.tolist(), names, strict=True)) == [
        (1, "ACT_AB"),
        (57, "MAC_AB"),
        (59, "TMOD"),
        (91, "RD_MAC"),
        (96, "WR_GB"),
        (97, "TMOD"),
        (129, "MAC_AB"),
    ]


def test_mode_change_before_plain_access(run):
    counts = run("AiM WR_GB 1 0 1;W MEM 31 0 0").commands_by_kind
    assert counts["TMOD"] == 2


def test_activation_function_register_selects_the_row(run):
    same = run("W CFR 2 3;AiM AF 1;W CFR 2 3;AiM AF 1").commands_by_kind
    other = run("W CFR 2 3;AiM AF 1;W CFR 2 4;AiM AF 1").commands_by_kind
    unrelated = run("AiM AF 1;W CFR 1 4;AiM AF 1").commands_by_kind
    assert (same["ACT16"], other["ACT16"], unrelated["ACT16"]) == (1, 2, 1)


def test_plain_accesses_are_served_first_ready_first(stream, device):
    """A row hit overtakes an older conflict; reads are served before writes while few writes wait."""
    got = stream("R MEM 0 0 0;R MEM 0 0 1;R MEM 0 0 0;W MEM 0 4 0", "controller.quirks=none")
    names = [device().standard.command_names[code] for code in got.command]
    reads = [(row, clock) for name, row, clock in zip(names, got.row.tolist(), got.clock.tolist(), strict=True) if name == "RD"]
    assert [row for row, _ in sorted(reads, key=lambda entry: entry[1])] == [0, 0, 1]


def test_a_write_departing_in_the_same_cycle_delays_the_end(run):
    assert run("AiM WR_BIAS 0 1").memory_system_cycles == 33 + 4
    assert run("AiM MAC_ABK 1 1 0").memory_system_cycles == 57 + 2


@pytest.mark.parametrize(
    "override",
    [
        f"dram.timing.{name}={value}"
        for name, value in (("nRCDRDMAC", 57), ("nCCDL", 3), ("nRP", 33), ("nRAS", 250), ("nMODCH", 33))
    ],
)
def test_a_longer_time_lengthens_the_run(override, run):
    text = "AiM MAC_ABK 64 1 0;AiM MAC_ABK 64 1 1;AiM RD_MAC 0 1"
    settings = (override, "dram.timing.nRC=281") if "nRAS" in override else (override,)
    assert run(text, *settings).memory_system_cycles > run(text, *settings[1:]).memory_system_cycles


def rows(count: int, opsize: int = 64) -> str:
    return ";".join(f"AiM MAC_ABK {opsize} 0xffffffff {row}" for row in range(count))


def test_refresh_is_taken_between_rows_and_costs_its_time(run):
    off, on = run(rows(200)), run(rows(200), REFRESH)
    refreshes = on.commands_by_kind.pop("REFab")
    assert refreshes == 32 * (on.memory_system_cycles // 7800)
    assert on.commands_by_kind == off.commands_by_kind
    # Between rows a refresh takes the place of the gap: nRFC longer than the PREA -> ACT16 it follows.
    assert on.memory_system_cycles - off.memory_system_cycles == refreshes // 32 * 210


@pytest.mark.parametrize("postponed", [1, 8])
def test_refresh_interrupts_a_row_before_too_many_are_owed(postponed, stream, device):
    """The precharge comes nRC (89) before the last moment, the longest that any command keeps a refresh waiting."""
    overrides = (REFRESH, f"dram.refresh.max_postponed={postponed}", "dram.timing.nREFI=1000")
    got = stream("AiM MAC_ABK 6400 1 0", *overrides)
    code = device().table.code
    last = got.take(got.channel == 31)
    refreshed = last.clock[last.command == code["REFab"]]
    precharged = last.clock[last.command == code["PREab"]]
    stopped = last.clock[last.command == code["MAC_AB"]]
    deadline = 1000 * (postponed + 1)
    assert stopped[stopped < precharged[0]].max() in (deadline - 91, deadline - 90)
    assert precharged[0] == stopped[stopped < precharged[0]].max() + 12  # nRTP
    assert refreshed[0] == precharged[0] + 32 <= deadline  # nRP
    assert np.all(np.diff(refreshed[:postponed]) == 210)  # nRFC: what is owed is caught up with at once


def test_no_refresh_may_be_postponed(stream, device):
    got = stream("AiM MAC_ABK 6400 1 0", REFRESH, "dram.refresh.max_postponed=0", "dram.timing.nREFI=1000")
    refreshed = got.clock[(got.channel == 31) & (got.command == device().table.code["REFab"])]
    assert refreshed[0] <= 1000 and np.diff(refreshed).max() <= 1000 and len(refreshed) >= got.clock.max() // 1000


def test_idle_channels_are_refreshed_too(stream, device):
    got = stream(rows(100).replace("0xffffffff", "1"), REFRESH)
    idle = got.take(got.channel == 0)
    assert set(idle.command.tolist()) == {device().table.code["REFab"]}
    assert np.array_equal(idle.clock, 7800 * np.arange(1, idle.commands + 1))


def test_refresh_bank_by_bank(stream, device):
    got = stream(rows(100), "dram.refresh.mode=per_bank", "controller.quirks=none")
    refreshes = got.take((got.command == device().table.code["REFpb"]) & (got.channel == 5))
    flat = refreshes.flat_bank(device().organization)
    assert refreshes.commands >= 16 and np.array_equal(flat, np.arange(refreshes.commands) % 16)


def test_activation_by_bank_group_and_within_tfaw(run):
    text = "AiM MAC_ABK 64 1 0"
    whole, grouped, limited = run(text), run(text, GROUPED), run(text, *TFAW)
    assert grouped.commands_by_kind["ACT4"] == limited.commands_by_kind["ACT4"] == 4
    assert "ACT16" not in grouped.commands_by_kind
    assert grouped.memory_system_cycles == whole.memory_system_cycles + 3 * 5  # nRRDS
    assert limited.memory_system_cycles == whole.memory_system_cycles + 3 * 28  # nFAW
    longer = run(text, *TFAW, "dram.timing.nFAW=40")
    assert longer.memory_system_cycles == whole.memory_system_cycles + 3 * 40


def test_single_activates_within_tfaw(stream, device):
    text = ";".join(f"R MEM 0 {bank} 0" for bank in range(16))
    activates = {}
    for overrides in ((), TFAW):
        got = stream(text, "controller.quirks=none", *overrides)
        activates[overrides] = got.clock[got.command == device().table.code["ACT"]]
    assert np.any(activates[()][4:] - activates[()][:-4] < 28)
    assert np.all(activates[TFAW][4:] - activates[TFAW][:-4] >= 28)


def test_fewer_channels_have_their_own_mask(run):
    settings = ("dram.channels=8",)
    assert run("AiM RD_MAC 0 0xff", *settings).commands_by_kind == {"RDMAC16": 8, "TMOD": 8}


def test_a_run_without_end_is_refused(run):
    """Quirk AIM-5 with a slow DRAM: the AiM instruction closes the row that the overtaken read waits for, for ever."""
    text, slow = "R MEM 31 0 0;AiM MAC_ABK 1 1 5", "dram.timing.nRCDRD=950"
    with pytest.raises(TraceError, match="instruction 3 never completes"):
        run(text, slow)
    assert run(text, slow, "controller.quirks=none").commands_by_kind["RD"] == 1


def test_nothing_left_to_happen_is_refused(tmp_path, device):
    path = tmp_path / "end.trace"
    path.write_text("AiM EOC\n")
    aim_run = AimRun(path, device())
    state = aim_run._state  # the front end waits for a completion that no channel owes
    state.front[F_STARTED] = 1
    state.channel[0, (C_ADDRESSED, C_BLOCKED, C_NEXT_TAKEN, C_END_TAKEN)] = 1
    with pytest.raises(TraceError, match="never completes"):
        list(aim_run.parts())
