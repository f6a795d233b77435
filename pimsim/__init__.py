"""Cycle-accurate simulator of DRAM processing-in-memory accelerators for decoder-only language models."""

from pimsim.comparison import compare
from pimsim.config.load import load_hardware, load_workload
from pimsim.errors import PimsimError
from pimsim.result.provenance import package_version
from pimsim.result.run_result import RunResult
from pimsim.simulation import simulate

__version__ = package_version()
__all__ = ["PimsimError", "RunResult", "__version__", "compare", "load_hardware", "load_workload", "simulate"]
