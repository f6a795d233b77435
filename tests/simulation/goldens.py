"""Results that were kept when the engines had been checked against each other, and how to keep them anew.

Times, cycles by cause, commands, critical path and energy of whole requests, as integers and exact floats. The file is written
by ``python -m tests.simulation.goldens`` and is only ever written again when the timing model itself is meant to change.
"""

from __future__ import annotations

import hashlib
import json
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pimsim.dram.commands import CAUSES
from pimsim.simulation import Execution, execute

PATH = Path(__file__).parent.parent / "reference" / "model_runs.json"
MODELS = tuple(f"{family}_{size}" for family in ("gpt2", "gpt3") for size in ("small", "medium", "large", "xl"))
REFRESH, ISSUE = ("none", "all_bank", "per_bank"), ("serial", "overlap")
SHORT, LONG = 32, 1024


class Case(NamedTuple):
    """One request: ``refresh`` mode and ``issue`` order as the hardware's keys name them."""

    hardware: str
    workload: str
    tokens: int
    refresh: str
    issue: str

    @property
    def name(self) -> str:
        """Key in the file."""
        return " ".join(map(str, self))

    def run(self) -> Execution:
        """Simulate it."""
        settings = (f"dram.refresh.mode={self.refresh}", f"controller.issue={self.issue}")
        return execute(self.hardware, self.workload, self.tokens, settings=settings)


def short_cases() -> list[Case]:
    """Every model, hardware, refresh mode and issue order for a few tokens."""
    return [Case(*case) for case in product(("pim_gpt", "gddr6_aim"), MODELS, (SHORT,), REFRESH, ISSUE)]


def long_cases() -> list[Case]:
    """Every model for as many tokens as it is usually measured with, and the other modes for two models."""
    usual = [Case(hardware, model, LONG, "all_bank", "serial") for hardware, model in product(("pim_gpt", "gddr6_aim"), MODELS)]
    modes = [("none", "serial"), ("per_bank", "serial"), ("all_bank", "overlap"), ("per_bank", "overlap")]
    return usual + [Case("pim_gpt", model, LONG, *mode) for model in ("gpt2_small", "gpt3_xl") for mode in modes]


def summary(execution: Execution, steps: bool) -> dict[str, Any]:
    """What is kept of a run: totals, and one digest of every counter of every channel and of all step times."""
    outcome, result = execution.outcome, execution.result()
    arrays = (outcome.step_ps, outcome.causes, outcome.open_cycles, outcome.counts, outcome.refresh_counts)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(array, np.int64).tobytes() for array in arrays))
    kept = {
        "dram_cycles": outcome.dram_cycles,
        "cycles_by_cause": dict(zip(CAUSES, outcome.causes.sum(0).tolist(), strict=True)),
        "commands": result.command_counts,
        "refresh_commands": result.refresh_command_counts,
        "critical_ps": outcome.critical_ps,
        "energy_j": result.energy_breakdown_j,
        "asic": [outcome.asic_busy_ps, outcome.asic_adds, outcome.asic_muls],
        "link_bytes": outcome.link_bytes,
        "bursts": outcome.bursts,
        "digest": digest.hexdigest()[:24],
    }
    return {**kept, "step_ps": outcome.step_ps.tolist()} if steps else kept


def kept() -> dict[str, dict[str, Any]]:
    """All kept summaries, by case name."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def main() -> None:
    """Run everything and write the file, a line for each case."""
    found = {case.name: summary(case.run(), steps=case in USUAL) for case in (*short_cases(), *long_cases())}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in found.items())
    PATH.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


USUAL = tuple(
    case for case in short_cases() if case.hardware == "pim_gpt" and (case.refresh, case.issue) == ("all_bank", "serial")
)

if __name__ == "__main__":
    main()
