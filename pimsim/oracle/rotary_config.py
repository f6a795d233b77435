"""Rotary positions from a ``config.json``, in the old spelling (``rope_theta``, ``rope_scaling``) and the new (``rope_parameters``)."""

from __future__ import annotations

import math

import numpy as np

from pimsim.errors import nearest
from pimsim.oracle.config import HubConfig
from pimsim.oracle.rotary import (
    DynamicNtk,
    Fixed,
    Frequencies,
    Longrope,
    Rotary,
    geometric,
    llama3,
    yarn,
    yarn_magnitude,
)

KINDS = ("default", "linear", "dynamic", "llama3", "yarn", "longrope")


def scaling_of(config: HubConfig, layer_type: str | None = None) -> HubConfig | None:
    """The table with the parameters of the rotation, for a kind of layer where the file has one table for each."""
    table = config.section("rope_parameters", "rope_scaling")
    if table is not None and layer_type is not None and isinstance(table.values.get(layer_type), dict):
        return table.section(layer_type)
    return table


def rotary_of(
    config: HubConfig, head_width: int, layer_type: str | None = None, *, interleaved: bool = False, theta: float = 10000.0,
    partial: float = 1.0,
) -> Rotary:  # fmt: skip
    """The rotation of heads of ``head_width``; ``theta`` and ``partial`` where the file says nothing."""
    table = scaling_of(config, layer_type)
    theta = config.number("rope_theta", "rotary_emb_base", default=theta)
    partial = config.number("partial_rotary_factor", "rotary_pct", "rope_pct", default=partial)
    if table is not None:
        theta = table.number("rope_theta", default=theta)
        partial = table.number("partial_rotary_factor", default=partial)
    if not 0 < partial <= 1:
        raise config.error("partial_rotary_factor", f"{partial:g} must be above 0 and at most 1")
    width = int(head_width * partial)
    return Rotary(frequencies_of(config, table, theta, width), width, interleaved)


def frequencies_of(config: HubConfig, table: HubConfig | None, theta: float, width: int) -> Frequencies:
    """Frequencies of the scheme that ``table`` names. Raises ConfigError for an unknown one."""
    kind = "default" if table is None else table.text("rope_type", "type", default="default")
    config.ignore("original_max_position_embeddings")
    if table is None or kind == "default":
        return Fixed(geometric(theta, width))
    kind = {"su": "longrope"}.get(kind, kind)
    if kind not in KINDS:
        raise table.error("rope_type", f"'{kind}' is not understood{nearest(kind, KINDS)}; allowed: {', '.join(KINDS)}")
    longest = config.integer("max_position_embeddings", "n_positions", default=2048)
    original = table.integer("original_max_position_embeddings", default=None)
    if original is None:
        original = config.integer("original_max_position_embeddings", default=longest)
    if kind == "longrope":
        return _longrope(config, table, theta, width, longest, original)
    if kind == "linear":
        return Fixed(geometric(theta, width) / table.number("factor"))
    if kind == "dynamic":
        return DynamicNtk(theta, width, table.number("factor"), longest)
    if kind == "llama3":
        low, high = table.number("low_freq_factor"), table.number("high_freq_factor")
        return Fixed(llama3(theta, width, table.number("factor"), low, high, original))
    return _yarn(table, theta, width, longest, original)


def score_magnitude(table: HubConfig | None) -> float:
    """DeepSeek's factor on the score scale under YaRN: the square of its magnitude for all dimensions."""
    if table is None or table.text("rope_type", "type", default="default") == "default":
        return 1.0
    strength = table.number("mscale_all_dim", default=0.0)
    return yarn_magnitude(table.number("factor", default=1.0), strength) ** 2 if strength else 1.0


def _yarn(table: HubConfig, theta: float, width: int, longest: int, original: int) -> Fixed:
    factor = table.number("factor", default=longest / original)
    magnitude = table.number("attention_factor", default=None)
    over, under = table.number("mscale", default=0.0), table.number("mscale_all_dim", default=0.0)
    if magnitude is None and over and under:
        magnitude = yarn_magnitude(factor, over) / yarn_magnitude(factor, under)
    elif magnitude is None:
        magnitude = yarn_magnitude(factor)
    fast, slow = table.number("beta_fast", default=32.0), table.number("beta_slow", default=1.0)
    return Fixed(yarn(theta, width, factor, fast, slow, original, table.flag("truncate", default=True)), magnitude)


def _longrope(config: HubConfig, table: HubConfig, theta: float, width: int, longest: int, original: int) -> Longrope:
    factors = {}
    for name in ("short_factor", "long_factor"):
        values = table.items(name)
        if len(values) != width // 2 or not all(isinstance(value, (int, float)) and value > 0 for value in values):
            raise table.error(name, f"must be {width // 2} positive numbers, one a pair of the {width} rotated elements")
        factors[name] = np.array(values, np.float64)
    given = table.number("factor", default=1.0)
    stretch = longest / original if original != longest else given
    magnitude = table.number("attention_factor", default=None)
    if magnitude is None:
        magnitude = math.sqrt(1 + math.log(stretch) / math.log(original)) if stretch > 1 else 1.0
    angles = geometric(theta, width)
    return Longrope(angles / factors["short_factor"], angles / factors["long_factor"], original, magnitude)
