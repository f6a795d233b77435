"""A ``config.json`` whose keys are counted: what was not understood in the end is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pimsim.errors import ConfigError, nearest
from pimsim.oracle.ignored_keys import changes_nothing

FILE = "config.json"
_REQUIRED: Any = object()
WIDTH = ("hidden_size", "n_embd", "d_model", "n_embed")
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
HEADS = ("num_attention_heads", "n_head", "num_heads", "n_heads")


class HubConfig:
    """Typed look-ups by any of several spellings. A null counts as absent, unless ``present`` is asked.

    Every error is a ConfigError that names the file and the key.
    """

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self.where, self.values = where, dict(values)
        self._read: set[str] = set()
        self._sections: list[HubConfig] = []

    def integer(self, *names: str, default: int | None = _REQUIRED, least: int = 1) -> Any:
        """A whole number of at least ``least``; ``default`` where absent."""
        name, value = self._find(names, default)
        if name is None:
            return value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or value < least:
            raise self.error(name, f"{value!r} must be a whole number of at least {least}")
        return value

    def number(self, *names: str, default: float | None = _REQUIRED) -> Any:
        """A finite number as float."""
        name, value = self._find(names, default)
        if name is None:
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.error(name, f"{value!r} must be a number")
        return float(value)

    def flag(self, *names: str, default: bool | None = _REQUIRED) -> Any:
        """True or false."""
        name, value = self._find(names, default)
        if name is not None and not isinstance(value, bool):
            raise self.error(name, f"{value!r} must be true or false")
        return value

    def text(self, *names: str, default: str | None = _REQUIRED) -> Any:
        """A string."""
        name, value = self._find(names, default)
        if name is not None and not isinstance(value, str):
            raise self.error(name, f"{value!r} must be text")
        return value

    def items(self, *names: str, default: list[Any] | None = _REQUIRED) -> Any:
        """A list, its members unchecked."""
        name, value = self._find(names, default)
        if name is not None and not isinstance(value, list):
            raise self.error(name, f"{value!r} must be a list")
        return value

    def section(self, *names: str) -> HubConfig | None:
        """A table inside the file, counted with it; None where absent."""
        name, value = self._find(names, None)
        if name is None:
            return None
        if not isinstance(value, dict):
            raise self.error(name, f"{value!r} must be a table")
        for known in self._sections:
            if known.where == f"{self.where}: {name}":
                return known
        self._sections.append(HubConfig(f"{self.where}: {name}", value))
        return self._sections[-1]

    def present(self, name: str) -> bool:
        """Whether the key is there, even as null."""
        self._read.add(name)
        return name in self.values

    def only(self, name: str, allowed: Any, default: Any = None) -> None:
        """Refuse every other value of a key than ``allowed`` (one value, or a tuple of them)."""
        _, value = self._find((name,), default)
        choices = allowed if isinstance(allowed, tuple) else (allowed,)
        if value is not None and value not in choices:
            raise self.error(name, f"{value!r} is not understood; allowed: {', '.join(map(repr, choices))}")

    def ignore(self, *names: str) -> None:
        """Keys that change nothing in this family."""
        self._read.update(names)

    def error(self, name: str, text: str) -> ConfigError:
        """An error about a key, to raise."""
        return ConfigError(f"{self.where}: {name}: {text}")

    def refuse_unread(self) -> None:
        """Raise for the first key that nobody asked for and that is not known to change nothing."""
        for section in self._sections:
            section.refuse_unread()
        for name, value in self.values.items():
            if name not in self._read and value is not None and not changes_nothing(name):
                shown = repr(value)
                raise self.error(name, f"{shown[:60]} is not understood{nearest(name, self._read)}")

    def _find(self, names: tuple[str, ...], default: Any) -> tuple[str | None, Any]:
        self._read.update(names)
        for name in names:
            if self.values.get(name) is not None:
                return name, self.values[name]
        if default is _REQUIRED:
            raise ConfigError(f"{self.where}: {names[0]}: is missing")
        return None, default


def read_config(path: str | Path) -> HubConfig:
    """The file, or the ``config.json`` of the folder. Raises ConfigError if it cannot be read or is not a table in JSON."""
    file = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: is not valid JSON: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: must be a table of keys and values")
    return HubConfig(str(file), values)
