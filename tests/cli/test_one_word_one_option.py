"""Verbs share their words: positional names, ``--baseline`` again and again, ``--json -``, ``-h``; old spellings with a hint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pimsim import cli
from pimsim.errors import ConfigError
from pimsim.verbs import baselines, trace
from pimsim.verbs.lazy import load
from pimsim.verbs.options import hardware_and_workloads

LEAVES = {name: verb for name, verb in cli.VERBS.items() if name not in ("trace", "baselines", "model")}
LEAVES |= {f"trace {name}": verb for name, verb in trace.VERBS.items()}
LEAVES |= {f"baselines {name}": verb for name, verb in baselines.VERBS.items()}


def call(*arguments: str) -> Any:
    """Result of the command line in this process; an error a user causes is ``exception``."""
    return CliRunner().invoke(cli.app, list(arguments), catch_exceptions=True)


@pytest.mark.parametrize("name", LEAVES)
def test_every_verb_has_h(name: str) -> None:
    result = call(*name.split(), "-h")
    assert result.exit_code == 0 and "Usage: " in result.output


@pytest.mark.parametrize("name", LEAVES)
def test_options_of_one_name_mean_one_thing(name: str) -> None:
    words = {option: parameter for parameter in load(name.split()[-1], LEAVES[name]).params for option in parameter.opts}
    assert "--quiet" not in words or "-q" in words
    for option in ("--workloads", "--baselines", "--device", "--workload"):
        assert option not in words or words[option].hidden, f"{option} is an old spelling"
    for option in ("--tokens", "--prompt", "--set", "--json"):
        if option in words:
            assert words[option].help, option


def test_several_devices_and_json_on_standard_output() -> None:
    words = ["compare", "pim_gpt", "gddr6_aim", "gpt2_small", "--tokens", "1", "--baseline", "t4", "--baseline", "l4"]
    document = json.loads(call(*words, "--json", "-").stdout)
    pairs = [(row["hardware"], row["baseline"]) for row in document["comparisons"]]
    assert pairs == [("pim_gpt", "t4"), ("pim_gpt", "l4"), ("gddr6_aim", "t4"), ("gddr6_aim", "l4")]
    assert call(*words, "--quiet").stdout == ""


def test_run_prints_json_instead_of_text() -> None:
    document = json.loads(call("run", "pim_gpt", "gpt2_small", "--tokens", "1", "--json", "-").stdout)
    assert (document["hardware"], document["generated_tokens"]) == ("pim_gpt", 1)
    assert not Path("-").exists()


def test_names_are_sorted_by_what_they_are(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("base: gpt2_small\nname: mine\n")
    device = tmp_path / "device.yaml"
    device.write_text("base: pim_gpt\nname: device\n")
    found = hardware_and_workloads(["pim_gpt", "gpt3_xl", str(mine), "gddr6_aim", str(device)])
    assert found == (("pim_gpt", "gddr6_aim", str(device)), ("gpt3_xl", str(mine)))
    assert hardware_and_workloads(["pim_gpt,gddr6_aim", "gpt3_xl"]) == (("pim_gpt", "gddr6_aim"), ("gpt3_xl",))


@pytest.mark.parametrize(("name", "message"), [("gpt3_xll", "did you mean 'gpt3_xl'"), ("t4", "t4 is a baseline")])
def test_what_is_neither_hardware_nor_workload_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        hardware_and_workloads(["pim_gpt", name])


def test_generate_takes_hardware_first_or_not_at_all() -> None:
    rest = ["--tokens", "1", "--prompt-ids", "3", "--no-references", "--json", "-"]
    for names in (["tiny"], ["pim_gpt", "tiny"], ["tiny", "--hardware", "pim_gpt"]):
        assert json.loads(call("generate", *names, *rest).stdout)["result"]["hardware"] == "pim_gpt"
    assert "takes HARDWARE and WORKLOAD" in str(call("generate", "pim_gpt", "tiny", "tiny").exception)


def test_old_spellings_work_and_say_the_new_one() -> None:
    new = call("baselines", "run", "l4", "gpt2_small", "--tokens", "2")
    old = call("baselines", "run", "--device", "l4", "--workload", "gpt2_small", "--tokens", "2")
    assert old.stdout == new.stdout and "baselines run D W" in old.stderr and new.stderr == ""
