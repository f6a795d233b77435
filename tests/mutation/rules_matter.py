"""Does every timing rule matter? Delete or shorten each (preceding, following) pair in turn and see whether a check fails.

Run by hand from the project's folder; it rewrites docs/rule_mutation.md:

    python -m tests.mutation.rules_matter

Two checks per pair, on the pair's edge stream (tests/rule_edges.py) with timing in which the pair decides:
*engine*: a schedule made with the changed table is rejected by the auditor with the true table, naming the rule;
*auditor*: an auditor with the changed table accepts a command one cycle early, which the true one rejects.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from pimsim.config.device import Device
from pimsim.trace import CommandTrace, audit, load_stream, schedule_stream
from tests.rule_edges import Edge, dominated_by, edge_stream, emphasised, without
from tests.strategies import devices, random_stream

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = sorted((ROOT / "tests" / "crossval" / "gddr6").glob("gddr6_1250mV_*.csv"))
RANDOM_STREAMS, RANDOM_CHOICES = 12, 150


@dataclass(frozen=True)
class Verdict:
    """What noticed the deletion and the shortening of one pair; ``redundant`` says why nothing ever can."""

    pair: str
    deleted_in_engine: bool
    shortened_in_engine: bool
    deleted_in_auditor: bool
    shortened_in_auditor: bool
    redundant: str

    @property
    def caught(self) -> bool:
        """True if both changes are noticed on both sides."""
        return all((self.deleted_in_engine, self.shortened_in_engine, self.deleted_in_auditor, self.shortened_in_auditor))


def pair_text(device: Device, position: int) -> str:
    """``channel: ACT -> ACT: nFAW (window 4)``."""
    resolved, names = device.table.stream_rules[position], device.standard.command_names
    window = f" (window {resolved.window})" if resolved.window > 1 else ""
    scope = f"other {resolved.scope}" if resolved.sibling else resolved.scope
    return f"{scope}: {names[resolved.preceding]} -> {names[resolved.following]}: {resolved.rule.gap}{window}"


@cache
def edge_case(name: str, position: int) -> tuple[Device, Edge]:
    """A device of ``tests.strategies.devices`` with timing in which its pair decides, and the stream that shows it."""
    device = emphasised(devices()[name], position)
    return device, edge_stream(device, device.table.stream_rules[position])


def examine(name: str, position: int) -> Verdict:
    """Change one pair of the device's table in both ways, on both sides."""
    reason = dominated_by(devices()[name], devices()[name].table.stream_rules[position])
    true, edge = edge_case(name, position)
    timed = edge.timed(true)
    early = edge.early(true)
    mutants = [without(true, position), without(true, position, loosen_ticks=1)]
    engine = [_rejected(edge.timed(mutant), true, pair_text(true, position)) for mutant in mutants]
    seen = _rejected(timed._replace(clock=early), true, pair_text(true, position))
    auditor = [seen and audit(timed._replace(clock=early), mutant).legal for mutant in mutants]
    return Verdict(pair_text(true, position), *engine, *auditor, reason)


def _rejected(trace: CommandTrace, device: Device, rule: str) -> bool:
    return any(found.rule.startswith(f"{rule.split(' (window')[0]} = ") for found in audit(trace, device).violations)


def shipped_streams(device: Device) -> list[CommandTrace]:
    """The recorded streams of GDDR6; random ones for every other standard."""
    if device.standard.name == "GDDR6":
        return [load_stream(path, device) for path in REFERENCE]
    width = RANDOM_CHOICES
    return [random_stream(device, list(range(k * width, (k + 1) * width))) for k in range(RANDOM_STREAMS)]


def streams_changed(device: Device, position: int, streams: list[CommandTrace], clocks: list[np.ndarray]) -> int:
    """How many streams get other clocks, with shipped timing, when the pair is deleted."""
    mutant = without(device, position)
    return sum(not np.array_equal(schedule_stream(s, mutant).clock, c) for s, c in zip(streams, clocks, strict=True))


@cache
def own_positions() -> dict[str, list[int]]:
    """For each device, the pairs of its table that no device of the same standard before it has."""
    seen: set[tuple[str, str]] = set()
    own: dict[str, list[int]] = {}
    for name, device in sorted(devices().items()):
        own[name] = []
        for position in range(len(device.table.stream_rules)):
            pair = (device.standard.name, pair_text(device, position))
            if pair not in seen:
                own[name].append(position)
            seen.add(pair)
    return own


def _section(name: str, device: Device) -> list[str]:
    streams = shipped_streams(device)
    clocks = [schedule_stream(stream, device).clock for stream in streams]
    rows, redundant = [], []
    for position in own_positions()[name]:
        verdict = examine(name, position)
        changed = streams_changed(device, position, streams, clocks)
        outcome = "caught" if verdict.caught else "redundant" if verdict.redundant else "NOT CAUGHT"
        rows.append(f"| {verdict.pair} | {changed} of {len(streams)} | {outcome} |")
        if verdict.redundant:
            redundant.append(f"| {verdict.pair} | {verdict.redundant} |")
    head = f"\n## {name} ({device.standard.name}): {len(rows)} pairs not listed above, {len(redundant)} redundant\n"
    table = ["| pair | streams changed with shipped timing | deleted or 1 CK short |", "|---|---|---|", *rows]
    reasons = ["", "| redundant pair | because of |", "|---|---|", *redundant] if redundant else []
    return [head, *table, *reasons] if rows else []


def main() -> None:
    """Write the result table."""
    lines = [
        "# Does every timing rule matter?",
        "",
        "Written by `python -m tests.mutation.rules_matter`. Each (preceding, following) pair of each rule table is deleted, and in a",
        "second change shortened by one cycle, in the engine's and in the auditor's table in turn. *Caught*: on the pair's edge stream,",
        "with a timing table in which the pair decides, all four changes make a check fail. *Redundant*: no timing table exists in which",
        "the pair decides; the rules that see to it are computed, and listed. The middle column counts the streams (recorded ones for",
        "GDDR6, random ones otherwise) whose clocks change with the shipped timing when the pair is deleted.",
    ]
    for name, device in sorted(devices().items()):
        lines += _section(name, device)
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "rule_mutation.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
