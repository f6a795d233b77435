"""``new`` writes files that are valid as they are; ``doctor`` says what is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from pimsim import cli
from pimsim.config.schemas import json_schema
from pimsim.config.strict_yaml import load_yaml
from pimsim.verbs.new import KINDS


def call(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_is_valid_and_named_after_itself(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "my_first.yaml"
    assert call("new", kind, str(path)).exit_code == 0
    document = json.loads(call("check", str(path), "--json", "-").stdout)
    assert (document["kind"], document["name"]) == (kind, "my_first")
    assert list(jsonschema.Draft202012Validator(json_schema(kind)).iter_errors(load_yaml(path))) == []
    assert path.read_text().count("#") > 5


def test_new_replaces_nothing_and_names_the_nearest_kind(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    assert "exists already" in str(call("new", "sweep", str(path)).exception) and path.read_text() == "mine"
    assert "did you mean 'hardware'" in str(call("new", "hardwear", str(tmp_path / "x.yaml")).exception)
    assert "must end in .yaml" in str(call("new", "sweep", str(tmp_path / "x.json")).exception)


def test_doctor_says_versions_cache_and_extras() -> None:
    found = json.loads(call("doctor", "--json", "-").stdout)
    assert found["missing"] == [] and found["versions"]["numba"]
    assert found["kernel_cache"]["writable"] and found["cores"] >= 1
    assert set(found["extras"]) >= {"search", "cluster", "parquet", "notebooks"}
    assert "numba" in call("doctor").stdout
