"""A DRAM standard: commands, timing parameters and rules, as data. Variants state only what differs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pimsim.dram.commands import BANK, BANK_GROUP, CHANNEL, OUTER_LEVELS, SAME_BANK, SCOPES, Command
from pimsim.dram.rules import TimingRule

# Rule sets that a hardware file may choose: all that the standard has, or those of the simulator that streams come from.
COMPLETE, REFERENCE_SET = "complete", "ramulator_2_1"
RULE_SETS = (COMPLETE, REFERENCE_SET)


@dataclass(frozen=True)
class Parameter:
    """A timing parameter in CK (``nRCDRD``; ``tRCDRD_ns`` in YAML).

    ``umbrella``: a broader name that sets it unless it is given itself (``nRCD`` sets ``nRCDRD`` and ``nRCDWR``).
    ``default``: gap expression used when neither is given; without one the parameter is required.
    """

    name: str
    meaning: str
    umbrella: str = ""
    default: str = ""


@dataclass(frozen=True)
class DataClock:
    """A clock of the data pins that stops when idle: ``starts`` names, for each column command, the command that must stand
    in the CK before it while the clock is stopped. A column command keeps it running until ``keeps`` CK after its issue.

    ``keeps`` are gap expressions by data direction (``read``, ``write``); each unit of ``scope`` has its own clock.
    """

    scope: str
    starts: tuple[tuple[str, str], ...]
    keeps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Standard:
    """Commands, parameters and rules of one DRAM standard, and the commands a controller needs by role.

    ``levels``: what it has between channel and bank group (pseudo channels, ranks, stack IDs), from wide to narrow.
    ``added_commands`` and ``added_rules``: what only the complete rule set has, beyond the reference's. ``latest``: after each of
    ``preceding`` a ``following`` comes at most ``gap`` CK later. ``ticks_per_ck``: command slots of a CK.
    ``beats_per_column``: transfers of a column access; ``transfers_per_ck``: of a data pin in a CK (0: not stated).
    """

    name: str
    commands: tuple[Command, ...]
    parameters: tuple[Parameter, ...]
    rules: tuple[TimingRule, ...]
    mode_switch: str = ""
    levels: tuple[str, ...] = ()
    added_commands: tuple[Command, ...] = ()
    added_rules: tuple[TimingRule, ...] = ()
    latest: tuple[TimingRule, ...] = ()
    data_clock: DataClock | None = None
    ticks_per_ck: int = 1
    beats_per_column: int = 1
    transfers_per_ck: int = 0

    def __post_init__(self) -> None:
        known = {command.name: command for command in (*self.commands, *self.added_commands)}
        allowed = (CHANNEL, *self.levels, BANK_GROUP, SAME_BANK, BANK)
        for rule in (*self.rules, *self.added_rules, *self.latest):
            if rule.scope not in allowed:
                raise ValueError(f"{self.name}: rule '{rule}': the standard has no {rule.scope}")
            for name in (*rule.preceding, *rule.following):
                if name not in known:
                    raise ValueError(f"{self.name}: rule '{rule}' names the unknown command '{name}'")
                self._check_scope(rule, known[name])
        for command in known.values():
            if command.held_ck * self.ticks_per_ck < 1:
                raise ValueError(f"{self.name}: {command.name} holds its bus for less than a tick")

    def _check_scope(self, rule: TimingRule, command: Command) -> None:
        """A rule at a scope that the command does not address would never find its node."""
        if addresses(command.scope, rule.scope):
            return
        if rule.scope == BANK:
            raise ValueError(f"{self.name}: rule '{rule}' is per bank, but {command.name} addresses a whole {command.scope}")
        raise ValueError(f"{self.name}: rule '{rule}': {command.name} addresses the {command.scope}, so must the rule")

    @property
    def command_names(self) -> tuple[str, ...]:
        """Names of the commands, in the order of their codes."""
        return tuple(command.name for command in self.commands)

    @property
    def command_buses(self) -> tuple[str, ...]:
        """Names of the command buses, in order of appearance."""
        return tuple(dict.fromkeys(command.command_bus for command in self.commands))

    def command(self, name: str) -> Command:
        """The command called ``name``; KeyError if the standard has none."""
        for command in self.commands:
            if command.name == name:
                return command
        raise KeyError(name)

    def with_rule_set(self, rule_set: str) -> Standard:
        """The standard with one of RULE_SETS as its rules."""
        bare = replace(self, added_commands=(), added_rules=())
        if rule_set != COMPLETE:
            return bare
        return replace(bare, commands=self.commands + self.added_commands, rules=self.rules + self.added_rules)

    def extended(
        self,
        name: str,
        commands: tuple[Command, ...] = (),
        parameters: tuple[Parameter, ...] = (),
        rules: tuple[TimingRule, ...] = (),
        mode_switch: str = "",
    ) -> Standard:
        """A new standard with these commands, parameters and rules on top of this one's."""
        return replace(
            self,
            name=name,
            commands=self.commands + commands,
            parameters=self.parameters + parameters,
            rules=self.rules + rules,
            mode_switch=mode_switch or self.mode_switch,
        )


def addresses(command_scope: str, level: str) -> bool:
    """Whether a command of ``command_scope`` says which unit of ``level`` it means.

    A bank command says all; one for the same bank of every group says the bank's number, but no group.
    """
    if command_scope == SAME_BANK:
        return level in (CHANNEL, *OUTER_LEVELS, SAME_BANK)
    if command_scope == BANK_GROUP:
        return level in (CHANNEL, *OUTER_LEVELS, BANK_GROUP)
    return SCOPES.index(level) <= SCOPES.index(command_scope)
