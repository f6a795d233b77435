"""Write-back of the K or V of one sequence's rows."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pimsim.mapping.layout import Region
from pimsim.program import vectors
from pimsim.program.block import Block

if TYPE_CHECKING:
    from pimsim.program.rows import SequenceRows
    from pimsim.program.section import SectionLowering
    from pimsim.workload.ops import Op

BY_SEQUENCE = True


def varies(section: SectionLowering, op: Op, sequence: SequenceRows | None) -> Hashable:
    assert sequence is not None
    return sequence.sequence, sequence.kept, sequence.count


def lower(section: SectionLowering, op: Op, needs: tuple[int, ...], sequence: SequenceRows | None) -> int | tuple[int, ...]:
    assert sequence is not None
    region, room = section.region(op), section.lowering.placement.tokens[section.first_name(op.weight)]
    tokens = [token % room for token in range(sequence.kept, sequence.reach)]
    if not op.shape.across:
        return section.pim(op, "write", needs, op.weight, _key_blocks(section, region, tokens), sequence)
    blocks = section.lowering.per_channel(
        ("v", region.layout), lambda c: vectors.value_write_block(section.lowering.device, region, c)
    )
    return tuple(
        section.pim(op, "write", needs, op.weight, blocks, sequence, span) for span in column_spans(tokens, region.geometry.lanes)
    )


def _key_blocks(section: SectionLowering, region: Region, tokens: list[int]) -> tuple[Block | None, ...]:
    """One row of K for each token, in the bank and channel that it belongs to."""
    width, geometry = sum(chunk.columns for chunk in region.layout.chunks), region.geometry
    owners = {token // geometry.banks % geometry.channels for token in tokens}

    def build(channel: int) -> Block | None:
        if channel not in owners:
            return None
        runs = [
            run._replace(operand=run.operand + row * width)
            for row, token in enumerate(tokens)
            for run in vectors.row_runs(region, token, channel)
        ]
        return section.lowering.run_blocks.block(runs, write=True)

    return section.lowering.per_channel(("k", region.layout, tuple(tokens)), build)


def column_spans(tokens: list[int], lanes: int) -> list[tuple[int, int]]:
    """First and end of the runs of consecutive tokens that lie in one column: one masked write takes all of a run."""
    spans: list[tuple[int, int]] = []
    for token in tokens:
        if spans and spans[-1][1] == token and token % lanes:
            spans[-1] = spans[-1][0], token + 1
        else:
            spans.append((token, token + 1))
    return spans
