"""What bound each instruction of a recorded step, cycle by cycle, and what would have bound it next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.command_trace import IntArray
from pimsim.engine.fast import StepRecord
from pimsim.engine.kernels_limits import (
    BUS,
    BUSY,
    DATA,
    INPUTS,
    REFRESH,
    LimitRules,
    bind,
    fresh_past,
    limit_rules,
)
from pimsim.engine.kernels_system import END, PREDECESSOR, START
from pimsim.engine.rule_arrays import SPACING, rule_arrays
from pimsim.explain.asic_limits import asic_limits, named
from pimsim.mapping.placement import Placement
from pimsim.program.instruction import LINK, PIM, Instruction
from pimsim.trace.export import COMMAND, COUNT, CYCLE, OFFSET, Piece, pieces
from pimsim.units import ps_to_edge, ps_to_s

_SPECIAL = {
    BUS: "command bus: one command a cycle",
    INPUTS: "its inputs",
    REFRESH: "refresh",
    BUSY: "the channel's earlier instruction",
    DATA: "latency of its last data",
}
NOTHING = "nothing"


@dataclass(frozen=True)
class ExplainedInstruction:
    """One instruction of a step; times in seconds from the step's start.

    ``after``: number of the instruction it waited for, -1 for the start. ``limits_s``: its time by what bound it, on the
    channel that was done last; they sum to its duration, from the receiver's clock edge on. ``bound_by`` is the largest,
    ``next_limit`` what would bind most of those cycles if that cost nothing, when ``saved_s`` would be gained at most.
    """

    number: int
    layer: int
    op: str
    role: str
    kind: str
    start_s: float
    end_s: float
    after: int
    critical: bool
    channel: int
    bound_by: str
    bound_s: float
    next_limit: str
    saved_s: float
    limits_s: dict[str, float]

    @property
    def duration_s(self) -> float:
        """End minus start."""
        return self.end_s - self.start_s


def explain_step(device: Device, placement: Placement, record: StepRecord) -> list[ExplainedInstruction]:
    """Explain every instruction of a recorded step, in order."""
    on_path = _critical(record)
    bound = _Binder(device, record)
    by_number: dict[int, _Bound] = {}
    for piece in pieces(device, placement, record):
        candidate = bound.piece(piece)
        known = by_number.get(piece.number)
        if known is None or candidate.done_cycle > known.done_cycle:
            by_number[piece.number] = candidate
    found = []
    for number, (instruction, layer) in enumerate(record.program.unrolled()):
        start, end, after = (int(record.instances[number, k]) for k in (START, END, PREDECESSOR))
        if instruction.kind == PIM:
            about = by_number[number].about(device) if number in by_number else (-1, NOTHING, 0, NOTHING, 0, {})
        else:
            about = _asic_about(device, instruction, end - start)
        channel, bound_by, bound_ps, next_limit, saved_ps, limits_ps = about
        found.append(
            ExplainedInstruction(
                number=number,
                layer=layer,
                op=instruction.label,
                role=instruction.role,
                kind=instruction.kind,
                start_s=ps_to_s(start - record.start_ps),
                end_s=ps_to_s(end - record.start_ps),
                after=after,
                critical=number in on_path,
                channel=channel,
                bound_by=bound_by,
                bound_s=ps_to_s(bound_ps),
                next_limit=next_limit,
                saved_s=ps_to_s(saved_ps),
                limits_s={name: ps_to_s(ps) for name, ps in limits_ps.items()},
            )
        )
    return found


_About = tuple[int, str, int, str, int, dict[str, int]]


def _critical(record: StepRecord) -> set[int]:
    """Numbers of the instructions on the step's critical path."""
    found, current = set(), sum(1 for _ in record.program.unrolled()) - 1
    while current >= 0:
        found.add(current)
        current = int(record.instances[current, PREDECESSOR])
    return found


def _asic_about(device: Device, instruction: Instruction, duration_ps: int) -> _About:
    if instruction.kind == LINK:
        pins = f"{device.link.gbit_per_s * device.organization.channels:g} Gb/s of all pins"
        return -1, pins, duration_ps, NOTHING, duration_ps, {pins: duration_ps}
    period, asic = device.asic_period_ps, device.asic
    limits = asic_limits(instruction.stages, asic)
    largest = max(limits, key=lambda name: limits[name])
    others = asic_limits(instruction.stages, asic, without=largest)
    following = max(others, key=lambda name: others[name])
    shown = {named(name, asic): cycles * period for name, cycles in limits.items() if cycles}
    saved = (sum(limits.values()) - sum(others.values())) * period
    return -1, named(largest, asic), limits[largest] * period, named(following, asic), saved, shown


@dataclass(frozen=True)
class _Bound:
    """Cycles of one instruction on one channel by limit, and by (limit, next limit) with what would be saved."""

    channel: int
    done_cycle: int
    cycles: dict[int, int]
    following: dict[tuple[int, int], int]
    saved: dict[int, int]

    def about(self, device: Device) -> _About:
        t_ck_ps = device.timing.t_ck_ps
        largest = max(self.cycles, key=lambda limit: self.cycles[limit])
        after = {limit: cycles for (bound, limit), cycles in self.following.items() if bound == largest}
        following = max(after, key=lambda limit: after[limit], default=None)
        named_limits: dict[str, int] = {}
        for limit, cycles in sorted(self.cycles.items(), key=lambda item: -item[1]):
            name = limit_name(device, limit)
            named_limits[name] = named_limits.get(name, 0) + cycles * t_ck_ps
        return (
            self.channel,
            limit_name(device, largest),
            self.cycles[largest] * t_ck_ps,
            NOTHING if following is None else limit_name(device, following),
            self.saved.get(largest, self.cycles[largest]) * t_ck_ps,
            named_limits,
        )


def limit_name(device: Device, limit: int) -> str:
    """A rule as ``PREab -> ACT_AB: nRP = 12``, or what else may bind."""
    if limit < 0:
        return _SPECIAL[limit]
    rule, names = device.table.rules[limit], device.standard.command_names
    window = f" (window {rule.window})" if rule.window > 1 else ""
    return f"{names[rule.preceding]} -> {names[rule.following]}: {rule.rule.gap} = {rule.gap_ck}{window}"


class _Binder:
    """Follows the log of every channel; knows what each issued before."""

    def __init__(self, device: Device, record: StepRecord) -> None:
        self._device, self._record = device, record
        self._rules: LimitRules = limit_rules(device.table, device.organization)
        self._spacing = rule_arrays(device.table, device.organization).commands[:, SPACING]
        channels = range(device.organization.channels)
        self._past = [fresh_past(device.table, self._rules) for _ in channels]
        self._last = [ps_to_edge(record.start_ps, device.timing.t_ck_ps) - 1 for _ in channels]
        self._latency = np.array(device.table.latency_ck, np.int64)
        commands = device.standard.commands
        self._carries = np.array([command.row in ("none", "column", "column_close") for command in commands])
        self._own_rule = [self._repeating(code) for code in range(len(commands))]

    def piece(self, piece: Piece) -> _Bound:
        """Bind one instruction's commands on one channel."""
        t_ck_ps, channel = self._device.timing.t_ck_ps, piece.channel
        data_cycle = ps_to_edge(int(self._record.instances[piece.number, START]), t_ck_ps)
        codes, before = piece.log[:, COMMAND], self._last[channel]
        final = piece.log[:, CYCLE] + (piece.log[:, COUNT] - 1) * self._spacing[codes]
        log = np.column_stack([piece.log[:, CYCLE], final, piece.log[:, OFFSET : OFFSET + 4]])
        bound = np.empty((len(log), 3), np.int64)
        self._last[channel] = int(bind(self._rules, self._past[channel], log, before, data_cycle, bound))
        carrying = self._carries[codes] & (piece.log[:, OFFSET] >= 0)
        done = int((final + self._latency[codes])[carrying].max(initial=data_cycle))
        if self._device.controller.issue == "serial":
            done = max(done, self._last[channel] + 1)
        return self._sum(channel, bound, log, before, data_cycle, done)

    def _sum(self, channel: int, bound: IntArray, log: IntArray, before: int, data_cycle: int, done: int) -> _Bound:
        """Cycles between data and end, each to what bound the command that ends its wait; repeats to their own spacing."""
        previous = np.concatenate([[before], log[:-1, 1]])
        first = np.clip(log[:, 0] + 1, data_cycle, done) - np.clip(previous + 1, data_cycle, done)
        repeats = np.clip(log[:, 1] + 1, data_cycle, done) - np.clip(log[:, 0] + 1, data_cycle, done)
        cycles: dict[int, int] = {}
        following: dict[tuple[int, int], int] = {}
        saved: dict[int, int] = {}
        for limit, after, gain, count, code, repeated in zip(
            *bound.T.tolist(), first.tolist(), log[:, 3].tolist(), repeats.tolist(), strict=True
        ):
            _add(cycles, limit, count)
            _add(following, (limit, after), min(gain, count))
            _add(saved, limit, min(gain, count))
            if repeated:
                _add(cycles, self._own_rule[code], repeated)
                gained = repeated - repeated // int(self._spacing[code])
                _add(following, (self._own_rule[code], BUS), gained)
                _add(saved, self._own_rule[code], gained)
        _add(cycles, BUSY, max(0, min(before + 1, done) - data_cycle))
        _add(cycles, DATA, max(0, done - max(data_cycle, int(log[-1, 1]) + 1)))
        return _Bound(channel, done, {limit: n for limit, n in cycles.items() if n}, following, saved)

    def _repeating(self, code: int) -> int:
        """The rule that spaces repetitions of a command, the bus if there is none."""
        rules = self._device.table.rules
        own = [k for k, rule in enumerate(rules) if rule.preceding == rule.following == code and rule.window == 1]
        return max(own, key=lambda k: rules[k].gap_ck, default=BUS)


def _add(totals: dict, key: object, amount: int) -> None:  # type: ignore[type-arg]
    totals[key] = totals.get(key, 0) + amount
