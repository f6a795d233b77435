"""Where verbs write: consoles."""

from __future__ import annotations

from rich.console import Console

_FILE_WIDTH = 200  # columns where the output goes to a file or a pipe


def wide_console() -> Console:
    """The terminal; wide where the output goes to a file or a pipe."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)
