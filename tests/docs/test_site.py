"""The documentation site builds without a warning, and its generated page is up to date."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pimsim.config.baseline import BaselineSpec
from pimsim.config.hardware import HardwareSpec
from pimsim.report.yaml_keys import keys_of, page

ROOT = Path(__file__).parent.parent.parent
MISSING = [name for name in ("mkdocs", "material", "mkdocstrings") if importlib.util.find_spec(name) is None]


def test_page_of_yaml_keys_is_what_the_schema_says() -> None:
    assert (ROOT / "docs" / "yaml.md").read_text() == page(), "python -m pimsim.report.yaml_keys > docs/yaml.md"


def test_every_number_has_a_unit() -> None:
    for model in (HardwareSpec, BaselineSpec):
        for key in keys_of(model):
            assert key.unit or not any(word in key.kind for word in ("number", "band")), key


def test_keys_are_listed_with_limits_and_need() -> None:
    keys = {key.path: key for key in keys_of(HardwareSpec)}
    assert keys["dram.channels"].limits == ">= 1, <= 4,096" and keys["dram.channels"].needed
    assert keys["controller.issue"].kind == "`serial` or `overlap`"
    assert keys["energy.mac_pj"].kind == "band" and keys["energy.mac_pj"].unit == "pJ"
    assert not keys["mapping"].needed and "source" not in {path.rpartition(".")[2] for path in keys}


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install 'pimsim[docs]')")
def test_site_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    api = (tmp_path / "site" / "api" / "index.html").read_text()
    for name in ("pimsim.simulation.simulate", "pimsim.result.run_result.RunResult", "pimsim.explore.table.Sweep"):
        assert f'id="{name}"' in api
