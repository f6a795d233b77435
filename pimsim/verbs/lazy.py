"""Groups of verbs that know their names and one-line help by heart and import a verb's module when it is used."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

INTERRUPTED = 130
CONTEXT = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True)
class Verb:
    """Module whose ``register(app)`` adds the verb, and the first sentence of the verb's docstring (a test compares)."""

    module: str
    help: str


class _Stub(TyperCommand):
    """What a group lists until a verb is used."""

    def __init__(self, name: str, verb: Verb) -> None:
        super().__init__(name, help=verb.help, add_help_option=False)
        self.verb = verb


def load(name: str, verb: Verb) -> Any:
    """The verb's real command (its module is imported)."""
    app = typer.Typer(context_settings=CONTEXT)
    app.callback()(_nothing)
    import_module(verb.module).register(app)
    group: Any = typer.main.get_group(app)
    return group.commands[name]


def group_of(verbs: Mapping[str, Verb]) -> type[TyperGroup]:
    """Class for ``typer.Typer(cls=...)`` that offers ``verbs``, in their order."""

    class LazyGroup(TyperGroup):
        """Lists stubs; a stub becomes a command when it is called."""

        def __init__(self, **attrs: Any) -> None:
            super().__init__(**attrs)
            self.commands: dict[str, Any] = {**{name: _Stub(name, verb) for name, verb in verbs.items()}, **self.commands}

        def list_commands(self, ctx: Any) -> list[str]:
            """Names in the order they were declared."""
            return list(self.commands)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """As the parent's, with the stub replaced by the verb."""
            name, command, rest = super().resolve_command(ctx, args)
            return name, load(str(command.name), command.verb) if isinstance(command, _Stub) else command, rest

        def invoke(self, ctx: Any) -> Any:
            """As the parent's; an interrupt ends every verb alike."""
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
                raise typer.Exit(INTERRUPTED) from None

    return LazyGroup


def _nothing() -> None:
    """Keeps a lone verb a sub-command."""
