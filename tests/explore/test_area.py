"""The area model: the published figure, each part by hand, and that nothing grows for free."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.config.load import load_hardware
from pimsim.errors import ConfigError
from pimsim.explore.area import area_breakdown_mm2, area_mm2, cost_usd


def breakdown(*changes: str, which: str = "nominal") -> dict[str, float]:
    return area_breakdown_mm2(load_hardware("pim_gpt", changes).spec, which)


def test_default_asic_has_the_published_core_area() -> None:
    assert breakdown()["asic"] == pytest.approx(0.64, abs=1e-9)


def test_parts_by_hand() -> None:
    found = breakdown()
    assert found["dram_array"] == pytest.approx(8 * 4 * 7.0)
    assert found["channel_periphery"] == pytest.approx(8 * 2.5)
    assert found["mac_units"] == pytest.approx(8 * 16 * (16 * 0.00116 + 0.0016) * 1.5)
    assert found["global_buffers"] == pytest.approx(8 * 2 * 0.002 * 1.5)
    assert area_mm2(load_hardware("pim_gpt").spec) == pytest.approx(sum(found.values()))


def test_dram_process_factor_is_for_dram_parts_alone() -> None:
    plain, dense = breakdown(), breakdown("area.dram_process_factor=1")
    assert dense["mac_units"] == pytest.approx(plain["mac_units"] / 1.5)
    assert dense["global_buffers"] == pytest.approx(plain["global_buffers"] / 1.5)
    assert {k: dense[k] for k in ("asic", "dram_array")} == {k: plain[k] for k in ("asic", "dram_array")}


GROWING = [
    ("dram.channels", 9, "mac_units"), ("dram.rows", 32768, "dram_array"), ("dram.channels", 9, "channel_periphery"),
    ("pim.global_buffer_bytes", 4096, "global_buffers"), ("pim.accumulators_per_bank", 2, "mac_units"),
    ("asic.sram_kib", 256, "asic"), ("asic.adders", 257, "asic"), ("asic.multipliers", 129, "asic"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "part"), GROWING)
def test_more_of_anything_is_larger_and_dearer(path: str, value: int, part: str) -> None:
    bigger = load_hardware("pim_gpt", [f"{path}={value}"]).spec
    default = load_hardware("pim_gpt").spec
    assert area_breakdown_mm2(bigger)[part] > area_breakdown_mm2(default)[part]
    assert cost_usd(bigger) > cost_usd(default)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 64), st.sampled_from([1, 2, 8]), st.floats(1, 4096))
def test_low_nominal_high_are_in_order(channels: int, accumulators: int, sram_kib: float) -> None:
    changes = [f"dram.channels={channels}", f"pim.accumulators_per_bank={accumulators}", f"asic.sram_kib={sram_kib:.3f}"]
    spec = load_hardware("pim_gpt", changes).spec
    low, nominal, high = (area_mm2(spec, which) for which in ("low", "nominal", "high"))
    assert 0 < low < nominal < high


def test_without_an_area_group(tmp_path: Path) -> None:
    text = Path(load_hardware("pim_gpt").where).read_text()
    path = tmp_path / "hw.yaml"
    path.write_text(text[: text.index("\narea:")])
    with pytest.raises(ConfigError, match="pim_gpt: group 'area' is missing"):
        area_mm2(load_hardware(path).spec)
