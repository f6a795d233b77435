"""Hardware files: unknown, missing, mistyped keys and impossible values, each with path, unit and nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pimsim.config.load import load_hardware
from pimsim.config.shipped import data_root
from pimsim.errors import ConfigError
from pimsim.simulation import simulate

REMOVE = object()


def changed(tmp_path: Path, changes: dict[str, object]) -> Path:
    """The shipped ``pim_gpt`` with dotted paths changed or removed, written in full: no base."""
    data = yaml.safe_load((data_root() / "hw_configs" / "pim_gpt.yaml").read_text())
    for path, value in changes.items():
        *groups, last = path.split(".")
        group = data
        for name in groups:
            group = group[name]
        if value is REMOVE:
            del group[last]
        else:
            group[last] = value
    target = tmp_path / "hw.yaml"
    target.write_text(yaml.safe_dump(data))
    return target


T = "dram.timing"
WRONG = {
    "unknown group": ({"drum": {}}, "top level: unknown key 'drum' (did you mean 'dram'?)"),
    "unknown key": ({"dram.colum_bytes": 32}, "dram: unknown key 'colum_bytes' (did you mean 'column_bytes'?)"),
    "unknown timing": ({f"{T}.tRDC_ns": 12}, "unknown key 'tRDC_ns' (did you mean 'tRCD_ns'?)"),
    "timing without unit": ({f"{T}.tRP": 12}, "unknown key 'tRP'"),
    "missing key": ({"dram.rows": REMOVE}, "'dram.rows' is missing"),
    "missing key with unit": ({"asic.clock_ghz": REMOVE}, "'asic.clock_ghz' is missing (unit: GHz)"),
    "missing source": ({"dram.refresh.source": REMOVE}, "'dram.refresh.source' is missing"),
    "missing timing": ({f"{T}.tRP_ns": REMOVE}, "missing tRP_ns (precharge to activate)"),
    "neither burst nor link": ({"link": REMOVE}, "missing tBL_ns (burst: data-bus cycles of one column access)"),
    "missing clock": ({f"{T}.tCK_ns": REMOVE}, "'tCK_ns' is missing"),
    "text for a number": ({"dram.rows": "many"}, "dram.rows: 'many': must be a valid integer"),
    "quoted number": ({"dram.rows": "16384"}, "dram.rows: '16384': must be a valid integer"),
    "list for a number": ({f"{T}.tRP_ns": [12]}, "dram.timing.tRP_ns: [12]: must be a valid number"),
    "boolean for a time": ({f"{T}.tRP_ns": True}, "dram.timing.tRP_ns: True: must be a valid number"),
    "given twice": ({f"{T}.nRP": 12}, "'tRP_ns' and 'nRP' are the same parameter, given twice"),
    "umbrella given twice": ({f"{T}.nRCD": 12}, "'tRCD_ns' and 'nRCD' are the same parameter, given twice"),
    "negative time": ({f"{T}.tRP_ns": -12}, "dram.timing.tRP_ns: -12.0 ns is not allowed: a time must be positive"),
    "negative cycles": ({f"{T}.nMACRD": -1}, "dram.timing.nMACRD: -1.0 CK is not allowed"),
    "part of a cycle": ({f"{T}.nMACRD": 1.5}, "1.5 is not a whole number of cycles; give tMACRD_ns"),
    "no clock": ({f"{T}.tCK_ns": 0}, "dram.timing.tCK_ns: 0.0 ns is not allowed"),
    "endless time": ({f"{T}.tRP_ns": 1e12}, "dram.timing.tRP_ns"),
    "tRC below tRAS + tRP": ({f"{T}.tRC_ns": 38}, "tRC_ns: 38 ns is less than tRAS + tRP = 39 ns"),
    "nRC below nRAS + nRP": ({f"{T}.nRC": 20}, "nRC 20 CK is less than nRAS + nRP = 39 CK"),
    "refresh without end": ({f"{T}.tREFI_ns": 455}, "nREFI 455 CK must exceed nRFCab 455 CK"),
    "per-bank refresh without end": ({f"{T}.tRFCpb_ns": 7000}, "nREFI 6825 CK must exceed nRFCpb 7000 CK"),
    "nothing reads it": (
        {f"{T}.nRCDRD": 12, f"{T}.nRCDWR": 12, f"{T}.nRCDMAC": 12},
        "tRCD_ns: nothing reads it, because nRCDRD, nRCDWR, nRCDMAC are all given",
    ),
    "half a column": ({"dram.row_bytes": 2064}, "row_bytes 2064 B must hold whole columns of column_bytes 32 B"),
    "rows no power of two": ({"dram.rows": 10000}, "rows 10000 must be a power of two"),
    "banks no power of two": ({"dram.banks_per_group": 3}, "banks_per_group 3 must be a power of two"),
    "lanes and column": ({"pim.mac_lanes": 8}, "pim.mac_lanes 8 16-bit numbers need dram.column_bytes 16 B, not 32 B"),
    "half a group": ({"pim.all_bank_activation.grouped_by": 8}, "grouped_by 8 must be 16 (all banks at once) or 4"),
    "tFAW and all banks": ({"pim.all_bank_activation.obey_tFAW": True}, "16 banks in one command cannot obey tFAW"),
    "buffer of half columns": ({"pim.global_buffer_bytes": 2050}, "global_buffer_bytes 2050 B must hold whole columns"),
    "unknown standard": ({"dram.standard": "GDDR7"}, "dram.standard: 'GDDR7': must be"),
    "negative energy": ({"energy.io_pj_per_bit": -1}, "energy.io_pj_per_bit: low -1 is negative"),
    "band upside down": (
        {"energy.io_pj_per_bit": {"low": 3, "nominal": 2, "high": 1}},
        "energy.io_pj_per_bit: low 3 <= nominal 2 <= high 1 does not hold",
    ),
    "half a band": ({"energy.io_pj_per_bit": {"low": 1, "nominal": 2}}, "'energy.io_pj_per_bit.high' is missing (unit: pJ/bit)"),
    "group that is text": ({"pim": "none"}, "pim: 'none': must be a mapping of keys to values"),
    "source that is a number": ({f"{T}.source": 5}, "dram.timing: source must be text"),
}


@pytest.mark.parametrize("changes, message", WRONG.values(), ids=WRONG)
def test_refused_with_file_path_and_reason(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    path = changed(tmp_path, changes)
    with pytest.raises(ConfigError) as raised:
        load_hardware(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


def test_unchanged_copy_is_accepted(tmp_path: Path) -> None:
    assert load_hardware(changed(tmp_path, {})).timing.cycles == load_hardware("pim_gpt").timing.cycles


def test_all_complaints_at_once(tmp_path: Path) -> None:
    path = changed(tmp_path, {"dram.rows": "x", "asic.adders": 0, "link.pins": 3})
    with pytest.raises(ConfigError) as raised:
        load_hardware(path)
    assert len(str(raised.value).splitlines()) == 3


def test_one_cycle_of_rounding_is_not_a_contradiction(tmp_path: Path) -> None:
    assert load_hardware(changed(tmp_path, {f"{T}.nRC": 38})).timing["nRC"] == 38


def test_a_plain_dram_names_the_group_it_lacks() -> None:
    with pytest.raises(ConfigError, match="group 'asic' is missing"):
        _ = load_hardware("gddr6_14000_1250mV").asic


def test_a_band_can_be_one_number(tmp_path: Path) -> None:
    device = load_hardware(changed(tmp_path, {"energy.io_pj_per_bit": 4}))
    assert device.energy.io_pj_per_bit.as_tuple() == (4.0, 4.0, 4.0)


@pytest.mark.parametrize(
    ("mode", "banks", "needed_ck"), [("all_bank", 1, 27 + 12 + 455 + 15 * 6 + 27), ("per_bank", 16, 27 + 12 + 228 + 27)]
)
def test_refresh_must_leave_time_for_commands(mode: str, banks: int, needed_ck: int) -> None:
    """nRAS and nRP to close, nRFC, up to 15 nRRD and nRAS to open and close again: an interval that is longer gets by."""
    settings = [f"dram.refresh.mode={mode}", "dram.refresh.max_postponed=0", "dram.timing.tREFI_ns=null"]
    small = ["workload.model.layers=1", "workload.model.vocabulary=100"]
    enough = [*settings, f"dram.timing.nREFI={(needed_ck + 1) * banks}"]
    assert simulate("pim_gpt", "gpt2_small", 1, settings=enough + small).refresh_command_counts
    with pytest.raises(ConfigError, match=f"must exceed {needed_ck} CK"):
        load_hardware("pim_gpt", [*settings, f"dram.timing.nREFI={needed_ck * banks}"])
