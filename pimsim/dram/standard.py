"""A DRAM standard: commands, timing parameters and rules, as data. Variants state only what differs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pimsim.dram.commands import BANK, CHANNEL, Command
from pimsim.dram.rules import TimingRule


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
class Standard:
    """Commands, parameters and rules of one DRAM standard, and the commands a controller needs by role."""

    name: str
    commands: tuple[Command, ...]
    parameters: tuple[Parameter, ...]
    rules: tuple[TimingRule, ...]
    mode_switch: str = ""

    def __post_init__(self) -> None:
        scopes = {command.name: command.scope for command in self.commands}
        for rule in self.rules:
            for name in (*rule.preceding, *rule.following):
                if name not in scopes:
                    raise ValueError(f"{self.name}: rule '{rule}' names the unknown command '{name}'")
                if rule.scope == BANK and scopes[name] != BANK:
                    raise ValueError(f"{self.name}: rule '{rule}' is per bank, but {name} addresses a whole {scopes[name]}")
                if rule.scope != CHANNEL and scopes[name] == CHANNEL:
                    raise ValueError(f"{self.name}: rule '{rule}': {name} addresses the channel, so must the rule")

    @property
    def command_names(self) -> tuple[str, ...]:
        """Names of the commands, in the order of their codes."""
        return tuple(command.name for command in self.commands)

    def command(self, name: str) -> Command:
        """The command called ``name``; KeyError if the standard has none."""
        for command in self.commands:
            if command.name == name:
                return command
        raise KeyError(name)

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
