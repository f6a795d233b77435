"""Turn validation errors into one line each: file, path, what is wrong, unit, what is allowed, nearest name."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pimsim.errors import ConfigError, nearest


def config_error(error: ValidationError, schema: type[BaseModel], where: str) -> ConfigError:
    """All of ``error``'s complaints in one ConfigError, a line each."""
    return ConfigError("\n".join(dict.fromkeys(_line(item, schema, where) for item in error.errors())))


def _line(item: Any, schema: type[BaseModel], where: str) -> str:
    location = [str(part) for part in item["loc"]]
    path = ".".join(location)
    model, field_unit = _model_and_unit(schema, location)
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
    return f"{where}: {path}: {item['input']!r}: {message}{field_unit}"


def _model_and_unit(schema: type[BaseModel], location: list[str]) -> tuple[type[BaseModel] | None, str]:
    """The model that holds the last part of ``location``, and the unit of that field if it states one."""
    model: type[BaseModel] | None = schema
    text = ""
    for depth, part in enumerate(location):
        field = model.model_fields.get(part) if model else None
        if field is None:
            break
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "unit" in extra:
            text = f" (unit: {extra['unit']})"
        if depth < len(location) - 1:
            model = _inner_model(field.annotation)
    return model, text


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
