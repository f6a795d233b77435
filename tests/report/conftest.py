"""One small report, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.report.build import build_report
from pimsim.report.data import ReportData, ReportRequest

REQUEST = ReportRequest(("pim_gpt", "gddr6_aim"), ("gpt2_small", "gpt2_medium"), ("t4", "rtx_3090", "xeon_gold_6154"), tokens=3)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReportData]:
    """Folder of the report, and the data it shows."""
    out = tmp_path_factory.mktemp("results") / "small"
    return out, build_report(REQUEST, out)
