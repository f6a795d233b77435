"""Every code block of README.md and docs/ runs: shell and Python as they stand, YAML as a description."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pimsim.config.load import load_hardware, load_workload
from pimsim.config.sweep import load_sweep

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
# Marks of blocks that something else runs, or that cannot run here; the reason is shown.
SKIPPED = {
    "first": "creates a virtual environment and installs: .ci/run runs it",
    "test": "creates a virtual environment and runs this test: .ci/run runs it",
}


@dataclass(frozen=True)
class Block:
    page: str
    number: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page}:{self.number}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        for number, match in enumerate(FENCE.finditer(page.read_text()), 1):
            found.append(Block(str(page.relative_to(ROOT)), number, match["language"], match["text"], match["mark"] or ""))
    return found


BLOCKS = blocks()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose ``pimsim`` is this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "pimsim"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pimsim.cli "$@"\n')
    script.chmod(0o755)
    return os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_runs(block: Block, environment: dict[str, str], tmp_path: Path) -> None:
    reason = SKIPPED.get(block.mark) or (block.mark.removeprefix("skip: ") if block.mark.startswith("skip: ") else "")
    if reason:
        pytest.skip(reason)
    for name in ("hw_configs", "workloads"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "results").mkdir()
    if block.language == "yaml":
        (tmp_path / "block.yaml").write_text(block.text)
        if "\naxes:" in block.text:
            load_sweep(tmp_path / "block.yaml")
        elif "\nmodel:" in block.text:
            load_workload(tmp_path / "block.yaml")
        else:
            load_hardware(tmp_path / "block.yaml")
        return
    command = {
        "sh": ["bash", "-euo", "pipefail", "-c"],
        "bash": ["bash", "-euo", "pipefail", "-c"],
        "python": [sys.executable, "-c"],
    }
    assert block.language in command, f"{block}: a block of language '{block.language}' is not run by any test"
    done = subprocess.run(
        [*command[block.language], block.text], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{block}:\n{block.text}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def test_blocks_of_every_kind_are_found() -> None:
    assert {block.language for block in BLOCKS} >= {"sh", "python", "yaml"}
    assert {"README.md", "docs/index.md", "docs/extending.md"} <= {block.page for block in BLOCKS}
