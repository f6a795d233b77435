"""Programs of steps that run only some layers of a model."""

from __future__ import annotations

from dataclasses import replace

from pimsim.decoding.schedule import LayerRange
from pimsim.program.instruction import OUTSIDE, Instruction, Section, StepProgram

KV_WRITE = "kv_write"


class LayerCuts:
    """Cuts programs; equal sections are cut once, so that the engine finds them equal."""

    def __init__(self) -> None:
        self._cut: dict[tuple[int, LayerRange, bool], tuple[Section, Section | None]] = {}

    def cut(self, program: StepProgram, layers: LayerRange | None, fill: bool) -> StepProgram:
        """The part of ``program`` that runs ``layers``; a ``fill`` ends each layer once its K and V are written.

        What comes before the first layer goes with layer 0; what comes after the last is there only if the step needs logits.
        """
        if layers is None:
            return program
        found = (self._section(section, layers, fill) for section in program.sections)
        return StepProgram(program.step, tuple(section for section in found if section is not None))

    def _section(self, section: Section, layers: LayerRange, fill: bool) -> Section | None:
        key = id(section), layers, fill
        if key not in self._cut:
            self._cut[key] = section, _cut_section(section, layers, fill)
        return self._cut[key][1]


def _cut_section(section: Section, layers: LayerRange, fill: bool) -> Section | None:
    begin, end = layers
    if section.layers == (OUTSIDE,):
        return section if section.rows == "logits" or begin == 0 else None
    kept = tuple(layer for layer in section.layers if layer >= begin and (end is None or layer < end))
    if not kept:
        return None
    instructions = _up_to_kv(section.instructions) if fill else section.instructions
    return replace(section, layers=kept, instructions=instructions) if instructions else None


def _up_to_kv(instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
    """Instructions that the writes of K and V wait for, and these writes; places in ``needs`` are counted anew."""
    wanted: set[int] = set()
    for place in reversed(range(len(instructions))):
        one = instructions[place]
        if one.op.kind == KV_WRITE or place in wanted:
            wanted.add(place)
            wanted.update(need for need in one.needs if need >= 0)
    order = sorted(wanted)
    new = {old: place for place, old in enumerate(order)} | {-1: -1}
    return tuple(replace(instructions[old], needs=tuple(new[need] for need in instructions[old].needs)) for old in order)
