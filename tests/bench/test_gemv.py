"""Generated matrix-vector traces are the peer's, token by token, and the data of its runs is the reference's."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from pimsim.aim.run import run_trace
from pimsim.bench.gemv import STYLES, GemvTrace, gemv_text
from pimsim.bench.peer import HARDWARE, SETTINGS, published
from pimsim.config.load import load_hardware
from pimsim.errors import BenchError

AIM = Path(__file__).parent.parent / "crossval" / "aim"
ROWS = {row["name"]: row for row in csv.DictReader((AIM / "results.csv").open())}
NAMES = sorted(name for name in ROWS if name.startswith("gemv_"))


def test_the_peers_figures_are_those_of_the_reference():
    entries = {entry.gemv.name: entry for entry in published()}
    assert sorted(entries) == NAMES and len(NAMES) == 18
    for name, entry in entries.items():
        assert entry.cycles == int(ROWS[name]["cycles"])
        assert entry.wall_s == float(ROWS[name]["wall_s_median_of_3_2core_machine"])


@pytest.mark.parametrize("entry", published(), ids=lambda entry: entry.gemv.name)
def test_text_equals_the_reference_trace(entry):
    reference = gzip.decompress((AIM / "traces" / f"{entry.gemv.name}.trace.gz").read_bytes()).decode()
    made = gemv_text(entry.gemv)
    assert [line.split() for line in made.splitlines()] == [line.split() for line in reference.splitlines() if line.strip()]


def macs(text: str) -> list[tuple[int, int]]:
    """Columns and row of every multiplication of a trace."""
    fields = [line.split() for line in text.splitlines() if " MAC_ABK " in line]
    return [(int(columns), int(row)) for _, _, columns, _, row in fields]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("outputs, inputs, channels", [(1, 1, 1), (600, 1025, 32), (17, 2050, 1), (5000, 100, 3)])
def test_odd_sizes_multiply_every_input_of_every_output_once(tmp_path, style, outputs, inputs, channels):
    gemv = GemvTrace(outputs, inputs, channels, style)
    text = gemv_text(gemv)
    tiles, columns = -(-outputs // (16 * channels)), -(-inputs // 16)
    done = sorted(macs(text), key=lambda mac: mac[1])
    assert [row for _, row in done] == list(range(tiles * -(-columns // 64)))
    assert sum(count for count, _ in done) == tiles * columns and max(count for count, _ in done) <= 64
    path = tmp_path / "odd.trace"
    path.write_text(text)
    result = run_trace(path, load_hardware(HARDWARE, SETTINGS))
    assert result.commands["MAC_AB"] == tiles * columns * channels


def test_no_more_partial_sums_than_registers_between_two_reads():
    held = most = 0
    for line in gemv_text(GemvTrace(16 * 100, 64, 1, "reuse32")).splitlines():
        held += ("WR_BIAS" in line) - ("RD_MAC" in line)
        most = max(most, held)
    assert (held, most) == (0, 32)


@pytest.mark.parametrize(
    "gemv, message",
    [
        (GemvTrace(1, 1, 1, "reuse23"), "unknown style 'reuse23' (did you mean 'reuse32'?)"),
        (GemvTrace(0, 1, 1, "acc1"), "sizes must be at least 1"),
        (GemvTrace(1, 1, 33, "acc1"), "channels 1 to 32"),
    ],
)
def test_impossible_traces_are_refused(gemv, message):
    with pytest.raises(BenchError) as caught:
        gemv_text(gemv)
    assert message in str(caught.value)
