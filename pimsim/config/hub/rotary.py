"""Rotary positions as hub files write them: ``rope_parameters``, or ``rope_theta`` beside ``rope_scaling``."""

from __future__ import annotations

import math
from typing import Any

from pimsim.config.hub.reader import HubConfig

_PLAIN = ("default", "gptj")


def rotary(
    hub: HubConfig, head_width: int, part: float = 1.0, interleaved: bool = False, theta: float = 10000.0, of: str = ""
) -> dict[str, Any]:
    """The ``positions`` of a model whose heads have ``head_width`` elements of which ``part`` rotate, unless the file says otherwise.

    ``of``: the kind of layer whose entry counts where the file has one for each.
    """
    group = hub.group("rope_parameters")
    if group is not None and of and isinstance(group.values.get(of), dict):
        group = group.group(of)
    assert group is None or isinstance(group, HubConfig)
    old = hub.group("rope_scaling") if group is None else None
    base: Any = hub.number("rope_theta", "rotary_emb_base", default=theta)
    share: Any = hub.number("partial_rotary_factor", "rotary_pct", "rope_pct", default=part)
    if group is not None:
        base, share = group.number("rope_theta", default=base), group.number("partial_rotary_factor", default=share)
    found: dict[str, Any] = {"kind": "rotary", "theta": base, "interleaved": interleaved}
    width = int(head_width * share)
    if width < 2:
        raise hub.wrong(
            "partial_rotary_factor", f"leaves {width} of {head_width} elements of a head to rotate; at least 2 are needed"
        )
    if width != head_width:
        found["width"] = width
    scaling = scaled(hub, group or old, width)
    return found if scaling is None else found | {"scaling": scaling}


def scaled(hub: HubConfig, group: HubConfig | None, width: int) -> dict[str, Any] | None:
    """The ``scaling`` of rotary positions; None if there is none. Raises ConfigError for a type that is not modelled."""
    if group is None:
        return None
    kind = group.text("rope_type", "type", default="default")
    if kind in _PLAIN:
        group.ignore("factor", "attention_factor", "original_max_position_embeddings")
        return None
    if kind in ("su", "longrope"):
        return _longrope(hub, group, width)
    if kind == "linear":
        return {"kind": "linear", "factor": group.number("factor")}
    original = _original(hub, group)
    if kind == "dynamic":
        return {"kind": "dynamic", "factor": group.number("factor"), "original_context": original}
    if kind == "llama3":
        keys = ("factor", "low_freq_factor", "high_freq_factor")
        return {"kind": "llama3", "original_context": original} | {key: group.number(key) for key in keys}
    if kind == "yarn":
        return _yarn(group, original)
    raise group.wrong(
        "rope_type" if "rope_type" in group.values else "type", "is not one of: default, linear, dynamic, llama3, yarn, longrope"
    )


def _original(hub: HubConfig, group: HubConfig) -> Any:
    given = group.whole("original_max_position_embeddings", default=None)
    if given is None:
        given = hub.whole("original_max_position_embeddings", default=None)
    return hub.whole("max_position_embeddings") if given is None else given


def mscale(factor: float, weight: float = 1.0) -> float:
    """YaRN's correction for a stretch of ``factor``."""
    return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0


def _yarn(group: HubConfig, original: Any) -> dict[str, Any]:
    factor = group.number("factor")
    one, all_dims = group.number("mscale", default=None), group.number("mscale_all_dim", default=None)
    computed = mscale(factor, one) / mscale(factor, all_dims) if one and all_dims else mscale(factor)
    return {
        "kind": "yarn",
        "factor": factor,
        "original_context": original,
        "beta_fast": group.number("beta_fast", default=32.0),
        "beta_slow": group.number("beta_slow", default=1.0),
        "attention_factor": group.number("attention_factor", default=computed),
        "truncate": group.flag("truncate", default=True),
    }


def _longrope(hub: HubConfig, group: HubConfig, width: int) -> dict[str, Any]:
    original = _original(hub, group)
    hub.ignore("original_max_position_embeddings")
    stretch = hub.whole("max_position_embeddings") / original
    computed = math.sqrt(1 + math.log(stretch) / math.log(original)) if stretch > 1 and original > 1 else 1.0
    group.ignore("factor")
    factors = {name: group.numbers(name) for name in ("short_factor", "long_factor")}
    for name, values in factors.items():
        if len(values) != width // 2:
            raise group.wrong(name, f"has {len(values)} numbers; {width // 2} pairs of elements rotate")
    return {
        "kind": "longrope",
        "short_factor": [float(value) for value in factors["short_factor"]],
        "long_factor": [float(value) for value in factors["long_factor"]],
        "original_context": original,
        "attention_factor": group.number("attention_factor", default=computed),
    }
