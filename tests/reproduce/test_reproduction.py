"""PIM-GPT reproduced: every published figure has a row, and the documented numbers come out again."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from pimsim import cli, simulate
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.errors import CapacityError
from pimsim.report.comparison_table import comparison_table
from pimsim.report.reproduce import assumed, collect
from pimsim.report.reproduce.build import ENTRIES, write_reproduction
from pimsim.report.reproduce.collect import BASELINES, SLOW_CLOCK, Reproduction
from pimsim.report.reproduce.measures import conventional_bytes, latency_at
from pimsim.report.reproduce.published import published_figures, published_range
from pimsim.report.reproduce.rows import table, units_for_share
from pimsim.report.reproduce.story import story
from pimsim.report.reproduce.text import markdown, markdown_table, model_table, needed_tables
from pimsim.workload.model import DecoderModel, Request

HERE = Path(__file__).parent
TEMPLATE = files("pimsim.report").joinpath("templates/reproduction.md.j2")
DOCUMENT = HERE.parent.parent / "docs" / "reproduction.md"
MODEL = "gpt2_small"


@pytest.fixture(scope="module")
def small() -> Reproduction:
    """One model at full length; tables that other models or settings fill are made up of few points."""
    nominal = {MODEL: simulate("pim_gpt", MODEL)}
    slow = {MODEL: simulate("pim_gpt", MODEL, settings=[SLOW_CLOCK])}
    compared = comparison_table(
        [(load_workload(name), run) for name, run in nominal.items()], [load_baseline(name) for name in BASELINES]
    )
    channels = pd.DataFrame([(MODEL, 8, 1.0, 1.0, 100.0), (MODEL, 16, 0.6, 1.7, 83.0)], columns=CHANNEL_COLUMNS)
    units = pd.DataFrame([(MODEL, 1, 256, 128, 4.0, 1.0), (MODEL, 4, 1024, 512, 1.0, 0.9)], columns=UNIT_COLUMNS)
    contexts = latency_at("pim_gpt", MODEL, 8192, (1, 1024, 8192))
    effects = pd.DataFrame([("a", 1, 0, 2, -1.0, 1.0, 0.0, 0.0, "20 %", "why")], columns=assumed.COLUMNS)
    return Reproduction(None, nominal, slow, compared, channels, units, contexts, {}, effects)


CHANNEL_COLUMNS = ["workload", "channels", "latency_s", "scaling", "efficiency_percent"]
UNIT_COLUMNS = ["workload", "factor", "adders", "multipliers", "asic_share_percent", "latency_s"]


def test_every_published_figure_of_the_reference_table_has_a_row(small: Reproduction) -> None:
    with (HERE / "pim_gpt_results.csv").open(newline="") as file:
        reference = {(row["item"], row["value"], row["unit"]) for row in csv.DictReader(file)}
    shipped = {(figure.figure, figure.text, figure.unit) for figure in published_figures().values()}
    assert shipped == reference
    assert {row.published.figure for row in table(small)} == {item for item, _, _ in reference}


def test_only_figures_without_a_value_of_this_device_go_without_ours(small: Reproduction) -> None:
    empty = {row.published.key for row in table(small) if row.ours is None}
    assert empty == {"per_model", "comparison_table", "other_dfx", "other_transpim", "other_spatten", "other_hardsea"}


def test_every_speedup_names_its_baseline_and_one_solves_for_the_software(small: Reproduction) -> None:
    rows = [row for row in table(small) if row.published.key == "speedup_t4"]
    assert [row.needs for row in rows[:4]] == [f"t4, {m}" for m in ("ideal roofline", *STACKS)]
    assert rows[-1].ours == (41.0, 137.0) and "solved for" in rows[-1].needs


STACKS = ("modelled fused", "modelled compiled", "modelled eager")


def test_documented_numbers_come_out_again(small: Reproduction) -> None:
    """The lines of one model in docs/reproduction.md; regenerate with ``pimsim reproduce pim-gpt --out DIR``."""
    lines = DOCUMENT.read_text().splitlines()
    for frame in (model_table(small), *needed_tables(small).values()):
        assert markdown_table(frame).splitlines()[-1] in lines


def test_documented_rows_that_hang_on_no_run_come_out_again(small: Reproduction) -> None:
    documented = {
        line for line in DOCUMENT.read_text().splitlines() if line.startswith("| model GPT") or "parameters (Fig" in line
    }
    again = {line for line in markdown(small).splitlines() if line.startswith("| model GPT") or "parameters (Fig" in line}
    assert documented == again and len(again) == 9


def test_needed_software_gives_the_published_speedup(small: Reproduction) -> None:
    row = needed_tables(small)["t4"].iloc[0]
    ours, needed = float(row["ours [ms/token]"]), row["needed for 41x to 137x [ms/token]"].split(" to ")
    assert [float(ms) / ours for ms in needed] == pytest.approx([41, 137], rel=0.01)


def test_conventional_bytes_are_weights_and_context_of_every_token() -> None:
    model = DecoderModel(load_workload(MODEL).model)
    spec, steps = model.spec, 3
    unread = spec.max_context * spec.d_model + spec.vocabulary * spec.d_model
    once = model.parameters - unread + spec.d_model * (spec.vocabulary + 1)
    written, read = 2 * spec.layers * spec.d_model, 2 * spec.layers * spec.d_model * (1 + 2 + 3)
    assert conventional_bytes(model, Request(1, steps)) == pytest.approx(2 * (steps * (once + written) + read))


def test_latency_at_a_context_is_that_of_a_whole_run_but_for_refresh() -> None:
    table = latency_at("pim_gpt", MODEL, 1024, (1, 40))
    run = simulate("pim_gpt", MODEL, 40)
    first, last = table.ms_per_token * 1e-3
    assert first == pytest.approx(run.token_latency_s["first"], rel=0.02)
    assert last == pytest.approx(run.token_latency_s["last"], rel=0.02)
    with pytest.raises(CapacityError, match="GB are missing"):
        latency_at("pim_gpt", "gpt2_xl", 8192, (1,))


def test_units_for_share_lies_between_simulated_points(small: Reproduction) -> None:
    assert units_for_share(small, 4.0) == pytest.approx(1) and units_for_share(small, 1.0) == pytest.approx(4)
    assert 1 < (units_for_share(small, 2.0) or 0) < 4
    assert units_for_share(small, 0.5) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("41-137", (41, 137)), ("~98", (98, 98)), ("<=20", (20, 20)), ("1.16", (1.16, 1.16)), ("near-linear", None)],
)
def test_published_text_is_read_as_a_range(text: str, expected: tuple[float, float] | None) -> None:
    assert published_range(text) == expected


def test_effects_of_assumed_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"asic.adders", "energy.io_pj_per_bit", "pim.result_dtype", "dram.timing.tRP_ns", "dram.timing.tCCD_ns"}
    every = assumed._variations("pim_gpt")
    monkeypatch.setattr(assumed, "_variations", lambda _: [v for v in every if v["constant"] in chosen])
    effects = assumed.assumed_effects("pim_gpt", MODEL, 2).set_index("constant")
    assert set(effects.index) == chosen
    rp = effects.loc["dram.timing.tRP_ns"]
    assert (rp.low, rp.high, rp.how) == (9.6, 14.4, "20 %")
    assert rp.latency_low_percent < 0 < rp.latency_high_percent
    io = effects.loc["energy.io_pj_per_bit"]
    assert (io.low, io.high, io.how) == (4.0, 7.5, "its band")
    assert io.latency_low_percent == io.latency_high_percent == 0
    assert io.energy_low_percent < 0 < io.energy_high_percent
    again = simulate("pim_gpt", MODEL, 2, settings=["energy.io_pj_per_bit=7.5"]).energy_j["nominal"]
    base = simulate("pim_gpt", MODEL, 2).energy_j["nominal"]
    assert io.energy_high_percent == pytest.approx((again / base - 1) * 100)
    assert effects.index[0] == "dram.timing.tCCD_ns"


def test_every_assumed_value_of_the_description_is_varied() -> None:
    run = simulate("pim_gpt", MODEL, 1)
    assert [v["constant"] for v in assumed._variations("pim_gpt")] == run.provenance["assumed_values"]


def test_written_folder_has_text_tables_and_figures(small: Reproduction, tmp_path: Path) -> None:
    write_reproduction(small, tmp_path / "out")
    text = (tmp_path / "out" / "reproduction.md").read_text()
    for name in ("reproduction_speedup", "reproduction_scaling", "reproduction_assumed"):
        assert f"figures/{name}.svg" in text
        assert (tmp_path / "out" / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(ENTRIES)
    rows = pd.read_csv(tmp_path / "out" / "csv" / "published_and_ours.csv")
    assert len(rows) == len(table(small))


def test_a_folder_that_holds_more_than_a_reproduction_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], small: Reproduction, tmp_path: Path
) -> None:
    """As docs/ of this project, which has a reproduction.md among other pages."""
    for name in ("reproduction.md", "index.md"):
        (tmp_path / name).write_text("mine")
    monkeypatch.setattr("sys.argv", ["pimsim", "reproduce", "pim-gpt", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "holds 'index.md'" in capsys.readouterr().err
    with pytest.raises(collect.ConfigError, match="not overwritten"):
        write_reproduction(small, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.md", "reproduction.md"]


def test_the_verb_prints_the_table(
    small: Reproduction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pimsim.verbs import reproduce

    monkeypatch.setattr(reproduce, "reproduce_pim_gpt", lambda **_: small)
    monkeypatch.setattr("sys.argv", ["pimsim", "reproduce", "pim-gpt"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "data-movement reduction" in capsys.readouterr().out


def test_unknown_paper_and_model_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["pimsim", "reproduce", "pim-gtp"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "did you mean 'pim-gpt'" in capsys.readouterr().err
    with pytest.raises(collect.ConfigError, match="not a model of PIM-GPT"):
        collect.reproduce(models=("llama2_7b",))


def test_a_different_latency_gives_different_text(small: Reproduction) -> None:
    other = replace(small, nominal={MODEL: replace(small.nominal[MODEL], latency_s=1.0)})
    assert markdown_table(model_table(other)) != markdown_table(model_table(small))


def test_no_result_is_written_into_the_template() -> None:
    """What is left of digits and number words is references, settings and definitions; every result is passed in."""
    prose = re.sub(r"{{.*?}}|{%.*?%}", "", TEMPLATE.read_text())
    allowed = (
        "arXiv 2310.09385",
        "Computing 2024",
        "a T4",
        "A T4",
        "the T4",
        "PIM-GPT",
        "GDDR6",
        "GPT3-XL",
        "or 20 % less",
        "20 % of 1 ns",
    )
    for text in allowed:
        prose = prose.replace(text, "")
    assert re.findall(r"\d+", prose) == []
    words = "two three four five six seven eight nine ten half third quarter fifth sixth tenth few several percent".split()
    assert [word for word in re.findall(r"[a-z]+", prose.lower()) if word in words] == []


def test_sentences_follow_the_runs(small: Reproduction) -> None:
    """Twice the latency on PIM: half the speedups over every baseline, and half the bandwidth that the published ones leave."""
    run, slow = small.nominal[MODEL], small.slow_asic[MODEL]
    doubled = small.comparison.assign(speedup=small.comparison.speedup / 2)
    other = replace(
        small,
        nominal={MODEL: replace(run, latency_s=2 * run.latency_s, row_hit_rate=0.5)},
        slow_asic={MODEL: replace(slow, latency_s=3 * run.latency_s)},
        comparison=doubled,
    )
    before, after = story(small), story(other)
    for name in ("t4", "xeon_gold_6154"):
        assert float(after["ideal"][name]) == pytest.approx(float(before["ideal"][name]) / 2, rel=0.01)
        percent = [[float(end) for end in facts["bandwidth"][name].split(" to ")] for facts in (before, after)]
        assert percent[1] == pytest.approx([end / 2 for end in percent[0]], rel=0.01)
    eager = small.comparison[(small.comparison.baseline == "xeon_gold_6154") & (small.comparison.method == "modelled eager")]
    assert [float(end) for end in before["cpu_left"].split(" to ")] == pytest.approx(
        sorted(end / eager.speedup.iloc[0] for end in (631, 1074)), rel=0.01
    )
    assert (after["row_hits"], after["slower"]) == ("50", "50")
    assert float(after["share_ratio"]) == pytest.approx(run.asic_busy_s / run.latency_s / 2 / 0.0116, rel=0.01)
    text = markdown(other)
    for value in (after["ideal"]["t4"], after["cpu_left"], after["share"], after["bandwidth"]["xeon_gold_6154"]):
        assert value in text


def test_stacks_that_reach_the_published_range_are_named_or_none_is(small: Reproduction) -> None:
    table = small.comparison
    t4 = (table.baseline == "t4") & table.method.str.startswith("modelled")
    eager = t4 & (table.method == "modelled eager")
    none = story(replace(small, comparison=table.assign(speedup=table.speedup.mask(t4, 30.0))))
    assert none["reached"] == "none: the largest modelled speedup is 30"
    one = story(replace(small, comparison=table.assign(speedup=table.speedup.mask(t4, 30.0).mask(eager, 41.0))))
    assert one["reached"] == f"modelled eager with {MODEL} (41)"


def test_models_without_room_for_a_long_context_and_few_tokens_are_named(small: Reproduction) -> None:
    other = story(replace(small, tokens=8, no_long_context={MODEL: "too large"}))
    assert other["fits"] == f"K and V for 8,192 tokens fit for all models but {MODEL}."
    assert story(small)["fits"].endswith("every model.")
    assert (other["assumed_tokens"], story(small)["assumed_tokens"]) == (8, 64)


@pytest.mark.slow
def test_whole_document_comes_out_again() -> None:
    """All of docs/reproduction.md; regenerate with ``pimsim reproduce pim-gpt --out DIR``."""
    data = collect.reproduce(processes=min(4, os.cpu_count() or 1))
    assert markdown(data).splitlines() == DOCUMENT.read_text().splitlines()
