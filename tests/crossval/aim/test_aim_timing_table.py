"""The rules of GDDR6_AiM, resolved with the shipped values, against the constraint dump of aim_simulator."""

from __future__ import annotations

import re
from pathlib import Path

from pimsim.aim.names import PEER_NAMES
from pimsim.config.load import load_hardware

DUMP = Path(__file__).with_name("timing_dump.txt")
SCOPES = {"channel": "channel", "bankgroup": "bank_group", "bank": "bank"}
CANONICAL = {peer: name for name, peer in PEER_NAMES.items()}
# Never issued there with this preset, or no DRAM command at all; REFab and REFpb carry its bugs (DEVIATIONS 1 and 2).
UNUSED = {"ACT4", "PRE4", "REFab", "REFpb", "SYNC", "EOC"}


def peer_constraints() -> dict[tuple[str, str, str], int]:
    longest: dict[tuple[str, str, str], int] = {}
    for line in DUMP.read_text().splitlines():
        match = re.fullmatch(r"CONS (\w+) (\w+) (\w+) (\d+) win=1 sib=0", line)
        if match and not UNUSED & {match[2], match[3]}:
            key = (SCOPES[match[1]], CANONICAL[match[2]], CANONICAL[match[3]])
            longest[key] = max(longest.get(key, 0), int(match[4]))
    return longest


def own_constraints(*overrides: str) -> dict[tuple[str, str, str], int]:
    table = load_hardware("gddr6_aim", overrides).table
    names = table.standard.command_names
    longest: dict[tuple[str, str, str], int] = {}
    for rule in table.rules:
        key = (rule.scope, names[rule.preceding], names[rule.following])
        if not {"REFab", "REFpb"} & set(key):
            assert rule.window == 1
            longest[key] = max(longest.get(key, 0), rule.gap_ck)
    return {key: gap for key, gap in longest.items() if key != ("channel", "AF_AB", "RD_AF") or gap}


def test_every_constraint_of_the_peer_and_no_other():
    assert len(peer_constraints()) == 260
    assert own_constraints() == peer_constraints()


def test_table_follows_its_parameters():
    changed = own_constraints("dram.timing.nRCDRDMAC=57", "dram.timing.nMODCH=40")
    different = {key for key, gap in own_constraints().items() if changed[key] != gap}
    assert ("channel", "ACT_AB", "MAC_AB") in different and ("channel", "TMOD", "WR_GB") in different
    assert all(key[1] == "TMOD" or key[2] in ("MAC_AB", "MAC_SB") for key in different)


def test_latencies_are_the_peers():
    table = load_hardware("gddr6_aim").table
    latency = dict(zip(table.standard.command_names, table.latency_ck, strict=True))
    dumped = dict(re.findall(r"^LATENCY (\w+) = (\d+)$", DUMP.read_text(), re.MULTILINE))
    for peer in set(dumped) - UNUSED:
        assert latency[CANONICAL[peer]] == int(dumped[peer]), peer
