"""Ctrl-C ends a verb with one line and exit code 130; nothing half-written stays, no process goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "pim_gpt", "gpt2_small", "gpt3_xl", "--baseline", "t4", "--processes", "2", "--out", "out"],
        ["reproduce", "pim-gpt", "--processes", "2", "--out", "out"],
    ],
    ids=["report", "reproduce"],
)
def test_interrupt(arguments: list[str], tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "pimsim", *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stderr is not None
    said = child.stderr.readline()  # the simulations begin
    time.sleep(1.0)
    os.killpg(child.pid, signal.SIGINT)
    said += child.stderr.read()
    assert child.wait(60) == 130, said
    assert "Traceback" not in said and said.splitlines()[-1] == "interrupted"
    assert list(tmp_path.iterdir()) == []
