"""The decorator of every compiled function: compiled once per machine, and again whenever any kernel's source changes.

Numba's own cache looks at the file of the function alone, not at the functions it calls; after an update it could run
half old, half new code. Here the folder of the cache carries a digest of all kernel sources.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_KEPT_VERSIONS = 4
_HERE = Path(__file__).parent
_SOURCES = sorted(
    [
        *_HERE.glob("kernels*.py"),
        *(_HERE / name for name in ("aim_state.py", "rule_arrays.py", "state.py", "memo.py", "records.py")),
    ]
)


def _digest() -> str:
    state = hashlib.sha256(numba.__version__.encode())
    for path in _SOURCES:
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def _cache_folder() -> str:
    """A writable folder for this version of the kernels; older versions beside it are removed but for a few."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for root in (base / "pimsim", Path(tempfile.gettempdir()) / f"pimsim-{os.getuid() if hasattr(os, 'getuid') else 0}"):
        folder = root / f"kernels-{_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            os.utime(folder)
            _forget_old(root, folder)
        except OSError:
            continue
        return str(folder)
    return tempfile.mkdtemp(prefix="pimsim-kernels-")


def _forget_old(root: Path, current: Path) -> None:
    versions = sorted(root.glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in versions[_KEPT_VERSIONS:]:
        if path != current:
            shutil.rmtree(path, ignore_errors=True)


_FOLDER = _cache_folder()
if "NUMBA_OPT" not in os.environ:
    # Level 3 takes half as long again to compile these kernels, and they run no faster.
    _SETTINGS: Any = numba.config
    _SETTINGS.OPT = type(_SETTINGS.OPT)(2)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` with numba on first use and keep the machine code for later runs."""
    return _compiled(function)


def inner_kernel(function: Callable[..., Any]) -> Any:
    """As ``kernel``, for functions that only kernels call: without the costly entry from Python."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined_kernel(function: Callable[..., Any]) -> Any:
    """As ``inner_kernel``, made part of each kernel that calls it: for small functions that take large tuples of arrays."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, _FOLDER
    try:
        njit: Any = numba.njit
        return njit(cache=True, **options)(function)
    finally:
        settings.CACHE_DIR = before
