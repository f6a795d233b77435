"""What an audit says: violations, commands that could have issued earlier, and totals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One fault of one command. Clocks in CK, or ticks of the standard; -1 where there is no earlier command or no single bank.

    ``kind``: ``timing``, ``bus``, ``order``, ``data_clock``, ``late``, ``bank_state``, ``refresh`` or ``loose`` (legal, but could
    have issued earlier). ``units``: pseudo channel, rank, stack ID, where the standard has them. ``rule`` says what is broken or
    what bound the command; ``cycles`` by how many CK (ticks) it is too early, too late, overdue or loose.
    """

    kind: str
    line: int
    clock: int
    command: str
    channel: int
    units: dict[str, int]
    bank_group: int
    bank: int
    rule: str
    earlier_command: str
    earlier_line: int
    earlier_clock: int
    cycles: int

    def __str__(self) -> str:
        units = [(name.replace("_", " "), number) for name, number in self.units.items()]
        groups = (("channel", self.channel), *units, ("bank group", self.bank_group), ("bank", self.bank))
        place = " ".join(f"{name} {number}" for name, number in groups if number >= 0)
        said = {
            "timing": f"{self.cycles} cycles too early: {self.rule}",
            "bus": f"{self.cycles} cycles too early: {self.rule}",
            "order": f"{self.cycles} cycles before its predecessor: {self.rule}",
            "late": f"{self.cycles} cycles too late: {self.rule}",
            "loose": f"could have issued {self.cycles} cycles earlier, bound by {self.rule}",
            "refresh": f"{self.rule}: {self.cycles} cycles overdue, last at clock {self.earlier_clock}",
        }.get(self.kind, self.rule)
        return f"{self.line}: {self.command} at clock {self.clock}, {place}: {said}{self._earlier()}"

    def _earlier(self) -> str:
        if self.earlier_line < 0:
            return ""
        return f", after {self.earlier_command} in line {self.earlier_line} at clock {self.earlier_clock}"


@dataclass(frozen=True)
class AuditReport:
    """Result of an audit: totals of everything found, and details of the first ones in order of the stream.

    ``loose_count`` is 0 unless tightness was asked for; ``refreshes`` counts refresh commands.
    """

    where: str
    standard: str
    commands: int
    channels: int
    last_clock: int
    refreshes: int
    violation_count: int
    loose_count: int
    violations: tuple[Finding, ...]
    loose: tuple[Finding, ...]

    @property
    def legal(self) -> bool:
        """True if no rule is broken; a loose command is legal."""
        return self.violation_count == 0

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"legal": self.legal, **asdict(self)}

    def lines(self) -> list[str]:
        """The report as text, one finding a line, a summary last."""
        text = [f"{self.where}:{finding}" for finding in sorted(self.violations + self.loose, key=lambda f: f.line)]
        unlisted = self.violation_count + self.loose_count - len(self.violations) - len(self.loose)
        if unlisted:
            text.append(f"{self.where}: {unlisted} more findings are counted but not listed")
        verdict = "legal" if self.legal else f"{self.violation_count} violation{'s' * (self.violation_count != 1)}"
        loose = f", {self.loose_count} commands could have issued earlier" if self.loose_count else ""
        span = f"{self.commands} commands on {self.channels} channels up to clock {self.last_clock}"
        return [*text, f"{self.where}: {verdict}: {span}, {self.refreshes} refreshes{loose}"]
