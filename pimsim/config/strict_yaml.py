"""YAML without its traps: duplicate keys, numbers read as text, words read as booleans, sexagesimals, octals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pimsim.errors import ConfigError

_LOOKS_NUMERIC = re.compile(r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?$")
_SEXAGESIMAL = re.compile(r"^[-+]?\d+(:[0-5]?\d)+(\.\d*)?$")
_LEGACY_OCTAL = re.compile(r"^[-+]?0\d+$")
_LEGACY_BOOL = re.compile(r"^(yes|no|on|off|y|n)$", re.IGNORECASE)
_MAX_BYTES = 1_000_000
_INTEGER_LIMIT = 1 << 63


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses what a reader would not expect."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise _trap(key_node, "'<<' merges are not allowed; use 'base:'")
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
                shown = f"'{key_node.value[:40]}'" if isinstance(key_node, yaml.ScalarNode) else "a list or a mapping"
                raise _trap(key_node, f"keys must be plain names, not {shown}")
            if key_node.value in seen:
                raise _trap(key_node, f"key '{key_node.value}' is given twice (first in line {seen[key_node.value]})")
            seen[key_node.value] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise ConfigError(f"line {mark.line + 1}: aliases (*name) are not allowed; use 'base:' or write it out")
        return super().compose_node(parent, index)


def _trap(node: yaml.Node, message: str) -> ConfigError:
    return ConfigError(f"line {node.start_mark.line + 1}: {message}")


def _plain_scalar(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style is None:
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
        raise _trap(node, f"'{text[:40]}' is not a value of type {node.tag.rpartition(':')[2]}") from None


def _typed_scalar(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.tag == "tag:yaml.org,2002:bool":
        return loader.construct_yaml_bool(node)
    if node.tag == "tag:yaml.org,2002:int":
        number = loader.construct_yaml_int(node)
        if abs(number) >= _INTEGER_LIMIT:
            raise _trap(node, f"'{text[:40]}' is a number beyond 64 bits")
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
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes; not a configuration file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file (UTF-8)") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """Parse one YAML mapping; ``where`` names its origin in errors."""
    try:
        data = yaml.load(text, Loader=_StrictLoader)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise ConfigError(f"{where}:{line} not valid YAML: {getattr(error, 'problem', error)}") from None
    except RecursionError:
        raise ConfigError(f"{where}: nested too deeply") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: must be a mapping of keys to values, found {type(data).__name__}")
    return data


def parse_scalar(text: str) -> Any:
    """A value as given on the command line (``--set path=value``), read by the same strict rules."""
    try:
        value = yaml.load(text, Loader=_StrictLoader)
    except ConfigError as error:
        raise ConfigError(str(error).split(": ", 1)[-1]) from None
    except RecursionError:
        raise ConfigError("nested too deeply") from None
    except yaml.YAMLError:
        return text
    return value
