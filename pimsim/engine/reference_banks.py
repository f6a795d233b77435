"""Reference engine: which banks of a channel are open, and how refresh comes due."""

from __future__ import annotations

from pimsim.config.device import Device
from pimsim.dram.commands import BANK, BANK_GROUP
from pimsim.engine.reference_rules import Target


class Banks:
    """Open banks of one channel, and whether they were opened by a command for many banks."""

    def __init__(self, device: Device) -> None:
        self.open: set[int] = set()
        self.opened_together = False
        self._device, self._shape = device, device.organization

    def addressed(self, target: Target) -> set[int]:
        """The banks that a command addresses."""
        scope = self._device.standard.commands[target.command].scope
        if scope == BANK:
            return {target.bank}
        if scope == BANK_GROUP and target.group >= 0:
            first = target.group * self._shape.banks_per_group
            return set(range(first, first + self._shape.banks_per_group))
        return set(range(self._shape.banks))

    def apply(self, target: Target) -> None:
        """``target`` has issued: it opens or closes the banks it addresses."""
        command = self._device.standard.commands[target.command]
        if command.row == "open":
            self.open |= self.addressed(target)
            self.opened_together = command.scope != BANK
        elif command.row in ("close", "column_close"):
            self.open -= self.addressed(target)

    def precharge(self, bank: int) -> Target:
        """What closes the banks that a refresh of ``bank`` (-1: of all) needs closed."""
        code = self._device.table.code
        if bank >= 0 and not self.opened_together:
            return self._single(code["PREpb"], bank)
        return Target(code["PREab"])

    def activations(self, closed: set[int]) -> list[Target]:
        """What opens ``closed`` again the way they were opened: ACT_AB by group or for all, or ACT bank by bank."""
        code, groups = self._device.table.code, self._device.activation_groups
        if not self.opened_together:
            return [self._single(code["ACT"], bank) for bank in sorted(closed)]
        if groups == 1:
            return [Target(code["ACT_AB"])]
        per_group = self._shape.banks // groups
        return [Target(code["ACT_AB"], group) for group in range(groups) if group * per_group in closed]

    def _single(self, command: int, bank: int) -> Target:
        return Target(command, self._shape.bank_group_of(bank), bank)


class RefreshClock:
    """When the refreshes of one channel fall due: every nREFI for all banks, nREFI / banks for one bank after another."""

    def __init__(self, device: Device) -> None:
        refresh = device.spec.dram.refresh
        self.enabled = refresh.mode != "none"
        self.done = 0
        self._interval_ck = device.timing["nREFI"]
        self._per_bank = refresh.mode == "per_bank"
        self._postponed = refresh.max_postponed
        self._banks = device.organization.banks
        self._lead_ck = device.table.refresh_lead_ck(self._per_bank)

    @property
    def bank(self) -> int:
        """The bank that is next; -1 for all."""
        return self.done % self._banks if self._per_bank else -1

    @property
    def due_cycle(self) -> int:
        """When the next refresh falls due."""
        return self._cycle_of(self.done)

    @property
    def urgent_cycle(self) -> int:
        """When it closes open banks: early enough to be issued before the one that is ``max_postponed`` later falls due."""
        return self._cycle_of(self.done + self._postponed) - self._lead_ck

    def _cycle_of(self, index: int) -> int:
        return (index + 1) * self._interval_ck // (self._banks if self._per_bank else 1)
