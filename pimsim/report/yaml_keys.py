"""Every key of the YAML files with type, unit, meaning, and a shipped value with its source: the page docs/yaml.md.

``python -m pimsim.report.yaml_keys > docs/yaml.md`` writes it anew.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pimsim.config.layers import read_layers
from pimsim.config.model import Band
from pimsim.config.schemas import SCHEMAS
from pimsim.config.short_forms import ModelSpec
from pimsim.dram.standards import STANDARDS
from pimsim.pim.commands import PARAMETERS

_EXAMPLES = {
    "hardware": ("pim_gpt", "hw_configs"),
    "workload": ("gpt3_xl", "workloads"),
    "baseline": ("t4", "hw_configs/baselines"),
}
_HEAD = """# Every YAML key

Written by `python -m pimsim.report.yaml_keys` from the schemas that files are checked against. A value may be given plainly, or as
`{value: ..., source: ...}`; a constant that is not exactly known (*band*) as `{low: ..., nominal: ..., high: ..., source: ...}`. Every group has
a `source` of its own for the values in it. `base: NAME` at the top starts from another file. Unknown keys are refused.
"""


@dataclass(frozen=True)
class Key:
    """A key by its dotted path: ``kind`` is its type in words, ``needed`` False if it may be left out."""

    path: str
    kind: str
    unit: str
    meaning: str
    needed: bool
    limits: str


def keys_of(model: type[BaseModel], prefix: str = "", of: str = "") -> Iterator[Key]:
    """All keys below a schema, in its order; ``of``: the kind of a part that has them."""
    for name, field in model.model_fields.items():
        if name == "source":
            continue
        groups = _groups(field.annotation)
        for group in groups:
            yield from keys_of(group, f"{prefix}{name}.", _kind_of(group) if len(groups) > 1 else of)
        if not groups:
            unit, meaning = _unit_and_meaning(field)
            shown = f"({of}) {meaning}" if of and name != "kind" else meaning
            yield Key(f"{prefix}{name}", _kind(field.annotation), unit, shown, field.is_required(), _limits(field))


def _kind_of(group: type[BaseModel]) -> str:
    field = group.model_fields.get("kind")
    return str(field.default) if field else ""


def _groups(annotation: Any) -> list[type[BaseModel]]:
    """Groups that a key may hold: several where a part has kinds. Groups in lists and mappings have names of their own."""
    if get_origin(annotation) in (list, dict):
        return []
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) and not issubclass(annotation, Band) else []
    return [group for part in get_args(annotation) for group in _groups(part)]


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(argument) for argument in arguments if argument is not type(None))
    if origin in (list, dict):
        return {list: "list", dict: "mapping"}[origin]
    if hasattr(annotation, "__metadata__"):
        return _kind(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Band):
        return "band"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(annotation, "value")


def _unit_and_meaning(field: FieldInfo) -> tuple[str, str]:
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return unit, (field.description or "").removesuffix(f" [{unit}]")


def _limits(field: FieldInfo) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    items = [*field.metadata, *(item for part in get_args(field.annotation) for item in getattr(part, "metadata", ()))]
    found = [
        f"{sign} {value:,}" for item in items for key, sign in signs.items() if (value := getattr(item, key, None)) is not None
    ]
    return ", ".join(found)


def page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for kind, model in SCHEMAS.items():
        doc = (model.__doc__ or "").replace("``", "`").strip().splitlines()[0]
        parts += [f"\n## {kind}\n", doc + "\n", *_table(kind, model)]
        if kind == "workload":
            short = (ModelSpec.__doc__ or "").strip()
            parts += ["\n### model, in short\n", short + "\n", *_table(kind, ModelSpec, "model.")]
        if kind == "hardware":
            parts += ["\n### dram.timing\n", *_timing()]
    return "\n".join(parts) + "\n"


def _table(kind: str, model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    example, folder = _EXAMPLES.get(kind, ("", ""))
    layered = read_layers(example, folder, kind) if example else None
    shown = f"| in `{example}` | source there |" if example else ""
    yield f"| key | type | unit | meaning | limits | needed {shown or '|'}"
    yield "|---" * (8 if example else 6) + "|"
    for key in keys_of(model, prefix):
        needed = "yes" if key.needed else "no"
        row = f"| `{key.path}` | {key.kind} | {'' if key.unit == '1' else key.unit} | {key.meaning} | {key.limits} | {needed} |"
        if layered is not None:
            value, source = _shipped(layered.values, key.path), layered.sources.get(key.path, "")
            row += f" {value} | {source.replace('|', '/')} |"
        yield row


def _shipped(values: dict[str, Any], path: str) -> str:
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, dict) or part not in found:
            return ""
        found = found[part]
    if isinstance(found, dict):
        return " / ".join(f"{found[end]:g}" for end in ("low", "nominal", "high")) if "nominal" in found else "(below)"
    return str(found).replace("|", "/")


def _timing() -> Iterator[str]:
    yield "Each in ns (`tXXX_ns`) or command-clock cycles (`nXXX`); ns become whole cycles, rounded up. A broader name sets the narrower ones.\n"
    yield "| parameter | unit | meaning | set by | if not given | standards |"
    yield "|---|---|---|---|---|---|"
    yield "| `tCK_ns` | ns | period of the command clock | | needed | all |"
    seen: dict[Any, list[str]] = {}
    for standard in STANDARDS.values():
        for parameter in standard.parameters:
            seen.setdefault(parameter, []).append(standard.name)
    for parameter in PARAMETERS:
        seen.setdefault(parameter, []).append("any with MAC units")
    for parameter, names in seen.items():
        row = (parameter.meaning, parameter.umbrella, parameter.default or "needed", ", ".join(names))
        yield f"| `{parameter.name}` | CK | " + " | ".join(row) + " |"


if __name__ == "__main__":
    print(page(), end="")
