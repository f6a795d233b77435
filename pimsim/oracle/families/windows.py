"""Which layers see a window only."""

from __future__ import annotations

from collections.abc import Callable

from pimsim.errors import nearest
from pimsim.oracle.config import HubConfig

FULL, SLIDING = "full_attention", "sliding_attention"


def layer_types(config: HubConfig, layers: int, default: Callable[[int], bool]) -> list[str]:
    """``full_attention`` or ``sliding_attention`` for each layer; ``default(layer)``: whether it slides where the file is silent."""
    listed = config.items("layer_types", default=None)
    if listed is None:
        return [SLIDING if default(layer) else FULL for layer in range(layers)]
    if len(listed) < layers:
        raise config.error("layer_types", f"names {len(listed)} layers of {layers}")
    for kind in listed:
        if kind not in (FULL, SLIDING):
            raise config.error("layer_types", f"{kind!r} is not understood{nearest(str(kind), (FULL, SLIDING))}")
    return list(listed[:layers])


def every_nth_full(config: HubConfig, *names: str, default: int) -> Callable[[int], bool]:
    """Every n-th layer is full, the others slide."""
    every = config.integer(*names, default=default)
    return lambda layer: (layer + 1) % every != 0
