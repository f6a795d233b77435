"""Kinds of operations by name. Adding one is a file here and its module in this registry."""

from __future__ import annotations

from pimsim.errors import ConfigError, nearest
from pimsim.workload.kinds import (
    activation,
    attention,
    embedding,
    experts,
    kv_write,
    latent,
    linear,
    norm,
    residual,
    rope,
    scaling,
    select,
    state_space,
)
from pimsim.workload.kinds.base import OpKind, positions_seen

_MODULES = (
    embedding,
    norm,
    linear,
    rope,
    kv_write,
    attention,
    activation,
    residual,
    select,
    latent,
    experts,
    state_space,
    scaling,
)
OP_KINDS: dict[str, OpKind] = {kind.name: kind for module in _MODULES for kind in module.KINDS}

__all__ = ["OP_KINDS", "OpKind", "kind_named", "positions_seen"]


def kind_named(name: str) -> OpKind:
    """The kind of operations called ``name``. Raises ConfigError naming the nearest."""
    if name not in OP_KINDS:
        raise ConfigError(f"unknown kind of operation '{name}'{nearest(name, OP_KINDS)}; known: {', '.join(OP_KINDS)}")
    return OP_KINDS[name]
