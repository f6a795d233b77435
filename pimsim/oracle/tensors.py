"""Weights of a hub folder by name, with their shapes checked and their use counted."""

from __future__ import annotations

import re

import numpy as np

from pimsim.errors import WeightsError, nearest
from pimsim.hub.folder import HubFolder
from pimsim.oracle.arrays import Floats
from pimsim.oracle.linear import Linear

LARGE = 2**27  # numbers; larger models keep float32, which holds BF16, F16 and F32 exactly
_BUFFERS = re.compile(
    r".*(\.attn\.(bias|masked_bias)|\.attention\.(bias|masked_bias)|rotary_emb\.inv_freq|\.embed_positions\.weights|"
    r"\.attn\.attention\.(bias|masked_bias)|position_ids|embed_positions\._float_tensor|causal_mask)"
)


class Tensors:
    """What of a folder lies below ``prefix``; views share the record of what was read."""

    def __init__(self, folder: HubFolder, prefix: str = "", read: set[str] | None = None) -> None:
        self.folder, self.prefix = folder, prefix
        self._used = set() if read is None else read
        wide = folder.elements <= LARGE or any(entry.dtype == "F64" for entry in folder.entries.values())
        self._dtype = np.float64 if wide else np.float32

    def below(self, *parts: str | int) -> Tensors:
        """The view of a module inside this one."""
        return Tensors(self.folder, self.prefix + "".join(f"{part}." for part in parts), self._used)

    def base(self, *prefixes: str) -> Tensors:
        """The view below the first of ``prefixes`` that any tensor has; this one where the bare model was saved."""
        for prefix in prefixes:
            if any(name.startswith(f"{self.prefix}{prefix}.") for name in self.folder.entries):
                return self.below(prefix)
        return self

    def has(self, name: str) -> bool:
        """Whether a tensor is there."""
        return self.prefix + name in self.folder.entries

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor. Raises WeightsError where it is missing."""
        full = self.prefix + name
        if full not in self.folder.entries:
            raise WeightsError(f"{self.folder.path}: tensor '{full}' is missing{nearest(full, self.folder.entries)}")
        return self.folder.entries[full].shape

    def take(self, name: str, *shape: int) -> Floats:
        """A tensor, which must have ``shape``; raises WeightsError otherwise."""
        found = self.shape(name)
        if found != shape:
            raise WeightsError(
                f"{self.folder.path}: tensor '{self.prefix}{name}' has shape {list(found)}; the configuration needs {list(shape)}"
            )
        self._used.add(self.prefix + name)
        return self.folder.read(self.prefix + name, self._dtype)

    def linear(self, name: str, outputs: int, inputs: int, bias: bool = False, transposed: bool = False) -> Linear:
        """``name.weight``, stored (outputs, inputs), or (inputs, outputs) where ``transposed``; and ``name.bias``."""
        weight = self.take(f"{name}.weight", inputs, outputs).T if transposed else self.take(f"{name}.weight", outputs, inputs)
        return Linear(weight, self.take(f"{name}.bias", outputs) if bias else None)

    def use(self, name: str) -> None:
        """Count a tensor as read that this model needs no numbers of, such as a second copy of a tied head."""
        self._used.add(self.prefix + name)

    def refuse_unused(self, skip: tuple[str, ...] = ()) -> None:
        """Raise WeightsError for a tensor that the model has no place for; ``skip``: patterns of ones to leave alone."""
        for name in self.folder.entries:
            if name not in self._used and not _BUFFERS.fullmatch(name) and not any(re.fullmatch(p, name) for p in skip):
                raise WeightsError(f"{self.folder.path}: tensor '{name}' is not part of the model that config.json describes")
