"""The tiny decoders of tests/reference, with what another library computed from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent / "reference"
NAMES = sorted(path.name for folder in ("hf_tiny", "hf_tiny_more") for path in (ROOT / folder).iterdir())


@dataclass(frozen=True)
class Expected:
    """Prompt, greedy tokens, encoder's tokens or None, logits (positions, vocabulary) and their standard deviation."""

    prompt: list[int]
    generated: list[int]
    encoder: list[int] | None
    logits: np.ndarray
    spread: float

    @property
    def fed(self) -> list[int]:
        """Prompt and generated tokens."""
        return self.prompt + self.generated


def folder_of(name: str) -> Path:
    """Folder of a checkpoint."""
    found = [ROOT / folder / name for folder in ("hf_tiny", "hf_tiny_more")]
    return next(path for path in found if path.is_dir())


@cache
def expected_of(name: str) -> Expected:
    """What the other library computed."""
    folder = folder_of(name)
    told = json.loads((folder / "expected.json").read_text())
    logits = np.load(folder / "logits.npz")["logits"].astype(np.float64)
    return Expected(told["prompt"], told["generated"], told.get("encoder_input"), logits, told["logits_std"])
