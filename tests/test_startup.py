"""A verb starts without what only other verbs need, and the package offers its public names without loading them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

import pimsim
from pimsim import cli
from pimsim.verbs import baselines, trace
from pimsim.verbs.lazy import load

HEAVY = {"numba", "pandas", "matplotlib", "scipy", "numpy", "simpy", "jinja2", "yaml"}
GROUPS = {"trace": trace.VERBS, "baselines": baselines.VERBS}


def loaded_by(*arguments: str) -> set[str]:
    """Modules in a fresh interpreter that runs ``pimsim`` with ``arguments``."""
    program = (
        "import sys\n"
        f"sys.argv = ['pimsim', *{list(arguments)!r}]\n"
        "from pimsim.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("MODULES ")[-1].split())


def test_trace_run_loads_neither_other_verbs_nor_their_libraries(tmp_path):
    path = tmp_path / "end.trace"
    path.write_text("AiM EOC\n")
    modules = loaded_by("trace", "run", str(path))
    assert "pimsim.aim.run" in modules
    unwanted = {"pandas", "matplotlib", "simpy", "scipy.linalg", "pimsim.simulation", "pimsim.baselines.roofline"}
    assert not modules & unwanted


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["trace", "-h"], ["baselines", "-h"]])
def test_help_and_version_load_nothing_heavy(arguments):
    modules = loaded_by(*arguments)
    assert "pimsim.cli" in modules
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith(("pimsim.engine", "pimsim.config"))}


def test_help_knows_every_verb():
    done = subprocess.run([sys.executable, "-m", "pimsim", "--help"], capture_output=True, text=True, timeout=300)
    for verb in cli.VERBS:
        assert f" {verb} " in done.stdout


def test_version_is_the_package_s():
    done = subprocess.run([sys.executable, "-m", "pimsim", "--version"], capture_output=True, text=True, timeout=300)
    assert done.stdout == f"pimsim {pimsim.__version__}\n"


@pytest.mark.parametrize("group", [cli.VERBS, *GROUPS.values()], ids=["pimsim", *GROUPS])
def test_help_says_of_each_verb_what_the_verb_says_of_itself(group: dict[str, Any]) -> None:
    for name, verb in group.items():
        command = load(name, verb)
        assert inspect.cleandoc(command.help or "").startswith(verb.help), name
        assert "\n" not in verb.help and verb.help.endswith(".")


def test_public_names():
    assert set(pimsim.__all__) <= set(dir(pimsim))
    for name in pimsim.__all__:
        assert getattr(pimsim, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
        pimsim.simulat  # noqa: B018
