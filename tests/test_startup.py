"""A verb starts without what only other verbs need, and the package offers its public names without loading them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pimsim


def loaded_by(*arguments: str) -> set[str]:
    """Modules in a fresh interpreter that runs ``pimsim`` with ``arguments``."""
    program = (
        "import sys\n"
        f"sys.argv = ['pimsim', *{list(arguments)!r}]\n"
        "from pimsim.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("MODULES ")[-1].split())


def test_trace_run_loads_neither_other_verbs_nor_their_libraries(tmp_path):
    path = tmp_path / "end.trace"
    path.write_text("AiM EOC\n")
    modules = loaded_by("trace", "run", str(path))
    assert "pimsim.aim.run" in modules
    unwanted = {"pandas", "matplotlib", "simpy", "scipy.linalg", "pimsim.simulation", "pimsim.baselines.roofline"}
    assert not modules & unwanted


def test_help_knows_every_verb():
    done = subprocess.run([sys.executable, "-m", "pimsim.cli", "--help"], capture_output=True, text=True, timeout=60)
    for verb in ("run", "compare", "check", "schema", "trace", "baselines"):
        assert f" {verb} " in done.stdout


def test_public_names():
    assert set(pimsim.__all__) <= set(dir(pimsim))
    for name in pimsim.__all__:
        assert getattr(pimsim, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
        pimsim.simulat  # noqa: B018
