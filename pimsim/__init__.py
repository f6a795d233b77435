"""Cycle-accurate simulator of DRAM processing-in-memory accelerators for decoder-only language models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pimsim.comparison import compare
    from pimsim.config.load import load_hardware, load_workload
    from pimsim.decoding_run.simulate import simulate_decoding
    from pimsim.errors import PimsimError
    from pimsim.explore.table import Sweep
    from pimsim.result.run_result import RunResult
    from pimsim.simulation import simulate

    __version__: str

# Loaded when first asked for: importing one part of the package must not wait for the others.
_HOME = {
    "PimsimError": "pimsim.errors",
    "RunResult": "pimsim.result.run_result",
    "Sweep": "pimsim.explore.table",
    "compare": "pimsim.comparison",
    "load_hardware": "pimsim.config.load",
    "load_workload": "pimsim.config.load",
    "simulate": "pimsim.simulation",
    "simulate_decoding": "pimsim.decoding_run.simulate",
}

__all__ = [
    "PimsimError",
    "RunResult",
    "Sweep",
    "__version__",
    "compare",
    "load_hardware",
    "load_workload",
    "simulate",
    "simulate_decoding",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("pimsim.result.provenance").package_version()
    if name not in _HOME:
        raise AttributeError(f"module 'pimsim' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
