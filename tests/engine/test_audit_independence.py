"""The auditor shares rule data with the engines, and no timing code: checked on what its files import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pimsim.engine

FOLDER = Path(pimsim.engine.__file__).parent
FILES = sorted([*FOLDER.glob("audit*.py"), FOLDER / "kernels_audit.py", FOLDER / "command_trace.py"])
SHARED = {"command_trace", "kernels_cache"}


def test_the_files_are_there() -> None:
    assert {path.stem for path in FILES} >= {"audit", "audit_rules", "audit_report", "kernels_audit", "command_trace"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_engine_code_is_imported(path: Path) -> None:
    modules = []
    for node in ast.walk(ast.parse(path.read_text())):
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    used = {module.removeprefix("pimsim.engine.") for module in modules if module.startswith("pimsim.engine")}
    assert {name for name in used if "audit" not in name} <= SHARED
    assert not [module for module in modules if module.startswith(("pimsim.program", "pimsim.trace", "simpy"))]
