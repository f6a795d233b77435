"""GPT-2 in plain NumPy, to compare with: written from the model's definition, without any of the simulator's parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


_GLOBAL = ("wte", "wpe", "ln_f.scale", "ln_f.shift")
_MATRICES, _NORMS = ("qkv", "proj", "ffn1", "ffn2"), ("ln1", "ln2")


def is_gpt2(names: Iterable[str], layers: int, tied: bool) -> bool:
    """Whether these are the tensors of the model that ``Gpt2Oracle`` describes."""
    expected = {*_GLOBAL, *(() if tied else ("lm_head",))}
    for layer in range(layers):
        expected |= {f"h{layer}.{name}{part}" for name in _MATRICES for part in ("", ".bias")}
        expected |= {f"h{layer}.{name}.{part}" for name in _NORMS for part in ("scale", "shift")}
    return set(names) == expected


class Gpt2Oracle:
    """Decodes token by token with cached keys and values, in float32.

    ``tensor(name)`` gives (outputs, inputs) or (outputs,) float32 arrays under the names ``wte``, ``wpe``, ``h0.qkv``,
    ``h0.qkv.bias``, ``h0.ln1.scale`` and so on, ``ln_f.scale``; ``lm_head`` if ``tied`` is false. With ``bf16`` the
    weights, both factors of every product, K, V and the residual stream are rounded to BF16; sums stay float32.
    """

    def __init__(self, tensor: Callable[[str], Floats], layers: int, heads: int, tied: bool = True, bf16: bool = False) -> None:
        self.layers, self.heads, self.bf16 = layers, heads, bf16
        self._tensor = tensor
        self._kept: dict[str, NDArray[np.generic]] = {}
        self._keys: list[list[Floats]] = [[] for _ in range(layers)]
        self._values: list[list[Floats]] = [[] for _ in range(layers)]
        self._head = "wte" if tied else "lm_head"

    def step(self, token: int) -> Floats:
        """Logits after ``token``, which follows those of the steps before."""
        position = len(self._keys[0])
        x = self._act(self._weight("wte", token) + self._weight("wpe", position))
        for layer in range(self.layers):
            x = self._act(x + self._attention(layer, self._norm(x, f"h{layer}.ln1")))
            hidden = gelu(self._affine(f"h{layer}.ffn1", self._norm(x, f"h{layer}.ln2")))
            x = self._act(x + self._affine(f"h{layer}.ffn2", hidden))
        return self._product(self._head, self._norm(x, "ln_f"))

    def _attention(self, layer: int, x: Floats) -> Floats:
        query, key, value = np.split(self._act(self._affine(f"h{layer}.qkv", x)), 3)
        self._keys[layer].append(key)
        self._values[layer].append(value)
        keys = np.stack(self._keys[layer]).reshape(len(self._keys[layer]), self.heads, -1)
        values = np.stack(self._values[layer]).reshape(keys.shape)
        scores = np.einsum("hd,thd->ht", query.reshape(self.heads, -1), keys) / np.float32(math.sqrt(keys.shape[2]))
        powers = np.exp(scores - scores.max(1, keepdims=True))
        shares = self._act(powers / powers.sum(1, keepdims=True))
        return self._affine(f"h{layer}.proj", np.einsum("ht,thd->hd", shares, values).reshape(-1))

    def _norm(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean()
        deviation = np.sqrt((centred * centred).mean() + np.float32(1e-5))
        return centred / deviation * self._weight(f"{name}.scale") + self._weight(f"{name}.shift")

    def _affine(self, name: str, x: Floats) -> Floats:
        return self._product(name, x) + self._weight(f"{name}.bias")

    def _product(self, name: str, x: Floats) -> Floats:
        return self._weight(name) @ self._act(x)

    def _act(self, x: Floats) -> Floats:
        return x.astype(ml_dtypes.bfloat16).astype(np.float32) if self.bf16 else x

    def _weight(self, name: str, row: int | None = None) -> Floats:
        if name not in self._kept:
            values = self._tensor(name)
            self._kept[name] = values.astype(ml_dtypes.bfloat16) if self.bf16 else values
        kept = self._kept[name] if row is None else self._kept[name][row]
        return kept.astype(np.float32, copy=False)


def gelu(x: Floats) -> Floats:
    """GELU in its tanh form."""
    return np.float32(0.5) * x * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x**3)))
