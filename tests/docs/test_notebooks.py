"""Every notebook runs from top to bottom, uses documented modules only, and leaves nothing outside results/."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="not installed: pip install 'pimsim[notebooks]'")
nbclient = pytest.importorskip("nbclient", reason="not installed: pip install 'pimsim[notebooks]'")

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LIBRARIES = {"pathlib", "pandas", "matplotlib.pyplot", "pimsim"}


def test_all_five_are_there() -> None:
    assert [path.stem[3:] for path in NOTEBOOKS] == [
        "quickstart",
        "sweep_and_pareto",
        "pim_gpt_reproduction",
        "your_own_mapping_policy",
        "command_trace_to_perfetto",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_documented_modules_are_imported(path: Path) -> None:
    documented = set(re.findall(r"^::: ([\w.]+)", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE))
    documented |= {name.rpartition(".")[0] for name in documented}
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    for module in re.findall(r"^(?:from|import) ([\w.]+)", code, re.MULTILINE):
        assert module in LIBRARIES or module in documented, f"{module} is not in docs/api.md"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(path, folder)
    notebook = nbformat.read(folder / path.name, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbclient.NotebookClient(notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert {entry.name for entry in tmp_path.iterdir()} <= {"notebooks", "results"}
    assert [entry.name for entry in folder.iterdir()] == [path.name]
