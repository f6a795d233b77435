"""Packages import downwards only, and heavy or special libraries stay where they belong."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pimsim"
ORDER = (
    "text errors files units hub oracle dram pim config workload decoding asic mapping program engine energy result "
    "simulation decoding_run recording power_trace aim trace peers baselines functional comparison explain bench explore report plot "
    "verbs cli"
).split()
ALLOWED_UP = {("report", "explore"), ("explain", "explore")}
HOMES = {
    "numba": ("engine/kernels",),
    "simpy": ("engine/reference", "engine/system"),
    "yaml": ("config/",),
    "pandas": ("report/", "explore/", "baselines/", "verbs/show", "verbs/print_table"),
    "matplotlib": ("report/", "explore/", "functional/accuracy", "plot.py"),
    "typer": ("verbs/", "cli.py"),
}
FILES = sorted(path for path in ROOT.rglob("*.py") if "_data" not in path.parts)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def layer(module):
    return module.split(".")[1] if module.count(".") else ""


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_point_down(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    assert own in ORDER, f"{own} has no place in the order of packages"
    for module in imports(path):
        if module.startswith("pimsim."):
            other = layer(module)
            assert ORDER.index(other) <= ORDER.index(own) or (own, other) in ALLOWED_UP, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_libraries_stay_in_their_place(path):
    relative = str(path.relative_to(ROOT))
    for module in imports(path):
        homes = HOMES.get(module.split(".")[0])
        assert homes is None or relative.startswith(homes), f"{relative} imports {module}"
