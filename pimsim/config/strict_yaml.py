"""YAML without its traps: duplicate keys, numbers read as text, words read as booleans, sexagesimals, octals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pimsim.config import shipped
from pimsim.errors import ConfigError
from pimsim.files import open_regular
from pimsim.text import printable, shown

_LOOKS_NUMERIC = re.compile(r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?$")
_SEXAGESIMAL = re.compile(r"^[-+]?\d+(:[0-5]?\d)+(\.\d*)?$")
_LEGACY_OCTAL = re.compile(r"^[-+]?0\d+$")
_LEGACY_BOOL = re.compile(r"^(yes|no|on|off|y|n)$", re.IGNORECASE)
_MAX_BYTES = 1_000_000
_SHOWN = 40
_MAX_VALUES = 50_000
_MAX_DEPTH = 32
_INTEGER_LIMIT = 1 << 63
# The parser in C is twenty times as fast; PyYAML comes without it on a few machines.
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_FAST):  # type: ignore[misc]
    """SafeLoader that refuses what a reader would not expect."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                _check_characters(key_node)
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise _trap(key_node, "'<<' merges are not allowed; use 'base:'")
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
                name = f"'{shown(key_node.value, _SHOWN)}'" if isinstance(key_node, yaml.ScalarNode) else "a list or a mapping"
                raise _trap(key_node, f"keys must be plain names, not {name}")
            if key_node.value in seen:
                raise _trap(key_node, f"key '{shown(key_node.value)}' is given twice (first in line {seen[key_node.value]})")
            seen[key_node.value] = key_node.start_mark.line + 1
        return dict(super().construct_mapping(node, deep))


def _trap(node: yaml.Node | yaml.Event, message: str) -> ConfigError:
    mark = node.start_mark
    return ConfigError(message if mark is None else f"line {mark.line + 1}: {message}")


def _load(text: str) -> Any:
    """The value in ``text``, after a look at its events alone: no aliases, no more values and levels than any description has."""
    values = depth = 0
    for event in yaml.parse(text, Loader=_FAST):
        if isinstance(event, yaml.AliasEvent):
            raise _trap(event, "aliases (*name) are not allowed; use 'base:' or write it out")
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            values += 1
            depth += isinstance(event, yaml.CollectionStartEvent)
        if depth > _MAX_DEPTH:
            raise _trap(event, f"nested too deeply: more than {_MAX_DEPTH} levels")
        if values > _MAX_VALUES:
            raise _trap(event, f"more than {_MAX_VALUES:,} keys and values; not a description")
    return yaml.load(text, Loader=_StrictLoader)


def _plain_scalar(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    _check_characters(node)
    if not node.style:
        if _LEGACY_BOOL.match(text):
            raise _trap(node, f"'{text}' is a boolean in some YAML versions and text in others; write true, false or quote it")
        if _SEXAGESIMAL.match(text):
            raise _trap(node, f"'{text}' is a base-60 number in some YAML versions; quote it or write it out")
        if _LEGACY_OCTAL.match(text):
            raise _trap(node, f"'{text}' is octal in some YAML versions; drop the leading zero")
        if node.tag == "tag:yaml.org,2002:str" and _LOOKS_NUMERIC.match(text):
            raise _trap(
                node,
                f"'{text}' is read as text, not as a number; write it with a decimal point and a signed exponent, as 1.0e-9",
            )
    try:
        return _typed_scalar(loader, node)
    except (ValueError, KeyError):
        raise _trap(node, f"'{shown(text, _SHOWN)}' is not a value of type {node.tag.rpartition(':')[2]}") from None


def _check_characters(node: yaml.ScalarNode) -> None:
    """Refuse escapes such as "\\e" in text and keys: what a terminal would act upon has no place in a description."""
    text = str(node.value)
    if text.isascii() and text.isprintable():
        return
    if printable(text, "\n\t") != text:
        raise _trap(node, f"'{shown(text)}' holds control characters, which are not allowed")


def _typed_scalar(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.tag == "tag:yaml.org,2002:bool":
        return loader.construct_yaml_bool(node)
    if node.tag == "tag:yaml.org,2002:int":
        number = loader.construct_yaml_int(node)
        if abs(number) >= _INTEGER_LIMIT:
            raise _trap(node, f"'{shown(text, _SHOWN)}' is a number beyond 64 bits")
        return number
    if node.tag == "tag:yaml.org,2002:float":
        value = loader.construct_yaml_float(node)
        if value != value or value in (float("inf"), float("-inf")):
            raise _trap(node, f"'{text}' is not a finite number")
        return value
    return text


for _kind in ("str", "bool", "int", "float", "timestamp"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _plain_scalar)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping from ``path``. Raises ConfigError with file and line."""
    with open_regular(path, ConfigError, _MAX_BYTES) as file:
        content = file.read(_MAX_BYTES + 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{shipped.told_path(path)}: is not a text file (UTF-8)") from None
    return parse_yaml(text, shipped.told_path(path))


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """Parse one YAML mapping; ``where`` names its origin in errors."""
    try:
        data = _load(text)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        if "nesting" in str(error):
            raise ConfigError(f"{where}:{line} nested too deeply") from None
        raise ConfigError(f"{where}:{line} not valid YAML: {getattr(error, 'problem', str(error).splitlines()[0])}") from None
    except RecursionError:
        raise ConfigError(f"{where}: nested too deeply") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: must be a mapping of keys to values, found {type(data).__name__}")
    return data


def parse_scalar(text: str) -> Any:
    """A value as given on the command line (``--set path=value``), read by the same strict rules."""
    try:
        value = _load(text)
    except ConfigError as error:
        raise ConfigError(str(error).split(": ", 1)[-1]) from None
    except RecursionError:
        raise ConfigError("nested too deeply") from None
    except yaml.YAMLError as error:
        if "nesting" in str(error):
            raise ConfigError("nested too deeply") from None
        if printable(text) != text:
            raise ConfigError(f"'{shown(text)}' holds control characters, which are not allowed") from None
        return text
    return value
