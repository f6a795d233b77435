"""A decoding description: a YAML file with a ``decoding:`` table, or that table's values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pimsim.config.messages import config_error
from pimsim.config.strict_yaml import load_yaml
from pimsim.decoding.registry import STRATEGIES
from pimsim.decoding.strategy import Strategy
from pimsim.errors import ConfigError, nearest


def load_strategy(path: str | Path) -> Strategy:
    """The strategy that a file describes; models and files that it names are relative to it. Raises ConfigError."""
    file = Path(path)
    values = load_yaml(file)
    inside = values.get("decoding", values)
    if "decoding" in values and len(values) > 1:
        others = ", ".join(key for key in values if key != "decoding")
        raise ConfigError(f"{file}: {others}: only 'decoding' may stand at the top level")
    return strategy_from(_relative(inside, file.parent), f"{file}: decoding")


def strategy_from(values: Any, where: str) -> Strategy:
    """A strategy from plain values. Raises ConfigError naming the key, what is allowed, and the nearest name."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: must be a table of keys and values")
    name = values.get("strategy")
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise ConfigError(f"{where}: strategy: {name!r} is not known{nearest(str(name), STRATEGIES)}; known: {known}")
    try:
        return STRATEGIES[name].model_validate(values)
    except ValidationError as error:
        raise config_error(error, STRATEGIES[name], where) from None


def _relative(values: Any, folder: Path) -> Any:
    """Names that are files or folders beside the description become paths."""
    if not isinstance(values, dict):
        return values
    changed = dict(values)
    for key in ("draft", "outcomes"):
        given = changed.get(key)
        if isinstance(given, str) and not Path(given).is_absolute() and (folder / given).exists():
            changed[key] = str(folder / given)
    return changed
