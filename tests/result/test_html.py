"""What notebooks show of a run."""

from __future__ import annotations

from xml.etree import ElementTree

from pimsim import simulate


def test_a_run_shows_its_figures_and_bars() -> None:
    result = simulate("pim_gpt", "gpt2_small", tokens=2)
    root = ElementTree.fromstring(result._repr_html_())
    text = " ".join(root.itertext())
    for word in (
        "gpt2_small on pim_gpt",
        "per token",
        "TTFT",
        "critical path",
        "ffn1",
        "mac_array_read",
        f"{result.latency_s:.4g} s",
    ):
        assert word in text
    widths = [one.get("style", "").rpartition("width:")[2] for one in root.iter("div") if "background" in one.get("style", "")]
    assert widths.count("100%") == 3 and "script" not in result._repr_html_()
