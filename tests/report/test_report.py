"""The comparison report: what it contains, that its figures say what was simulated, and that it is written whole."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from pimsim import cli, simulate
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.errors import CapacityError, ConfigError
from pimsim.report import build
from pimsim.report.comparison_table import comparison_table
from pimsim.report.data import ReportData, ReportRequest
from pimsim.report.figures import FIGURES
from pimsim.report.folder import whole_folder

Built = tuple[Path, ReportData]
MAX_HTML_BYTES = 2_000_000


def csv(built: Built, name: str) -> pd.DataFrame:
    return pd.read_csv(built[0] / "csv" / f"{name}.csv")


def test_every_figure_has_a_table_a_picture_and_a_place_on_the_page(built: Built) -> None:
    html = (built[0] / "report.html").read_text()
    summary = (built[0] / "summary.md").read_text()
    for plot in FIGURES:
        assert len(csv(built, plot.name)) > 0
        assert (built[0] / "figures" / f"{plot.name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (built[0] / "figures" / f"{plot.name}.svg").read_text()
        assert f'data-figure="{plot.name}"' in html
        assert f"figures/{plot.name}.png" in summary


def test_page_is_small_and_needs_nothing_from_elsewhere(built: Built) -> None:
    html = (built[0] / "report.html").read_text()
    assert len(html.encode()) < MAX_HTML_BYTES
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html) == []
    assert "@import" not in html and "url(http" not in html


def test_ids_on_the_page_are_unique_and_references_lead_somewhere(built: Built) -> None:
    html = (built[0] / "report.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


def test_latency_parts_sum_to_the_latency_of_the_run(built: Built) -> None:
    for name in ("latency_by_op", "latency_by_cause"):
        total = csv(built, name).groupby(["hardware", "workload"]).ms_per_token.sum()
        for run in built[1].runs:
            assert total[run.hardware, run.workload] * run.generated_tokens == pytest.approx(run.latency_s * 1e3, rel=1e-3)


def test_energy_terms_sum_to_the_energy_and_keep_their_band(built: Built) -> None:
    total = (
        csv(built, "energy").groupby(["hardware", "workload"])[["mj_per_token_low", "mj_per_token", "mj_per_token_high"]].sum()
    )
    for run in built[1].runs:
        expected = [run.energy_j[which] * 1e3 / run.generated_tokens for which in ("low", "nominal", "high")]
        assert total.loc[(run.hardware, run.workload)].tolist() == pytest.approx(expected)


def test_token_latencies_are_those_of_every_generated_token(built: Built) -> None:
    table = csv(built, "token_latency")
    for run in built[1].runs:
        part = table[(table.hardware == run.hardware) & (table.workload == run.workload)]
        assert part.context_tokens.tolist() == [1, 2, 3]
        assert part.ms_per_token.sum() == pytest.approx(run.latency_s * 1e3)


def test_speedups_name_what_they_are_against(built: Built) -> None:
    table = csv(built, "speedup")
    for (_, workload, baseline), part in table.groupby(["hardware", "workload", "baseline"]):
        methods = list(part.method)
        assert methods[:4] == ["ideal roofline", "modelled fused", "modelled compiled", "modelled eager"], (workload, baseline)
        ideal, modelled = part.iloc[0], part.iloc[1:4]
        assert ideal.speedup == ideal.speedup_low == ideal.speedup_high
        assert (modelled.speedup_low < modelled.speedup).all() and (modelled.speedup < modelled.speedup_high).all()
        assert (modelled.speedup > ideal.speedup).all()


def test_measured_points_appear_where_they_exist(built: Built) -> None:
    table = csv(built, "speedup")
    measured = table[table.method == "measured"]
    assert set(zip(measured.workload, measured.baseline, strict=True)) == {("gpt2_small", "rtx_3090")}
    run = next(run for run in built[1].runs if (run.hardware, run.workload) == ("pim_gpt", "gpt2_small"))
    assert measured[measured.hardware == "pim_gpt"].speedup.iloc[0] == pytest.approx(1.75e-3 / run.token_latency_s["mean"])


def test_no_operation_lies_above_its_roof(built: Built) -> None:
    table = csv(built, "roofline")
    roofs = table[table.kind == "roof"].set_index("device")
    points = table[(table.kind != "roof") & (table.kind != "element-wise")]
    assert set(points.device) == {"pim_gpt", "gddr6_aim", "t4", "rtx_3090", "xeon_gold_6154"}
    for row in points.itertuples():
        roof = roofs.loc[row.device]
        assert row.gflop_per_s <= min(roof.gflop_per_s, roof.gb_per_s * row.flop_per_byte) * 1.0001, row


def test_sensitivity_has_the_nominal_point_and_says_why_points_are_missing(built: Built) -> None:
    table = csv(built, "sensitivity")
    nominal = table[table.factor == 1]
    assert (nominal.relative_latency == 1).all() and len(nominal) == 2 * table.path.nunique()
    assert table[table.relative_latency.isna()].note.notna().all()
    clock = table[(table.hardware == "pim_gpt") & (table.path == "asic.clock_ghz")].sort_values("factor")
    assert clock.latency_s.is_monotonic_decreasing


def test_bursts_of_the_timeline_do_not_overlap_on_a_bank(built: Built) -> None:
    table = csv(built, "bank_timeline")
    bursts = table[table.unit == "channel"]
    assert {"MAC_AB", "ACT_AB", "WR", "RD_MAC"} <= set(bursts.name)
    for bank in range(16):
        own = bursts[(bursts.bank == bank) | (bursts.bank < 0)].sort_values("start_ns")
        assert (own.start_ns.iloc[1:].to_numpy() >= own.end_ns.iloc[:-1].to_numpy() - 1e-9).all(), bank


def test_a_model_that_does_not_fit_is_left_out_with_the_reason(tmp_path: Path) -> None:
    out = tmp_path / "report"
    build.build_report(ReportRequest(("pim_gpt",), ("gpt2_small", "gpt_6_7b"), ("t4",), tokens=1), out)
    assert "gpt_6_7b on pim_gpt" in (out / "summary.md").read_text()
    with pytest.raises(CapacityError, match="GB are missing"):
        build.build_report(ReportRequest(("pim_gpt",), ("gpt_6_7b",), ("t4",), tokens=1), tmp_path / "none")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report"]


def test_nothing_is_left_behind_when_writing_fails(tmp_path: Path, built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "report"
    old.mkdir()
    (old / "report.html").write_text("earlier")
    monkeypatch.setattr(build, "collect", lambda *_: built[1])
    monkeypatch.setattr(build, "report_tables", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build.build_report(built[1].request, old)
    assert (old / "report.html").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_an_earlier_report_is_replaced_as_a_whole(tmp_path: Path, built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "report"
    (old / "csv").mkdir(parents=True)
    (old / "report.html").write_text("earlier")
    (old / "csv" / "stale.csv").write_text("earlier")
    monkeypatch.setattr(build, "collect", lambda *_: built[1])
    build.build_report(built[1].request, old)
    assert "<svg" in (old / "report.html").read_text() and not (old / "csv" / "stale.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "report.html").write_text("an earlier report, or a page of that name")
    with pytest.raises(ConfigError, match=r"holds 'mine\.txt', which is no part of an earlier result"):
        build.build_report(ReportRequest(("pim_gpt",), ("gpt2_small",), ("t4",), tokens=1), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_what_appears_in_the_folder_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(ConfigError, match="not overwritten"), whole_folder(target, ("a",)) as folder:
        (folder / "a").write_text("ours")
        target.mkdir()
        (target / "b").write_text("mine")
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (target / "b").read_text() == "mine"


def test_a_report_holds_the_entries_that_may_be_replaced(built: Built) -> None:
    assert {path.name for path in built[0].iterdir()} == set(build.ENTRIES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pim_gtp"], "did you mean 'pim_gpt'"),
        (["pim_gpt", "gpt2_smal"], "did you mean 'gpt2_small'"),
        (["pim_gpt", "gpt2_small", "--baseline", "t5"], "did you mean 't4'"),
        (["pim_gpt", "--workloads", "gpt2_smal"], "did you mean 'gpt2_small'"),
        (["pim_gpt", "--baselines", "t5"], "did you mean 't4'"),
        (["pim_gpt", "--baselines", ","], "at least one"),
        (["pim_gpt", "gpt2_small", "--set", "dram.chanels=3"], "did you mean 'channels'"),
        (["pim_gpt", "pim_gpt"], "given twice"),
        (["gddr6_14000_1250mV"], "'pim' is missing"),
        (["pim_gpt", "--tokens", "0"], "must be at least 1"),
        (["pim_gpt", "--out", "{file}"], "is a file"),
        (["pim_gpt", "--out", "{file}/report"], "not writable"),
        (["pim_gpt", "--out", "/proc/report"], "not writable"),
    ],
)
def test_wrong_input_is_one_message_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["pimsim", "report", *(a.format(file=tmp_path / "file") for a in arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_measurement_of_a_model_with_the_same_layers_counts() -> None:
    run = simulate("pim_gpt", "gpt3_medium", 1)
    table = comparison_table([(load_workload("gpt3_medium"), run)], [load_baseline("a100_80")])
    measured = table[table.method == "measured"]
    assert measured.baseline_token_latency_s.tolist() == [2.774e-3]
    assert measured.how.iloc[0].startswith("GPT-350M")
