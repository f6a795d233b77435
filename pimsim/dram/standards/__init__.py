"""The DRAM standards, by name. Adding one is a file here and a line in this registry."""

from pimsim.dram.standards.gddr6 import GDDR6

STANDARDS = {standard.name: standard for standard in (GDDR6,)}

__all__ = ["GDDR6", "STANDARDS"]
