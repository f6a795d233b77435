"""``pimsim check`` and ``pimsim schema`` know baseline devices, by name, by keys and by what a file is based on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.config.baseline import baseline_names
from pimsim.config.schemas import json_schema, kind_of


@pytest.mark.parametrize("name", baseline_names())
def test_shipped_devices_are_baselines(name: str) -> None:
    assert kind_of(name) == "baseline"


def test_other_shipped_names_keep_their_kind() -> None:
    assert (kind_of("pim_gpt"), kind_of("gpt3_xl"), kind_of("nothing")) == ("hardware", "workload", "hardware")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("base: h100\nname: mine\n", "baseline"),
        ("base: gpt3_xl\nname: mine\n", "workload"),
        ("base: pim_gpt\nname: mine\n", "hardware"),
        ("name: mine\ndevice_class: gpu\n", "baseline"),
        ("name: mine\nmodel: {}\n", "workload"),
        ("base: first.yaml\nname: mine\n", "baseline"),
        ("base: mine.yaml\nname: mine\n", "hardware"),
    ],
)
def test_files_are_told_by_keys_or_base(tmp_path: Path, text: str, kind: str) -> None:
    (tmp_path / "first.yaml").write_text("base: t4\nname: first\n")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert kind_of(str(path)) == kind


def test_the_schema_names_units() -> None:
    memory = json_schema("baseline")["$defs"]["MemorySpec"]["properties"]
    assert memory["bandwidth_gb_per_s"]["unit"] == "GB/s"
