"""The decorator of every compiled function: compiled once per machine, and again whenever any kernel's source changes.

Numba's own cache looks at the file of the function alone, not at the functions it calls; after an update it could run
half old, half new code. Here the folder of the cache carries a digest of all kernel sources.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from pimsim.engine.kernels_files import CheckedFiles
from pimsim.engine.kernels_folder import kernel_folder

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


_FOLDER = str(kernel_folder(_digest()))


def cache_folder() -> str:
    """Folder in which compiled kernels are kept."""
    return _FOLDER


if "NUMBA_OPT" not in os.environ:
    # Level 3 takes half as long again to compile these kernels, and they run no faster.
    _SETTINGS: Any = numba.config
    _SETTINGS.OPT = type(_SETTINGS.OPT)(2)


_INNER = "pimsim_inner_"  # begins the qualified name of every function that only kernels call


def _compile_inner_kernels_once() -> None:
    """Let numba leave functions that only kernels call as they are until they have become part of the kernel that calls them.

    It would otherwise optimise each of them on its own, with all that it calls, and make machine code of it that nothing runs: more
    than half of the time that compiling takes. Where numba is built differently nothing changes.
    """
    try:
        from numba.core.codegen import CPUCodeLibrary
        from numba.core.cpu import CPUContext

        optimize, executable = CPUCodeLibrary._optimize_final_module, CPUContext.get_executable
    except (ImportError, AttributeError):
        return

    def optimize_outer(library: Any) -> None:
        if not library.name.startswith(_INNER):
            optimize(library)

    def executable_outer(context: Any, library: Any, fndesc: Any, env: Any) -> Any:
        if fndesc.qualname.startswith(_INNER):
            return [].append  # numba wants a builtin function of its own for each, which nobody calls
        return executable(context, library, fndesc, env)

    library_class: Any = CPUCodeLibrary
    context_class: Any = CPUContext
    library_class._optimize_final_module, context_class.get_executable = optimize_outer, executable_outer


_compile_inner_kernels_once()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` with numba on first use and keep the machine code for later runs."""
    return _compiled(function)


def inner_kernel(function: Callable[..., Any]) -> Any:
    """As ``kernel``, for functions that only kernels call: without the costly entry from Python."""
    function.__qualname__ = f"{_INNER}{function.__name__}"
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined_kernel(function: Callable[..., Any]) -> Any:
    """As ``inner_kernel``, made part of each kernel that calls it: for small functions that take large tuples of arrays."""
    function.__qualname__ = f"{_INNER}{function.__name__}"
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, _FOLDER
    try:
        njit: Any = numba.njit
        compiled = njit(cache=True, error_model="numpy", **options)(function)
    finally:
        settings.CACHE_DIR = before
    cache = getattr(compiled, "_cache", None)
    if cache is not None:
        cache._cache_file = CheckedFiles.instead_of(cache._cache_file)
    return compiled
