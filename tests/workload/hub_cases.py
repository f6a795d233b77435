"""Reference configurations, and how to put one into a folder as a hub does."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

HUB = Path(__file__).parent.parent / "reference" / "hub"
CONFIGS: dict[str, dict[str, Any]] = json.loads((HUB / "configs.json").read_text())
TINY: dict[str, dict[str, Any]] = json.loads((HUB / "tiny_configs.json").read_text())
with (HUB / "facts.csv").open(newline="") as _file:
    FACTS = {row["name"]: row for row in csv.DictReader(_file)}


def folder(tmp_path: Path, values: dict[str, Any] | str, name: str = "model") -> Path:
    """A folder ``name`` that holds ``values`` as its config.json."""
    found = tmp_path / name
    found.mkdir(exist_ok=True)
    (found / "config.json").write_text(values if isinstance(values, str) else json.dumps(values))
    return found
