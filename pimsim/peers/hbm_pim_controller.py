"""The controller of one HBM-PIM pseudo channel, command by command, as PIMSimulator @ b464dde behaves.

One command a CK. First refresh, then the first access in the queue that can go, then an activation that one wants, then a
precharge of a row that nothing before the next barrier wants. Accesses arrive one a CK; none passes a barrier, but
activations run ahead of one that has come to the head of the queue. In all-bank modes only the two banks that stand for all
others are activated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pimsim.peers.hbm_pim_program import EVEN, MODE_ROW, ODD, REGISTER_ROW, SINGLE_BANK_ROW, Access, HbmPimShape
from pimsim.peers.log import Issued

IDLE, OPEN, BUSY = range(3)
SINGLE, ALL, UNITS = "SB", "HAB", "HAB_PIM"


@dataclass
class _Bank:
    state: int = IDLE
    row: int = -1
    idle_from: int = 0
    activate_from: int = 0
    read_from: int = 0
    write_from: int = 0
    precharge_from: int = 0


class Controller:
    """Runs accesses; ``timing`` maps parameter names (``nRCDRD`` ...) to CK."""

    def __init__(self, accesses: Sequence[Access], shape: HbmPimShape, timing: Mapping[str, int]) -> None:
        self.accesses, self.shape, self.timing = accesses, shape, timing
        self.banks = [_Bank() for _ in range(shape.banks)]
        self.arrived, self.queue = 0, list[Access]()
        self.first_precharge = 0
        self.refresh_due, self.refresh_waits = timing["nREFI"] // 2, False
        self.other_rank_due = timing["nREFI"] // 2 * 2
        self.other_rank_waits = False
        self.mode, self.switched = SINGLE, set[int]()
        self.issued: list[Issued] = []
        self.last_read = 0

    def run(self) -> int:
        """Issues everything; returns the CK at which the data of the last read have come back."""
        clock = 0
        while self.arrived < len(self.accesses) or self.queue:
            went = self._cycle(clock)
            if self.arrived < len(self.accesses):
                self.queue.append(self.accesses[self.arrived])
                self.arrived += 1
                clock += 1
            else:
                clock = clock + 1 if went else self._next_event(clock)
        end = self.last_read + self.timing["nCL"] + self.timing["nBL"] + 2
        while clock < end:
            self._cycle(clock)
            clock += 1
        return end

    def _next_event(self, clock: int) -> int:
        """The next CK at which anything can become possible."""
        times = [self.refresh_due, self.other_rank_due]
        for bank in self.banks:
            times += [bank.idle_from, bank.activate_from, bank.read_from, bank.write_from, bank.precharge_from]
        return min(time for time in times if time > clock)

    def _cycle(self, clock: int) -> bool:
        for bank in self.banks:
            if bank.state == BUSY and clock >= bank.idle_from:
                bank.state = IDLE
        return self._refresh(clock) or self._access(clock) or self._activate(clock) or self._close_unwanted(clock)

    def _refresh(self, clock: int) -> bool:
        """Two ranks take turns; the other one is idle and only takes a slot."""
        if clock >= self.refresh_due:
            self.refresh_due += self.timing["nREFI"]
            self.refresh_waits = True
        if clock >= self.other_rank_due:
            self.other_rank_due += self.timing["nREFI"]
            self.other_rank_waits = True
        if self.refresh_waits:
            opened = [k for k, bank in enumerate(self.banks) if bank.state == OPEN]
            for k in opened:
                if clock >= self.banks[k].precharge_from:
                    self._precharge(k, clock)
                    return True
            if not opened:
                self.refresh_waits = False
                for bank in self.banks:
                    bank.state, bank.idle_from = BUSY, clock + self.timing["nRFC"]
                    bank.activate_from = clock + self.timing["nRFC"]
                self._log(clock, "REF", 0, 0, 0)
                return True
        elif self.other_rank_waits:
            self.other_rank_waits = False
            self._log(clock, "REF", 0, 0, 0, SINGLE)
            return True
        return False

    def _access(self, clock: int) -> bool:
        for i, access in enumerate(self.queue):
            bank = self.banks[access.bank]
            ready = bank.write_from if access.writes else bank.read_from
            if bank.state == OPEN and bank.row == access.row and clock >= ready:
                if i and access.barrier:
                    return False
                if not any(other[1:4] == access[1:4] for other in self.queue[:i]):
                    del self.queue[i]
                    self._column(access, clock)
                    return True
            if access.barrier:
                return False
        return False

    def _activate(self, clock: int) -> bool:
        for i, access in enumerate(self.queue):
            if i and access.barrier:
                return False
            bank = self.banks[access.bank]
            stands = self.mode == SINGLE or access.bank in (EVEN, ODD)
            if stands and bank.state == IDLE and clock >= bank.activate_from:
                self._open(access, clock)
                return True
        return False

    def _close_unwanted(self, clock: int) -> bool:
        count = self.shape.banks
        for k in range(count):
            index = (self.first_precharge + k) % count
            bank = self.banks[index]
            if bank.state == OPEN and clock >= bank.precharge_from and not self._wanted(index):
                self.first_precharge = index
                self._precharge(index, clock)
                return True
        return False

    def _wanted(self, index: int) -> bool:
        for access in self.queue:
            if access.bank == index and access.row == self.banks[index].row:
                return True
            if access.barrier:
                return False
        return False

    def _column(self, access: Access, clock: int) -> None:
        t, own = self.timing, self.banks[access.bank]
        per_group = self.shape.banks // self.shape.bank_groups
        for k, bank in enumerate(self.banks):
            same = max(t["nCCDL"] if k // per_group == access.bank // per_group else t["nCCDS"], t["nBL"])
            to_read = t["nCWL"] + t["nBL"] + t["nWTRL"] if access.writes else same
            to_write = same if access.writes else t["nRTW"]
            bank.read_from = max(bank.read_from, clock + to_read)
            bank.write_from = max(bank.write_from, clock + to_write)
        to_precharge = t["nCWL"] + t["nBL"] + t["nWR"] if access.writes else t["nRTPL"]
        own.precharge_from = max(own.precharge_from, clock + to_precharge)
        self._log(clock, "WR" if access.writes else "RD", access.bank, access.row, access.column)
        if not access.writes:
            self.last_read = clock
        elif access.row == REGISTER_ROW and access.column == 0:
            self.mode = ALL if self.mode == UNITS else UNITS

    def _open(self, access: Access, clock: int) -> None:
        t, own = self.timing, self.banks[access.bank]
        per_group = self.shape.banks // self.shape.bank_groups
        own.state, own.row = OPEN, access.row
        own.activate_from = max(own.activate_from, clock + t["nRC"])
        own.precharge_from = max(own.precharge_from, clock + t["nRAS"])
        own.read_from = max(own.read_from, clock + t["nRCDRD"])
        own.write_from = max(own.write_from, clock + t["nRCDWR"])
        for k, bank in enumerate(self.banks):
            if k != access.bank:
                gap = t["nRRDL"] if k // per_group == access.bank // per_group else t["nRRDS"]
                bank.activate_from = max(bank.activate_from, clock + gap)
        self._log(clock, "ACT", access.bank, access.row, access.column)
        if access.row == MODE_ROW and self.mode == SINGLE:
            self._switch(access.bank, 4, ALL)

    def _precharge(self, index: int, clock: int) -> None:
        bank = self.banks[index]
        bank.state, bank.idle_from = BUSY, clock + self.timing["nRP"]
        bank.activate_from = max(bank.activate_from, clock + self.timing["nRP"])
        self._log(clock, "PRE", index, bank.row, 0)
        if bank.row == SINGLE_BANK_ROW and self.mode == ALL:
            self._switch(index, 2, SINGLE)

    def _switch(self, bank: int, banks: int, mode: str) -> None:
        """The mode changes with the last of the ``banks`` that must see the command."""
        self.switched.add(bank)
        if len(self.switched) == banks:
            self.mode, self.switched = mode, set()

    def _log(self, clock: int, command: str, bank: int, row: int, column: int, mode: str = "") -> None:
        self.issued.append(Issued(clock, command, bank, row, column, mode or self.mode))
