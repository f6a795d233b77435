"""The controller of one AttAcc channel as attacc_simulator @ c600051 behaves: a row and a column command may share a CK.

Requests wait in one queue. The first that is ready goes; row commands may be taken from behind a barrier, but nothing passes
the head of the queue in a bank whose open row a MAC in the queue still hits. Refresh comes first, and column commands go on beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pimsim.dram.rules import TimingRule, evaluate_gap, rule
from pimsim.peers.attacc_program import BARRIER, Request
from pimsim.peers.log import Issued

QUEUE_ENTRIES = 33
_MOVES = "WRGB MVSB MVGB SFM"
_LEVELS = {"channel": 0, "pseudo_channel": 1, "rank": 2, "bank_group": 3, "bank": 4}
_ROW_OF = {"MACAB": ("ACTAB", "PREA"), "MACSB": ("ACTSB", "PRESB"), "MACPB": ("ACTPB", "PREPB")}
_ACTIVATES = {activate for activate, _ in _ROW_OF.values()}
_CLOSES = {close for _, close in _ROW_OF.values()}
_ROW_COMMANDS = _ACTIVATES | _CLOSES | {"REFab"}
_WHOLE_CHANNEL = {"PREA", "REFab", "SFM"}

RULES: tuple[TimingRule, ...] = (
    rule("channel", "ACTAB", "ACTAB PREA REFab", "2"),
    rule("channel", "ACTSB", "ACTSB PREA PRESB REFab", "2"),
    rule("channel", "ACTPB", "ACTPB PREA PREPB REFab", "2"),
    rule("channel", "MACAB", "MACAB", "nCCDAB"),
    rule("channel", "ACTAB", "ACTAB", "nRC"),
    rule("channel", "ACTAB", "MACAB", "nRCDRD"),
    rule("channel", "ACTAB", "PREA", "nRAS"),
    rule("channel", "MACAB", "PREA", "nRTPL"),
    rule("channel", "PREA", "ACTAB", "nRP"),
    rule("channel", "MACSB", "MACSB", "nCCDSB"),
    rule("bank", "ACTSB", "ACTSB", "nRC"),
    rule("bank", "ACTSB", "MACSB", "nRCDRD"),
    rule("bank", "ACTSB", "PRESB", "nRAS"),
    rule("bank", "MACSB", "PRESB", "nRTPL"),
    rule("bank", "PRESB", "ACTSB", "nRP"),
    rule("channel", "MACPB", "MACPB", "nBL"),
    rule("rank", "MACPB", "MACPB", "nCCDS"),
    rule("bank_group", "MACPB", "MACPB", "nCCDL"),
    rule("bank", "ACTPB", "ACTPB", "nRC"),
    rule("bank", "ACTPB", "MACPB", "nRCDRD"),
    rule("bank", "ACTPB", "PREPB", "nRAS"),
    rule("bank", "MACPB", "PREPB", "nRTPL"),
    rule("bank", "PREPB", "ACTPB", "nRP"),
    rule("pseudo_channel", "REFab", "ACTAB ACTSB ACTPB", "nRFC"),
    rule("pseudo_channel", _MOVES, _MOVES, "nBL"),
    rule("rank", _MOVES, _MOVES, "nCCDS"),
    rule("bank_group", _MOVES, _MOVES, "nCCDL"),
)


class Controller:
    """Runs requests; ``timing`` maps parameter names to CK. No rule stands between moves and MACs."""

    def __init__(self, requests: Sequence[Request], timing: Mapping[str, int], pseudo_channels: int = 2) -> None:
        self.requests, self.timing, self.pseudo_channels = requests, timing, pseudo_channels
        self.after: dict[str, list[tuple[int, str, int]]] = {}
        for r in RULES:
            for before, following in r.pairs():
                gap = evaluate_gap(r.gap, timing)
                self.after.setdefault(before, []).append((_LEVELS[r.scope], following, gap))
        self.ready_from: dict[tuple[tuple[int, ...], str], int] = {}
        self.rows: dict[tuple[int, ...], int] = {}
        self.queue: list[Request] = []
        self.refreshes: list[int] = []
        self.next_request, self.clock, self.next_refresh = 0, 0, timing["nREFI"]
        self.issued: list[Issued] = []

    def run(self) -> int:
        """Issues everything; returns the CK of the last command."""
        while True:
            self._fill()
            if not self.queue and not self.refreshes:
                return self.issued[-1].clock
            self.clock += 1
            if self.clock == self.next_refresh:
                self.next_refresh += self.timing["nREFI"]
                self.refreshes += range(self.pseudo_channels)
            before = len(self.issued) - len(self.queue)
            self._tick()
            if len(self.issued) - len(self.queue) == before:
                self._skip()

    def _fill(self) -> None:
        room = QUEUE_ENTRIES - len(self.queue)
        if room > 0:
            self.queue += self.requests[self.next_request : self.next_request + room]
            self.next_request = min(len(self.requests), self.next_request + room)

    def _skip(self) -> None:
        """On to the CK before anything may change."""
        later = [time for time in self.ready_from.values() if time > self.clock]
        self.clock = min([*later, self.next_refresh], default=self.next_refresh) - 1

    def _tick(self) -> None:
        if self.refreshes:
            command = "PREA" if self.rows else "REFab"
            if self._ready(command, ()):
                self._issue(command, (self.refreshes[0],), -1, -1)
                if command == "REFab":
                    self.refreshes.pop(0)
            self._issue_best(beside=command)
            return
        first = self._issue_best()
        if first:
            self._issue_best(beside=first)

    def _issue_best(self, beside: str = "") -> str:
        """The command that went for the best request, '' if none did or it needs the bus that ``beside`` took."""
        best = self._best()
        if best < 0:
            return ""
        request, command = self.queue[best], self._needed(self.queue[best])
        if beside and (command in _ROW_COMMANDS) == (beside in _ROW_COMMANDS):
            return ""
        if not self._ready(command, request.place):
            return ""
        self._issue(command, request.place, request.row, request.column)
        if command == request.command:
            del self.queue[best]
        return command

    def _best(self) -> int:
        """Position of the request to serve: the first that is ready, else the first.

        While a MAC in the queue hits an open row, nothing else addressed at the same bank passes the head of the queue.
        """
        if self.queue and self.queue[0].command == BARRIER:
            del self.queue[0]
        if not self.queue:
            return -1
        hit = {r.place for r in self.queue if r.command in _ROW_OF and self._needed(r) == r.command}
        if self._ready(self._needed(self.queue[0]), self.queue[0].place):
            return 0
        beyond = False
        for k in range(1, len(self.queue)):
            request = self.queue[k]
            if request.command == BARRIER:
                beyond = True
                continue
            command = self._needed(request)
            row = command in _ACTIVATES or command in _CLOSES
            if (beyond and not row) or (command not in _ROW_OF and request.place in hit):
                continue
            if self._ready(command, request.place):
                return k
        return 0

    def _needed(self, request: Request) -> str:
        if request.command not in _ROW_OF:
            return request.command
        activate, close = _ROW_OF[request.command]
        row = self.rows.get(self._bank(request.command, request.place))
        return activate if row is None else request.command if row == request.row else close

    @staticmethod
    def _bank(command: str, place: tuple[int, ...]) -> tuple[int, ...]:
        """The banks that open together: all, one of every group, or one."""
        return () if command.endswith("AB") else place[3:] if command.endswith("SB") else place[1:]

    def _ready(self, command: str, place: tuple[int, ...]) -> bool:
        depth = 0 if command in _WHOLE_CHANNEL else len(place)
        return all(self.ready_from.get((place[:k], command), 0) <= self.clock for k in range(depth + 1))

    def _issue(self, command: str, place: tuple[int, ...], row: int, column: int) -> None:
        for level, following, gap in self.after.get(command, ()):
            if level <= len(place):
                key = (place[:level], following)
                self.ready_from[key] = max(self.ready_from.get(key, 0), self.clock + gap)
        if command in _ACTIVATES:
            self.rows[self._bank(command, place)] = row
        elif command == "PREA":
            self.rows.clear()
        elif command in _CLOSES:
            self.rows.pop(self._bank(command, place), None)
        pseudo_channel, rank, group, bank = (*place, -1, -1, -1, -1)[:4]
        at = Issued(self.clock, command, bank, row, column, "", pseudo_channel, rank, group)
        self.issued.append(at)
