"""The DRAM standards, by name. Adding one is a file here and a line in this registry."""

from pimsim.dram.standards.ddr5 import DDR5
from pimsim.dram.standards.gddr6 import GDDR6
from pimsim.dram.standards.gddr6_aim import GDDR6_AIM, gddr6_aim
from pimsim.dram.standards.hbm2 import HBM2
from pimsim.dram.standards.hbm3 import HBM3
from pimsim.dram.standards.lpddr5 import LPDDR5

STANDARDS = {standard.name: standard for standard in (GDDR6, GDDR6_AIM, HBM2, HBM3, LPDDR5, DDR5)}

# Standards with PIM commands of their own: (all-bank activation by bank group, obeys tFAW) -> standard.
PIM_VARIANTS = {GDDR6_AIM.name: gddr6_aim}

__all__ = ["DDR5", "GDDR6", "GDDR6_AIM", "HBM2", "HBM3", "LPDDR5", "PIM_VARIANTS", "STANDARDS"]
