"""The devices as their simulators describe them: shapes and times in CK, with where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pimsim.errors import ConfigError, nearest


@dataclass(frozen=True)
class PeerTiming:
    """A table of times in CK (``cycles``), the clock's period, and the source."""

    name: str
    t_ck_ps: int
    cycles: Mapping[str, int]
    source: str

    def with_settings(self, settings: Mapping[str, int]) -> PeerTiming:
        """The table with some times replaced; ConfigError for a name that it has not."""
        for name, value in settings.items():
            if name not in self.cycles:
                raise ConfigError(
                    f"{self.name}: unknown time '{name}'{nearest(name, self.cycles)}; known: {', '.join(self.cycles)}"
                )
            if not 1 <= value <= 1 << 20:
                raise ConfigError(f"{self.name}: {name} {value} CK must be 1..{1 << 20}")
        cycles = {**self.cycles, **settings}
        needed = 2 * (cycles["nRFC"] + cycles["nRC"] + cycles["nRAS"] + cycles["nRP"])
        if cycles["nREFI"] < needed:
            raise ConfigError(f"{self.name}: nREFI {cycles['nREFI']} CK must be at least {needed} CK, or refreshes leave no time")
        return PeerTiming(self.name, self.t_ck_ps, cycles, self.source)


_HBM_PIM = {
    "nCL": 20, "nCWL": 8, "nBL": 2, "nCCDS": 2, "nCCDL": 4, "nRCDRD": 14, "nRCDWR": 10, "nRAS": 33, "nRC": 47, "nRP": 14,
    "nRRDS": 4, "nRRDL": 6, "nRTPL": 3, "nWR": 16, "nWTRL": 9, "nRTW": 15, "nREFI": 3900, "nRFC": 350,
}  # fmt: skip
HBM_PIM = PeerTiming(
    "hbm_pim", 1000, _HBM_PIM, "PIMSimulator @ b464dde, HBM2_samsung_2M_16B_x64.ini; nRTPL and nRTW as it derives them"
)

_ATTACC_NAMES = ("nBL", "nCL", "nRCDRD", "nRP", "nRAS", "nRC", "nRTPL", "nCCDS", "nCCDL", "nCCDAB", "nCCDSB", "nREFI")
_ATTACC_ROWS = {
    "4.8": (833, (2, 17, 17, 17, 41, 58, 8, 2, 4, 6, 6, 4680)),
    "5.2": (769, (2, 19, 19, 19, 45, 63, 8, 2, 4, 6, 6, 5070)),
    "5.6": (714, (2, 20, 20, 20, 48, 68, 9, 2, 4, 6, 7, 5460)),
    "6.0": (666, (2, 21, 21, 21, 51, 72, 9, 2, 4, 6, 7, 5850)),
    "6.4": (625, (2, 23, 23, 23, 55, 77, 10, 2, 4, 7, 8, 6240)),
}
_RFC_PS = 350_000


def attacc_timing(gbit_per_s: str = "5.2", power_limited: bool = True) -> PeerTiming:
    """HBM3 at a data rate of the pins; MACs follow each other at nCCDL where no power limit holds them apart."""
    if gbit_per_s not in _ATTACC_ROWS:
        raise ConfigError(f"attacc: {gbit_per_s} Gb/s must be one of: {', '.join(_ATTACC_ROWS)}")
    t_ck_ps, values = _ATTACC_ROWS[gbit_per_s]
    cycles = dict(zip(_ATTACC_NAMES, values, strict=True))
    cycles["nRFC"] = -(-_RFC_PS // t_ck_ps)
    if not power_limited:
        cycles["nCCDAB"] = cycles["nCCDSB"] = cycles["nCCDL"]
    return PeerTiming(
        "attacc", t_ck_ps, cycles, f"attacc_simulator @ c600051, HBM3_{gbit_per_s}Gbps{'' if power_limited else '_NPC'}"
    )
