"""Seeded fuzzers: whatever goes in, out comes a result that passes every check, or one error of the package."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from pimsim.aim.run import run_trace
from pimsim.config.load import load_hardware, load_workload
from pimsim.errors import PimsimError
from pimsim.hub.safetensors_file import SafetensorsFile
from pimsim.result.check import checked
from pimsim.simulation import simulate
from pimsim.trace import load_stream
from tests.fuzz import mutants

LONGEST_MESSAGE = 20_000


def outcome(action: Callable[[], object]) -> str:
    """``made`` or ``refused``; the message of a refusal is short and harmless. Anything else passes through as a failure."""
    try:
        action()
    except PimsimError as error:
        text = str(error)
        assert text and len(text) < LONGEST_MESSAGE and text.replace("\n", "").isprintable(), repr(text[:200])
        return "refused"
    return "made"


def descriptions(seed: int, count: int, folder: Path) -> list[str]:
    """Odd models on odd devices, simulated for two tokens."""
    chance, path, found = random.Random(seed), folder / "w.yaml", []
    for _ in range(count):
        path.write_text(yaml.safe_dump(mutants.small_model(chance)))
        settings = mutants.settings(chance)
        found.append(outcome(lambda: checked(simulate("pim_gpt", path, 2, 1, settings=settings))))  # noqa: B023
    return found


def wrong_descriptions(seed: int, count: int, folder: Path) -> list[str]:
    """Files with values of the wrong kind, missing and misspelt keys, or bytes that are no YAML."""
    chance, path, found = random.Random(seed), folder / "w.yaml", []
    hardware = yaml.safe_load((Path(__file__).parents[2] / "hw_configs" / "pim_gpt.yaml").read_text())
    for number in range(count):
        kind, load = ((mutants.TINY, load_workload), (hardware, load_hardware))[number % 2]
        text = yaml.safe_dump(mutants.spoilt(kind, chance), allow_unicode=True).encode()
        path.write_bytes(mutants.damaged(text, chance) if chance.random() < 0.5 else text)
        found.append(outcome(lambda: load(path)))  # noqa: B023
    return found


def weights(seed: int, count: int, folder: Path) -> list[str]:
    """Damaged safetensors files, every tensor read."""
    chance, path, found = random.Random(seed), folder / "w.safetensors", []
    header = {f"t{i}": {"dtype": "F32", "shape": [2, 3], "data_offsets": [24 * i, 24 * i + 24]} for i in range(4)}
    packed = json.dumps(header).encode()
    whole = len(packed).to_bytes(8, "little") + packed + np.arange(24, dtype="<f4").tobytes()

    def read() -> None:
        file = SafetensorsFile(path)
        for name in file.entries:
            assert np.isfinite(file.read(name)).all()

    for _ in range(count):
        path.write_bytes(mutants.damaged(whole, chance))
        found.append(outcome(read))
    return found


def streams(seed: int, count: int, folder: Path) -> list[str]:
    """Damaged command streams."""
    chance, path, found = random.Random(seed), folder / "s.csv", []
    device = load_hardware("gddr6_14000_1250mV")
    rows = [f"{30 * i},{('ACT', 'RD', 'PREpb')[i % 3]},0,{i % 4},{i % 2},{i},{i % 8}" for i in range(30)]
    whole = ("clock,command,channel,bank_group,bank,row,column\n" + "\n".join(rows) + "\n").encode()
    for _ in range(count):
        path.write_bytes(mutants.damaged(whole, chance))
        found.append(outcome(lambda: load_stream(path, device)))
    return found


def instructions(seed: int, count: int, folder: Path) -> list[str]:
    """Damaged AiM instruction traces, run."""
    chance, path, found = random.Random(seed), folder / "t.trace", []
    device = load_hardware("gddr6_aim")
    whole = b"W CFR 0 1\nAiM WR_GB 4 0 1\nAiM MAC_ABK 4 1 7\nAiM RD_MAC 1 1\nAiM EOC\n"
    for _ in range(count):
        path.write_bytes(mutants.damaged(whole, chance))
        found.append(outcome(lambda: run_trace(path, device)))
    return found


KINDS = {"descriptions": (descriptions, 40), "wrong_descriptions": (wrong_descriptions, 120), "weights": (weights, 300), "streams": (streams, 300), "instructions": (instructions, 200)}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_fuzz(kind: str, tmp_path: Path) -> None:
    fuzz, count = KINDS[kind]
    found = fuzz(1, count, tmp_path)
    assert found.count("refused") > count // 20, "the mutations are too tame"
    if kind == "descriptions":
        assert found.count("made") > count // 10, "the mutations are too wild"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
@pytest.mark.parametrize("kind", KINDS)
def test_fuzz_for_minutes(kind: str, seed: int, tmp_path: Path) -> None:
    fuzz, count = KINDS[kind]
    fuzz(seed, 10 * count, tmp_path)
