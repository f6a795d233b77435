"""The auditor's bank states, refresh intervals, bus rule and totals, on streams small enough to read."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.errors import TraceError
from pimsim.trace import Auditor, AuditReport, CommandTrace, audit, concatenate, trace_of_flat_banks
from tests.strategies import GROUPED, devices

FAR_CK = 10_000


def stream(device: Device, *rows: tuple[str, int, int], step_ck: int = FAR_CK, channel: int = 0) -> CommandTrace:
    """(command, flat bank or -1, row) every ``step_ck`` cycles."""
    code = np.array([device.table.code[name] for name, _, _ in rows], np.int64)
    bank, row = np.array([r[1] for r in rows], np.int64), np.array([r[2] for r in rows], np.int64)
    return trace_of_flat_banks(device, np.arange(len(rows)) * step_ck, code, channel, bank, row, np.zeros_like(code))


def faults(report: AuditReport) -> list[tuple[int, str, int]]:
    """(line, what, line of the earlier command) of each violation."""
    return [(found.line, found.rule, found.earlier_line) for found in report.violations]


OPEN = "needs closed banks, but a row is open"
CLOSED = "needs its row open, but the bank is closed"
WRONG = "needs its row open, but another row is"

GDDR6_CASES = {
    "activate an open bank": ([("ACT", 3, 7), ("ACT", 3, 7)], [(1, OPEN, 0)]),
    "another bank is another matter": ([("ACT", 3, 7), ("ACT", 4, 7)], []),
    "read a closed bank": ([("ACT", 3, 7), ("RD", 2, 7)], [(1, CLOSED, -1)]),
    "read the wrong row": ([("ACT", 3, 7), ("RD", 3, 8)], [(1, WRONG, 0)]),
    "write after precharge": ([("ACT", 3, 7), ("PREpb", 3, -1), ("WR", 3, 7)], [(2, CLOSED, 1)]),
    "write after precharge of all": ([("ACT", 3, 7), ("PREab", -1, -1), ("WR", 3, 7)], [(2, CLOSED, 1)]),
    "auto-precharge closes": ([("ACT", 3, 7), ("RDA", 3, 7), ("RD", 3, 7)], [(2, CLOSED, 1)]),
    "auto-precharge allows activation": ([("ACT", 3, 7), ("WRA", 3, 7), ("ACT", 3, 8), ("RD", 3, 8)], []),
    "precharge of a closed bank does nothing": ([("PREpb", 3, -1), ("PREab", -1, -1), ("ACT", 3, 7)], []),
    "refresh with an open bank": ([("ACT", 3, 7), ("REFab", -1, -1)], [(1, OPEN, 0)]),
    "refresh of the open bank": ([("ACT", 3, 7), ("REFpb", 3, -1)], [(1, OPEN, 0)]),
    "refresh of another bank": ([("ACT", 3, 7), ("REFpb", 2, -1), ("RD", 3, 7)], []),
}

PIM_CASES = {
    "all open on the row": ([("ACT_AB", 0, 7), ("MAC_AB", -1, 7), ("RD", 5, 7)], []),
    "all closed": ([("MAC_AB", -1, 7)], [(0, CLOSED, -1)]),
    "wrong row": ([("ACT_AB", 0, 7), ("MAC_AB", -1, 8)], [(1, WRONG, 0)]),
    "one bank closed": ([("ACT_AB", 0, 7), ("PREpb", 5, -1), ("MAC_AB", -1, 7)], [(2, CLOSED, 1)]),
    "one bank elsewhere": (
        [("ACT_AB", 0, 7), ("PREpb", 5, -1), ("ACT", 5, 8), ("MAC_AB", -1, 7)],
        [(3, WRONG, 2)],
    ),
    "closed by precharge of all": ([("ACT_AB", 0, 7), ("PREab", -1, -1), ("MAC_AB", -1, 7)], [(2, CLOSED, 1)]),
    "activation over an open bank": ([("ACT", 5, 7), ("ACT_AB", 0, 7)], [(1, OPEN, 0)]),
    "registers need no row": ([("WR_GB", -1, -1), ("WR_BIAS", -1, -1), ("RD_MAC", -1, -1)], []),
    "refresh over open banks": ([("ACT_AB", 0, 7), ("REFab", -1, -1)], [(1, OPEN, 0)]),
}


@pytest.mark.parametrize("rows, expected", GDDR6_CASES.values(), ids=GDDR6_CASES)
def test_bank_states(rows: list[tuple[str, int, int]], expected: list[tuple[int, str, int]]) -> None:
    device = load_hardware("gddr6_14000_1250mV")
    assert faults(audit(stream(device, *rows), device)) == expected


@pytest.mark.parametrize("rows, expected", PIM_CASES.values(), ids=PIM_CASES)
def test_states_of_all_bank_commands(rows: list[tuple[str, int, int]], expected: list[tuple[int, str, int]]) -> None:
    device = load_hardware("pim_gpt")
    assert faults(audit(stream(device, *rows), device)) == expected


def test_grouped_activation_opens_one_group() -> None:
    device = load_hardware("pim_gpt", GROUPED)
    three = [("ACT_AB", bank, 7) for bank in (0, 4, 8)]
    missing = audit(stream(device, *three, ("MAC_AB", -1, 7)), device)
    assert faults(missing) == [(3, CLOSED, -1)]
    assert (missing.violations[0].bank_group, missing.violations[0].bank) == (3, 0)
    assert audit(stream(device, *three, ("ACT_AB", 12, 7), ("MAC_AB", -1, 7)), device).legal
    assert faults(audit(stream(device, *three, ("ACT_AB", 8, 7)), device)) == [(3, OPEN, 2)]


def test_two_commands_in_one_cycle() -> None:
    device = load_hardware("pim_gpt")
    trace = stream(device, ("PREpb", 3, -1), ("ACT", 5, 7), step_ck=0)
    report = audit(trace, device)
    assert faults(report) == [(1, "channel: one command a cycle", 0)]
    assert "1 cycles too early" in report.lines()[0]
    assert audit(trace._replace(channel=np.array([0, 1])), device).legal


def test_channels_are_independent() -> None:
    device = load_hardware("pim_gpt")
    other = stream(device, ("ACT", 3, 7), ("RD", 3, 7), channel=1)
    both = concatenate([stream(device, ("ACT", 3, 8), ("RD", 3, 8)), other])
    assert audit(both, device).legal
    one = both._replace(channel=np.zeros(4, np.int64), clock=np.arange(4) * FAR_CK, line=np.arange(4))
    assert faults(audit(one, device)) == [(2, OPEN, 0)]


@pytest.mark.parametrize("name", sorted(devices()))
def test_clock_going_backwards_is_refused(name: str) -> None:
    device = devices()[name]
    trace = stream(device, ("PREab", 0, -1), ("PREab", 0, -1))
    if len(device.standard.command_buses) > 1:
        early = audit(trace._replace(clock=np.array([999, 995])), device)
        assert "order" in {found.kind for found in early.violations}
        return
    with pytest.raises(TraceError, match=r"trace:1: clock 5 goes backwards: channel 0 was at clock 9 in line 0"):
        audit(trace._replace(clock=np.array([9, 5])), device)


@pytest.mark.parametrize("field, value", [("command", 99), ("command", -1), ("bank", 4), ("row", 1 << 14), ("channel", 8)])
def test_arrays_out_of_range_are_refused(field: str, value: int) -> None:
    device = load_hardware("pim_gpt")
    trace = stream(device, ("PREab", -1, -1), ("ACT", 0, 7))
    values = getattr(trace, field).copy()
    values[1] = value
    with pytest.raises(TraceError, match=f"trace:1: .*{field}"):
        audit(trace._replace(**{field: values}), device)


def refreshes(device: Device, command: str, bank: int, *clocks: int) -> CommandTrace:
    return stream(device, *[(command, bank, -1)] * len(clocks))._replace(clock=np.array(clocks))


def overdue(trace: CommandTrace, device: Device) -> list[tuple[int, int, int]]:
    """(line, flat bank or -1, cycles overdue)."""
    found = audit(trace, device, refresh=True).violations
    return [(f.line, -1 if f.bank < 0 else f.bank_group * 4 + f.bank, f.cycles) for f in found if f.kind == "refresh"]


def test_all_bank_refresh_interval() -> None:
    device = load_hardware("gddr6_14000_1250mV")
    limit = 3333 * (1 + 8)
    assert overdue(refreshes(device, "REFab", -1, limit, 2 * limit), device) == []
    assert overdue(refreshes(device, "REFab", -1, limit, 2 * limit + 4), device) == [(1, -1, 4)]
    from_zero = refreshes(device, "REFab", -1, 300, 300 + limit, 300 + 2 * limit + 1)
    assert overdue(from_zero, device) == [(2, -1, 1)]
    excerpt = refreshes(device, "REFab", -1, 5 * limit, 6 * limit, 7 * limit + 2)
    assert overdue(excerpt, device) == [(2, -1, 2)]
    late_end = concatenate([refreshes(device, "REFab", -1, limit), stream(device, ("PREab", -1, -1))])
    late_end = late_end._replace(clock=np.array([limit, 2 * limit + 5]), line=np.array([0, 1]))
    assert overdue(late_end, device) == [(1, -1, 5)]
    assert audit(late_end, device).legal


def test_per_bank_refresh_counts_only_where_it_is_the_mode() -> None:
    settings = ("dram.refresh.mode=per_bank", "dram.refresh.max_postponed=0")
    all_bank, per_bank = load_hardware("gddr6_14000_1250mV"), load_hardware("gddr6_14000_1250mV", settings)
    assert overdue(refreshes(all_bank, "REFpb", 2, 20_000, 40_000), all_bank) == [(1, -1, 40_000 - 9 * 3333)]
    assert overdue(refreshes(all_bank, "REFpb", 2, 40_000, 50_000), all_bank) == []
    rotation = stream(per_bank, *[("REFpb", bank % 16, -1) for bank in range(48)], step_ck=208)
    assert overdue(rotation, per_bank) == []
    skipped = rotation.take(rotation.line != 21)
    assert overdue(skipped, per_bank) == [(37, 5, (37 - 5) * 208 - 3333)]
    assert overdue(refreshes(per_bank, "REFab", -1, 3333, 6666), per_bank) == []
    none = load_hardware("gddr6_14000_1250mV", ("dram.refresh.mode=none",))
    assert overdue(refreshes(none, "REFab", -1, 99_999), none) == []


def test_details_are_limited_and_totals_are_not() -> None:
    device = load_hardware("gddr6_14000_1250mV")
    trace = stream(device, *[("RD", 3, 7)] * 50)
    auditor = Auditor(device, limit=7)
    auditor.feed(trace.take(slice(0, 25)))
    auditor.feed(trace.take(slice(25, 50)))
    report = auditor.report()
    assert (report.violation_count, [found.line for found in report.violations]) == (50, list(range(7)))
    assert "43 more findings" in report.lines()[-2]


def test_loose_commands_do_not_crowd_out_violations() -> None:
    device = load_hardware("gddr6_14000_1250mV")
    trace = stream(device, *[("PREab", -1, -1)] * 30, ("RD", 3, 7))
    report = audit(trace, device, tight=True, limit=5)
    assert ([f.line for f in report.loose], report.loose_count) == ([1, 2, 3, 4, 5], 30)
    assert [f.line for f in report.violations] == [30]


def test_loose_commands_say_what_bound_them() -> None:
    device = load_hardware("gddr6_14000_1250mV")
    trace = stream(device, ("ACT", 3, 7), ("RD", 3, 7), ("PREpb", 9, -1))._replace(clock=np.array([4, 36, 40]))
    loose = audit(trace, device, tight=True).loose
    assert [(f.line, f.cycles, f.rule, f.earlier_line) for f in loose] == [
        (0, 4, "nothing", -1),
        (1, 2, "bank: ACT -> RD: nRCDRD = 30", 0),
        (2, 3, "channel: one command a cycle", 1),
    ]
    assert audit(trace, device, tight=True).legal
