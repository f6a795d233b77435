"""Numbers about results that README.md and docs/ state in prose are those of a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pimsim import simulate
from pimsim.baselines.roofline import roofline_run
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.report.data import PAPER_MODELS
from pimsim.report.reproduce.collect import SLOW_CLOCK
from pimsim.result.run_result import RunResult
from pimsim.workload.model import DecoderModel, Request

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def run() -> RunResult:
    return simulate("pim_gpt", "gpt3_xl")


def cell(start: str) -> str:
    """Column *here* of the README's table of published figures."""
    rows = [line for line in README.splitlines() if line.startswith(f"| {start}")]
    assert len(rows) == 1, start
    return rows[0].split("|")[3].strip()


def test_commands_of_the_main_job_and_of_all_models(run: RunResult) -> None:
    """Those of the main job are simulated; the sum over the models is that of the table in docs/benchmarks.md."""
    one = sum(run.command_counts.values())
    assert f"{one / 1e9:.1f} billion DRAM commands" in README
    assert f"GPT3-XL alone, {one / 1e9:.1f} billion commands" in README
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    table = page.partition("### Models")[2].partition("###")[0]
    counts = {
        name: int(text.replace(",", ""))
        for name, text in re.findall(r"^\| (gpt\w+) \| 1,024 (?:\|[^|]*){4}\| ([\d,]+) ", table, re.M)
    }
    assert set(counts) == set(PAPER_MODELS) and counts["gpt3_xl"] == one
    assert f"eight models x 1,024 tokens, {sum(counts.values()) / 1e9:.1f} billion commands" in README


def test_row_hit_rate_and_share_of_the_asic(run: RunResult) -> None:
    assert cell("row-hit rate") == f"{run.row_hit_rate * 100:.2f} %"
    assert cell("ASIC arithmetic") == f"{run.asic_busy_s / run.latency_s * 100:.1f} %"


@pytest.mark.parametrize("more", [[], ["controller.issue=overlap"]])
def test_slowdown_by_a_slow_asic(run: RunResult, more: list[str]) -> None:
    """The README says that overlapping issue gives the same."""
    fast = simulate("pim_gpt", "gpt3_xl", settings=more) if more else run
    slow = simulate("pim_gpt", "gpt3_xl", settings=[SLOW_CLOCK, *more])
    assert cell("100 MHz ASIC") == f"{(slow.latency_s / fast.latency_s - 1) * 100:.0f} %"


def test_speedup_over_the_ideal_roofline(run: RunResult) -> None:
    model = DecoderModel(load_workload("gpt3_xl").model)
    ideal = roofline_run(load_baseline("t4"), model, Request(run.prompt_tokens, run.generated_tokens))
    assert cell("speedup over T4") == f"{ideal.latency_s / run.latency_s:.0f}x over its *ideal roofline*"


@pytest.mark.parametrize(
    ("page", "before", "after"),
    [
        ("README.md", "`hw_configs/pim_gpt.yaml` (", " of its values are `assumed`)"),
        ("docs/validation.md", "* ", " values of `pim_gpt` are `assumed`"),
        ("docs/reproduction.md", "* ", " of the description's values are assumed"),
    ],
)
def test_number_of_assumed_values(run: RunResult, page: str, before: str, after: str) -> None:
    assert f"{before}{len(run.provenance['assumed_values'])}{after}" in (ROOT / page).read_text()
