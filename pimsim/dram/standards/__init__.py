"""The DRAM standards, by name. Adding one is a file here and a line in this registry."""

from pimsim.dram.standards.gddr6 import GDDR6
from pimsim.dram.standards.gddr6_aim import GDDR6_AIM, gddr6_aim

STANDARDS = {standard.name: standard for standard in (GDDR6, GDDR6_AIM)}

# Standards with PIM commands of their own: (all-bank activation by bank group, obeys tFAW) -> standard.
PIM_VARIANTS = {GDDR6_AIM.name: gddr6_aim}

__all__ = ["GDDR6", "GDDR6_AIM", "PIM_VARIANTS", "STANDARDS"]
