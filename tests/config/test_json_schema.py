"""The JSON Schemas accept every shipped file, complete or with ``base:``, and refuse what the loader refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pimsim.config.schemas import SCHEMAS, json_schema
from pimsim.config.shipped import data_root
from pimsim.config.strict_yaml import load_yaml, parse_yaml

FOLDERS = {"hardware": "hw_configs", "workload": "workloads", "baseline": "hw_configs/baselines", "sweep": "workloads/sweeps"}
SHIPPED = [(kind, path) for kind in SCHEMAS for path in sorted((data_root() / FOLDERS[kind]).glob("*.yaml"))]
VALIDATORS = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in SCHEMAS}


def errors(kind: str, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATORS[kind].iter_errors(document)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_schema_is_itself_valid(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))
    assert any(of == kind for of, _ in SHIPPED)


@pytest.mark.parametrize(("kind", "path"), SHIPPED, ids=[f"{kind}-{path.stem}" for kind, path in SHIPPED])
def test_every_shipped_file_is_accepted(kind: str, path: Path) -> None:
    assert errors(kind, load_yaml(path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "base: pim_gpt\nname: mine\n",
        "base: pim_gpt\nasic: {clock_ghz: {value: 0.5, source: 'our synthesis run'}}\n",
        "base: pim_gpt\nenergy: {mac_pj: {low: 0.5, nominal: 0.6, high: 0.9, source: 'a paper'}}\n",
        "base: pim_gpt\nenergy: {mac_pj: 0.6}\ndram: {channels: 16, timing: {tRCD_ns: 14}}\n",
        "base: pim_gpt\ndram: {timing: {tRCD_ns: {value: 14, source: 'a data sheet'}}}\n",
    ],
)
def test_files_that_change_another_are_accepted(text: str) -> None:
    assert errors("hardware", parse_yaml(text, "here")) == []


@pytest.mark.parametrize(
    "text",
    [
        "base: pim_gpt\nasic: {clok_ghz: 0.5}\n",
        "base: pim_gpt\nasic: {clock_ghz: fast}\n",
        "base: pim_gpt\nasic: {clock_ghz: {value: 0.5, sauce: 'x'}}\n",
        "base: pim_gpt\nenergy: {mac_pj: {low: 0.5, high: 0.9}}\n",
        "base: pim_gpt\ndram: {channels: 0}\n",
        "name: mine\n",
        "name: mine\nsource: here\ndram: {standard: GDDR6}\n",
    ],
)
def test_what_the_loader_refuses_is_refused(text: str) -> None:
    assert errors("hardware", parse_yaml(text, "here")) != []
