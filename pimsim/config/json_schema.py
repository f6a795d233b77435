"""JSON Schema (2020-12) of the YAML files as people write them: values with sources, bands, ``base:``."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import BaseModel

from pimsim.config.model import Band

_SOURCE = {"type": "string", "minLength": 3, "description": "where the values come from, or 'assumed: why'"}
_TEXT = {"type": "string"}
CHANGED = "Changed"  # suffix of the definitions for a file with 'base:', where nothing is required


def file_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Schema of a kind of file. Without ``base:`` everything that is needed must be there; with it, nothing."""
    given = model.model_json_schema()
    definitions = given.pop("$defs", {})
    complete = {name: _written(definition, definitions) for name, definition in definitions.items()}
    whole = _written(given, definitions)
    changed = {f"{name}{CHANGED}": _relaxed(definition) for name, definition in complete.items()}
    top = _relaxed(whole)
    whole["properties"]["base"] = top["properties"]["base"] = _TEXT | {
        "description": "shipped name or path that this file changes"
    }
    name = model.__name__
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **top,
        "if": {"not": {"required": ["base"]}},
        "then": {"$ref": f"#/$defs/{name}"},
        "$defs": {**complete, name: whole, **changed},
    }


def _written(definition: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A definition with every value in the ways it may be written."""
    if definition.get("type") != "object" or _is_band(definition):
        return _band(definition) if _is_band(definition) else definition
    result = copy.deepcopy(definition)
    if "properties" in result:
        for key, value in result["properties"].items():
            if key != "source":
                result["properties"][key] = _value(value, definitions)
        result["properties"]["source"] = _SOURCE
        result["required"] = [key for key in result.get("required", []) if key != "source"]
    elif isinstance(result.get("additionalProperties"), dict):
        result["additionalProperties"] = _value(result["additionalProperties"], definitions)
        result["properties"] = {"source": _SOURCE}
    return result


def _value(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A value: plainly, or as ``{value: ..., source: ...}``. Groups and bands are what their definitions say."""
    if _is_group(value, definitions):
        return _written(value, definitions) if value.get("type") == "object" else value
    told: dict[str, Any] = {key: value[key] for key in ("description", "title", "default", "unit") if key in value}
    plain: dict[str, Any] = {key: one for key, one in value.items() if key not in told}
    with_source: dict[str, Any] = {
        "type": "object", "properties": {"value": plain, "source": _SOURCE, "note": _TEXT}, "required": ["value"],
        "additionalProperties": False,
    }  # fmt: skip
    return {**told, "anyOf": [plain, with_source]}


def _is_group(value: dict[str, Any], definitions: dict[str, Any]) -> bool:
    options = [one for key in ("anyOf", "allOf", "oneOf") for one in value.get(key, [])]
    named = definitions.get(str(value.get("$ref", "")).rpartition("/")[2], {})
    return value.get("type") == "object" or named.get("type") == "object" or any(_is_group(one, definitions) for one in options)


def _is_band(definition: dict[str, Any]) -> bool:
    return set(Band.model_fields) == set(definition.get("properties", {}))


def _band(definition: dict[str, Any]) -> dict[str, Any]:
    number = {"type": "number"}
    ends = dict.fromkeys(Band.model_fields, number)
    said = {"source": _SOURCE, "note": _TEXT}
    forms = [
        number,
        {"type": "object", "properties": ends | said, "required": list(ends), "additionalProperties": False},
        {"type": "object", "properties": {"value": number} | said, "required": ["value"], "additionalProperties": False},
    ]
    return {"description": definition.get("description", ""), "anyOf": forms}


def _relaxed(definition: Any) -> Any:
    """The definition without anything required in a group, all the way down."""
    if isinstance(definition, list):
        return [_relaxed(one) for one in definition]
    if not isinstance(definition, dict):
        return definition
    if "value" in definition.get("properties", {}) or "nominal" in definition.get("properties", {}):
        return copy.deepcopy(definition)
    result = {key: _relaxed(value) for key, value in definition.items() if key != "required" or not isinstance(value, list)}
    if "oneOf" in result:  # without what is required, a part may fit several kinds
        result["anyOf"] = result.pop("oneOf")
    if "$ref" in result:
        result["$ref"] = result["$ref"] + CHANGED
    return result
