"""Turn validation errors into one line each: file, path, what is wrong, unit, what is allowed, nearest name."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pimsim.errors import ConfigError, nearest
from pimsim.text import shown

MAX_COMPLAINTS = 20


def config_error(error: ValidationError, schema: type[BaseModel], where: str) -> ConfigError:
    """``error``'s complaints in one ConfigError, a line each; of very many the first MAX_COMPLAINTS."""
    items = error.errors(include_url=False, include_context=False)
    lines = list(dict.fromkeys(_line(item, schema, where) for item in items[:MAX_COMPLAINTS]))
    more = len(items) - MAX_COMPLAINTS
    return ConfigError("\n".join([*lines, *([f"{where}: and {more:,} more complaints"] if more > 0 else [])]))


def _line(item: Any, schema: type[BaseModel], where: str) -> str:
    model, location, field_unit = _field(schema, [str(part) for part in item["loc"]])
    location = [shown(part) for part in location]
    path = ".".join(location)
    kind = item["type"]
    if kind == "extra_forbidden":
        parent = ".".join(location[:-1]) or "top level"
        allowed = list(model.model_fields) if model else []
        hint = nearest(location[-1], allowed) or f"; allowed: {', '.join(allowed)}"
        return f"{where}: {parent}: unknown key '{location[-1]}'{hint}"
    if kind == "missing":
        return f"{where}: '{path}' is missing{field_unit}"
    message = item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if kind in ("model_type", "dict_type"):
        message = "must be a mapping of keys to values"
    if kind == "value_error":
        return f"{where}: {path + ': ' if path else ''}{message}"
    return f"{where}: {path}: {shown(repr(item['input']))}: {message}{field_unit}"


def _field(schema: type[BaseModel], parts: list[str]) -> tuple[type[BaseModel] | None, list[str], str]:
    """The model that holds the last of ``parts``, the path without the names of kinds, and the field's unit if it states one."""
    model: type[BaseModel] | None = schema
    choices: list[type[BaseModel]] = []
    location, text = [], ""
    for depth, part in enumerate(parts):
        chosen = [choice for choice in choices if part in _kinds(choice)]
        if chosen:
            model, choices = chosen[0], []
            continue
        location.append(part)
        field = model.model_fields.get(part) if model else None
        if field is None:
            continue
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "unit" in extra:
            text = f" (unit: {extra['unit']})"
        if depth < len(parts) - 1:
            choices = inner_models(field.annotation)
            model = choices[0] if choices else None
    return model, location, text


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def inner_models(annotation: Any) -> list[type[BaseModel]]:
    """The groups of keys that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in inner_models(part)]
