"""What a verb says: text for people on standard output, a JSON document in a file or, instead of the text, on standard output."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from pimsim.result.write import STDOUT, check_writable, write_json

_FILE_WIDTH = 200  # columns where the output goes to a file or a pipe


class Output:
    """Made before any work, so that a file that cannot be written is refused at once.

    ``console`` prints for people, and nothing with ``quiet`` or where the document goes to standard output.
    """

    def __init__(self, json_file: str | None = None, quiet: bool = False) -> None:
        self._json_file = json_file
        check_writable(json_file)
        self.silent = quiet or json_file == STDOUT
        self.console = Console(quiet=self.silent, soft_wrap=True, highlight=False)
        self.wide = Console(quiet=self.silent, highlight=False, width=None if self.console.is_terminal else _FILE_WIDTH)

    def document(self, content: Any) -> None:
        """Write ``content`` where ``--json`` said, if it was given."""
        if self._json_file is not None:
            write_json(self._json_file, content)


def wide_console() -> Console:
    """The terminal; wide where the output goes to a file or a pipe."""
    return Output().wide
