"""Workers run the driver's code and nothing else: not what lies in the current folder, not another version."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pimsim.errors import WorkerError
from pimsim.explore.evaluate import DONE, Outcome, check_code, signature
from pimsim.explore.table import Sweep
from tests.sweep_cases import ROOT, SweepFile


def test_nothing_in_the_current_folder_is_executed(sweep_file: SweepFile, tmp_path: Path) -> None:
    path, here = sweep_file(), tmp_path / "here"
    (here / "pimsim").mkdir(parents=True)
    mark = "from pathlib import Path\nPath({!r}).touch()\nraise ImportError('executed')\n".format(str(tmp_path / "executed"))
    for name in ("json.py", "sitecustomize.py", "numpy.py", "pickle.py", "pimsim/__init__.py"):
        (here / name).write_text(mark)
    program = (
        f"import sys; sys.path[:] = [{str(ROOT)!r}, *(p for p in sys.path if p)]\n"
        "from pimsim.explore.driver import run_sweep\n"
        "sys.path.insert(0, '')\n"
        f"print(run_sweep({str(path)!r}, {str(tmp_path / 'out')!r}, workers=2).progress)"
    )
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, cwd=here, env=kept, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "done=4" in done.stdout, done.stderr
    assert not (tmp_path / "executed").exists()
    assert set(Sweep.load(tmp_path / "out" / "small.sqlite").frame()["status"]) == {"done"}


def test_an_outcome_of_other_code_is_refused() -> None:
    version, code = signature()
    outcome = Outcome("k", DONE, {}, version=version, code=code)
    check_code(outcome)
    with pytest.raises(WorkerError, match=r"a worker runs pimsim 9.9, this is .*not stored"):
        check_code(replace(outcome, version="9.9"))
    for other in (replace(outcome, code="x"), replace(outcome, code="")):
        with pytest.raises(WorkerError, match=r"of other code, this is"):
            check_code(other)


def test_a_late_worker_of_other_code_ends_the_sweep(
    sweep_file: SweepFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pimsim.explore.driver as driver

    class Late:
        """Workers of which the second runs other code."""

        def __init__(self, count: int | None) -> None:
            from pimsim.explore.evaluate import evaluate

            self.evaluate, self.tasks, self.done = evaluate, [], 0
            self.has_room = True

        @property
        def busy(self) -> int:
            return len(self.tasks)

        def submit(self, task: object) -> None:
            self.tasks.append(task)

        def wait(self) -> Outcome:
            self.done += 1
            outcome = self.evaluate(self.tasks.pop())
            return outcome if self.done < 2 else replace(outcome, code="doubled latency")

        def close(self) -> None:
            pass

    monkeypatch.setattr(driver, "LocalWorkers", Late)
    with pytest.raises(WorkerError, match="of other code"):
        driver.run_sweep(sweep_file(), tmp_path / "out")
    assert list(Sweep.load(tmp_path / "out" / "small.sqlite").frame()["status"]).count("done") == 1
