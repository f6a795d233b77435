"""AttAcc (attacc_simulator @ c600051): attention as the commands that its host sends to one channel of a stack.

Units stand in every bank, in every bank group or in the buffer die. K starts at row 0, V in the upper half of the rows; heads
lie ``max_length x head_size / 64`` bytes apart. Of heads that share a channel, two at a time are interleaved: MACs of one
beside the moves of the other. ``Request.barrier`` entries hold back all but row commands behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from pimsim.errors import ConfigError
from pimsim.peers.hbm_pim_program import check_commands, check_sizes

PLACES = ("bank", "bank_group", "buffer_die")
MAC = {"bank": "MACAB", "bank_group": "MACSB", "buffer_die": "MACPB"}
BARRIER = "BARRIER"
_GROUP_TOKENS = 16
_V_BYTES = 1 << 23


class Request(NamedTuple):
    """A command and its place: pseudo channel, rank, bank group, bank (``place``), row, column."""

    command: str
    place: tuple[int, int, int, int] = (0, 0, 0, 0)
    row: int = 0
    column: int = 0


@dataclass(frozen=True)
class AttaccShape:
    """A stack: channels, pseudo channels, ranks, groups, banks of a group, rows and columns of a bank, bytes of a column."""

    channels: int = 16
    pseudo_channels: int = 2
    ranks: int = 2
    bank_groups: int = 4
    banks_per_group: int = 4
    rows: int = 1 << 14
    columns: int = 32
    column_bytes: int = 32
    element_bytes: int = 2

    @property
    def lanes(self) -> int:
        """Elements of one column."""
        return self.column_bytes // self.element_bytes


@dataclass(frozen=True)
class _Head:
    """Commands of one head in a channel: whole phases, and MACs and moves in pieces that are interleaved."""

    channels: int
    load: list[Request]
    score: list[list[Request]]
    score_out: list[list[Request]]
    softmax: list[Request]
    back: list[Request]
    context: list[list[Request]]
    context_out: list[list[Request]]


class _Layout:
    """Where the units stand decides how tokens and elements of a head are spread."""

    def __init__(self, shape: AttaccShape, where: str, head_size: int, length: int, max_length: int) -> None:
        self.shape, self.where, self.head_size, self.length = shape, where, head_size, length
        self.mac = MAC[where]
        groups = shape.pseudo_channels * shape.ranks * shape.bank_groups
        self.head_bytes = -(-max_length * head_size // (groups * shape.banks_per_group))
        self.spread = groups if where != "buffer_die" else shape.pseudo_channels
        self.elements = shape.lanes * (shape.banks_per_group if where == "bank" else 1)
        self.outputs, self.pieces = -(-length // self.spread), -(-head_size // self.elements)
        self.phases = -(-self.outputs // _GROUP_TOKENS)

    def at(self, base: int, place: tuple[int, int, int, int] = (0, 0, 0, 0), index: int = 0, command: str = "") -> Request:
        """The ``index``-th column of a region that starts at byte ``base``, addressed at ``place``."""
        shape = self.shape
        column = base // shape.column_bytes + index
        return Request(command or self.mac, place, column // shape.columns % shape.rows, column % shape.columns)

    def mac_at(self, base: int, index: int) -> Request:
        """The ``index``-th MAC of a region: columns first, then banks and rows, as the units' place asks."""
        shape = self.shape
        if self.where == "bank":
            return self.at(base, index=index)
        if self.where == "bank_group":
            switches, column = divmod(index, shape.columns)
            row, bank = divmod(switches, shape.banks_per_group)
            return self.at(base, (0, 0, 0, bank), row * shape.columns + column)
        turns, group = divmod(index, shape.bank_groups * shape.ranks)
        columns, bank = divmod(turns, shape.banks_per_group)
        return self.at(base, (0, group // shape.bank_groups, group % shape.bank_groups, bank), columns)

    def load(self, base: int) -> list[Request]:
        """The head's query into the units' buffers."""
        banks = range(self.shape.banks_per_group) if self.where == "bank" else range(1)
        return [self.at(base, (0, 0, 0, bank), command="WRGB") for bank in banks for _ in range(self.pieces)]

    def score_out(self, base: int) -> list[Request]:
        """Scores to the softmax buffer."""
        return [self.at(base, place, command="MVSB") for place in self._groups(by_rank=False)]

    def back(self, base: int) -> list[Request]:
        """Probabilities from the softmax buffer to the units."""
        count = -(-self.length // (self.spread * self.shape.lanes))
        return [self.at(base, place, command="MVGB") for place in self._groups(by_rank=True) for _ in range(count)]

    def context_out(self, base: int) -> list[Request]:
        """Results of one piece of the context."""
        shape = self.shape
        if self.where == "buffer_die":
            return [self.at(base, command="MVSB")]
        banks = range(shape.banks_per_group) if self.where == "bank" else range(1)
        return [self.at(base, (0, rank, 0, bank), command="MVSB") for bank in banks for rank in range(shape.ranks)]

    def _groups(self, by_rank: bool) -> list[tuple[int, int, int, int]]:
        shape = self.shape
        if self.where == "buffer_die":
            return [(0, 0, 0, 0)]
        if by_rank:
            return [(0, rank, group, 0) for rank in range(shape.ranks) for group in range(shape.bank_groups)]
        return [(0, rank, group, 0) for group in range(shape.bank_groups) for rank in range(shape.ranks)]

    def head(self, index: int, channels: int) -> _Head:
        """The ``index``-th head of a channel, which ``channels`` channels have too."""
        key = index * self.head_bytes
        value = key + _V_BYTES
        score = [[self.mac_at(key, n * self.pieces + k) for k in range(self.pieces)] for n in range(self.outputs)]
        context = [[self.mac_at(value, n * self.outputs + k) for k in range(self.outputs)] for n in range(self.pieces)]
        return _Head(
            channels, self.load(key), score, [self.score_out(key)] * self.phases, [Request("SFM")], self.back(value),
            context, [self.context_out(value)] * self.pieces,
        )  # fmt: skip


def attention_program(
    shape: AttaccShape, where: str, heads: int, length: int, head_size: int = 128, max_length: int = 4096
) -> list[Request]:
    """One token's attention over ``length`` tokens for ``heads`` heads of a stack: what channel 0 is sent."""
    check_sizes(heads=heads, length=length, head_size=head_size, max_length=max_length)
    if where not in PLACES:
        raise ConfigError(f"units '{where}' must be one of: {', '.join(PLACES)}")
    layout = _Layout(shape, where, head_size, length, max_length)
    rounds, rest = -(-heads // shape.channels), heads % shape.channels
    check_commands(2 * rounds * layout.outputs * layout.pieces)
    all_heads = [layout.head(i, rest if rest and i == rounds - 1 else shape.channels) for i in range(rounds)]
    out: list[Request] = []
    for i in range(0, rounds - 1, 2):
        _pair(out, layout, all_heads[i], all_heads[i + 1], first=i == 0)
    if rounds % 2:
        _alone(out, layout, all_heads[-1])
    return out


def _pair(out: list[Request], layout: _Layout, one: _Head, two: _Head, first: bool) -> None:
    """Two heads, the moves of one beside the MACs of the other; the second context reads the first head's V, as the peer does."""
    out += one.load + (one.score[0][:1] if first else [])
    out.append(Request(BARRIER))
    phases, half = layout.phases, layout.phases // 2
    scores = [_join(head.score[j * _GROUP_TOKENS : (j + 1) * _GROUP_TOKENS] for j in range(phases)) for head in (one, two)]
    _phases(out, scores[0], one.score_out, _shares(two, two.load, phases, phases))
    back = [list[Request]()] * half + _shares(one, one.back, -(-phases // 2), phases - half)
    _phases(out, scores[1], two.score_out, back, one.softmax)
    pieces, half = layout.pieces, layout.pieces // 2
    back = [list[Request]()] * half + _shares(two, two.back, -(-pieces // 2), pieces - half)
    _phases(out, one.context, one.context_out, back, two.softmax)
    _phases(out, one.context, one.context_out, [list[Request]()] * pieces)


def _alone(out: list[Request], layout: _Layout, head: _Head) -> None:
    out += [*head.load, Request(BARRIER)]
    phases = layout.phases
    score = _join(head.score[j * _GROUP_TOKENS : (j + 1) * _GROUP_TOKENS] for j in range(phases))
    _phases(out, score, head.score_out, [list[Request]()] * phases)
    out += [*head.softmax, *head.back, Request(BARRIER)]
    _phases(out, head.context, head.context_out, [list[Request]()] * layout.pieces)


def _phases(
    out: list[Request], macs: Sequence[list[Request]], results: Sequence[list[Request]], other: Sequence[list[Request]],
    begin: Sequence[Request] = (),
) -> None:  # fmt: skip
    """MACs of each piece, the results of the piece before, moves of the other head, a barrier; last the last results."""
    for j in range(len(macs)):
        out += macs[j]
        out += results[j - 1] if j else begin
        out += [*other[j], Request(BARRIER)]
    out += results[len(macs) - 1]


def _join(groups: Iterable[list[list[Request]]]) -> list[list[Request]]:
    return [[request for part in group for request in part] for group in groups]


def _shares(head: _Head, commands: list[Request], parts: int, phases: int) -> list[list[Request]]:
    """``commands`` of all the head's channels dealt out in whole numbers, what is left over dropped: channel 0's of each phase."""
    stride = len(commands) * head.channels // parts
    ends = [min(j * stride, len(commands) * head.channels) for j in range(phases + 1)]
    return [commands[-(-a // head.channels) : -(-b // head.channels)] for a, b in pairwise(ends)]
