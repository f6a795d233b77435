"""The fit: finds parameters that made synthetic rows, holds unseen ones at their priors, stays physical."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.baselines.calibration import PARAMETERS, Observation, fit, predict_s
from pimsim.baselines.stacks import FRAMEWORKS
from pimsim.baselines.steptime import Run, features
from pimsim.config.baseline import load_baseline
from pimsim.config.load import load_workload
from pimsim.workload.model import DecoderModel

PRIORS = {p.name: p.prior for p in PARAMETERS}
CASES = [
    (device, workload, framework)
    for device in ("h100", "a100_40", "rtx_4090")
    for workload in ("gpt2_small", "gpt2_xl", "llama3_2_3b", "llama2_7b")
    for framework in ("vllm", "torch_compile", "transformers")
]


def _observations(truth: dict[str, float]) -> list[Observation]:
    found = []
    for device, workload, framework in CASES:
        run = Run(load_baseline(device), DecoderModel(load_workload(workload).model), FRAMEWORKS[framework], 2.0)
        at = features(run, np.array([100.0]))
        found.append(Observation(at, predict_s(at, truth)))
    return found


def test_without_rows_the_priors_stand() -> None:
    assert fit([]) == pytest.approx(PRIORS, rel=1e-6)


def test_synthetic_rows_are_explained() -> None:
    truth = PRIORS | {"efficiency_hbm": 0.7, "gap_stream_us": 14.0, "launch_us": 25.0, "gap_graph_us": 2.5}
    rows = _observations(truth)
    found = fit(rows)
    before = max(abs(np.log(predict_s(o.features, PRIORS) / o.measured_s)) for o in rows)
    after = max(abs(np.log(predict_s(o.features, found) / o.measured_s)) for o in rows)
    assert before > 0.3 and after < 0.05
    for name in ("efficiency_hbm", "gap_stream_us", "launch_us"):
        assert found[name] == pytest.approx(truth[name], rel=0.1)


def test_parameters_no_row_depends_on_stay_at_their_priors() -> None:
    found = fit(_observations(PRIORS | {"efficiency_hbm": 0.6}))
    for name in ("efficiency_cpu", "gap_native_cpu_us", "all_reduce_fused_us"):
        assert found[name] == pytest.approx(PRIORS[name], rel=1e-4)


def test_efficiency_never_exceeds_one() -> None:
    rows = [Observation(o.features, o.measured_s / 3) for o in _observations(PRIORS)]
    found = fit(rows)
    assert all(found[p.name] <= 1.0 for p in PARAMETERS if p.name.startswith("efficiency"))


def test_the_order_of_rows_does_not_matter() -> None:
    rows = _observations(PRIORS | {"launch_us": 30.0})
    assert fit(rows[::-1]) == pytest.approx(fit(rows), rel=1e-3)
