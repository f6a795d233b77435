"""Commands of the GDDR6_AiM standard and what aim_simulator calls them."""

from __future__ import annotations

from collections.abc import Mapping

PEER_NAMES = {
    "ACT": "ACT",
    "PREab": "PREA",
    "PREpb": "PRE",
    "RD": "RD",
    "WR": "WR",
    "RDA": "RDA",
    "WRA": "WRA",
    "REFab": "REFab",
    "REFpb": "REFpb",
    "ACT_AB": "ACT16",
    "MAC_SB": "MAC",
    "MAC_AB": "MAC16",
    "AF_AB": "AF16",
    "EWMUL_AB": "EWMUL16",
    "RD_CP": "RDCP",
    "WR_CP": "WRCP",
    "WR_GB": "WRGB",
    "RD_MAC": "RDMAC16",
    "RD_AF": "RDAF16",
    "WR_BIAS": "WRMAC16",
    "WRA_AB": "WRA16",
    "TMOD": "TMOD",
}
PEER_GROUP_ACTIVATE = "ACT4"


def peer_counts(counts: Mapping[str, int], grouped: bool) -> dict[str, int]:
    """Counts above 0 under the peer's names; ``grouped``: ACT_AB opens a bank group, which it calls ACT4."""
    names = PEER_NAMES | ({"ACT_AB": PEER_GROUP_ACTIVATE} if grouped else {})
    return {peer: counts[name] for name, peer in names.items() if counts.get(name, 0)}
