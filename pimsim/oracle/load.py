"""From a hub folder to a float64 decoder."""

from __future__ import annotations

from pathlib import Path

from pimsim.errors import nearest
from pimsim.hub.folder import HubFolder
from pimsim.oracle.config import read_config
from pimsim.oracle.decoder import Decoder
from pimsim.oracle.families.family import Family
from pimsim.oracle.families.gemma import gemma3_with_vision
from pimsim.oracle.families.registry import FAMILIES
from pimsim.oracle.tensors import Tensors


def load_decoder(folder: str | Path, weights: HubFolder | None = None) -> Decoder:
    """The decoder that ``folder`` (or a ``config.json``) describes, with the weights beside it, or others.

    Raises ConfigError for a configuration that is damaged or has a key that is not understood, WeightsError for tensors that are
    missing, damaged, of another shape, or of no use.
    """
    config = read_config(folder)
    tensors = Tensors(weights or HubFolder(folder if Path(folder).is_dir() else Path(folder).parent))
    kind = config.text("model_type")
    family: Family
    if kind == "gemma3":
        family = gemma3_with_vision(config, tensors)
    elif kind in FAMILIES:
        family = FAMILIES[kind](config, tensors)
    else:
        raise config.error("model_type", f"'{kind}' is not known{nearest(kind, FAMILIES)}; known: {', '.join(sorted(FAMILIES))}")
    decoder = family.build()
    config.refuse_unread()
    tensors.refuse_unused(family.skip)
    return decoder
