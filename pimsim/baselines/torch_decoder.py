"""A decoder with random weights in plain PyTorch, for timing only. Imported when something is measured."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from pimsim.config.decoder.feed_forward import DenseSpec, GatedSpec
from pimsim.config.decoder.mixers import AttentionSpec
from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.decoder.positions import LearnedPositions, RotaryPositions
from pimsim.errors import ConfigError

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_WEIGHT_SCALE = 0.02
_EPSILON = 1e-5
_ROPE_BASE = 10000.0


class TorchDecoder:
    """One sequence of a model of sequential layers; ``step(position)`` decodes one token with that many before it.

    Times attention with learned or rotary positions and dense or gated parts; raises ConfigError for anything else.
    """

    def __init__(self, model: DecoderSpec, device: str, dtype: str, context: int) -> None:
        self.model, self.device, self.dtype = model, device, _DTYPES[dtype]
        mixer, forward = model.mixer, model.feed_forward
        if model.blocks or model.residual.order != "sequential" or not isinstance(mixer, AttentionSpec) or mixer.window:
            raise ConfigError("only models of equal, sequential layers with full attention can be measured")
        if not isinstance(forward, DenseSpec | GatedSpec) or not isinstance(model.positions, LearnedPositions | RotaryPositions):
            raise ConfigError("only dense and gated parts with learned or rotary positions can be measured")
        self.mixer, self.forward = mixer, forward
        self.rotary, self.gated = isinstance(model.positions, RotaryPositions), isinstance(forward, GatedSpec)
        self.generator = torch.Generator(device).manual_seed(0)
        self.embedding = self._matrix(model.vocabulary, model.d_model)
        self.positions = None if self.rotary else self._matrix(model.max_context, model.d_model)
        self.head = self.embedding if model.head.tied else self._matrix(model.vocabulary, model.d_model)
        self.layers = [self._layer(context) for _ in range(model.layers)]
        self.norm = self._norm()
        self.token = torch.zeros(1, dtype=torch.long, device=device)
        half = mixer.head_width // 2
        rate = _ROPE_BASE ** (-torch.arange(half, device=device) / max(half, 1))
        self.angles = torch.arange(context, device=device)[:, None] * rate

    def skip_to(self, position: int) -> None:
        """Fill K and V before ``position`` with random numbers: what they are does not change the time."""
        for layer in self.layers:
            for name in ("k", "v"):
                layer[name][:, :, :position].normal_(generator=self.generator)

    @torch.inference_mode()
    def step(self, position: int) -> int:
        """Decode one token; returns it, which waits for the device as a generation loop does."""
        x = F.embedding(self.token, self.embedding)
        if self.positions is not None:
            x = x + self.positions[position]
        for layer in self.layers:
            x = x + self._attention(layer, self._normalised(x, layer["norm1"]), position)
            x = x + self._feed_forward(layer, self._normalised(x, layer["norm2"]))
        logits = F.linear(self._normalised(x, self.norm), self.head)
        self.token = logits.argmax(dim=-1)
        return int(self.token)

    def _matrix(self, outputs: int, inputs: int) -> torch.Tensor:
        found = torch.empty(outputs, inputs, device=self.device, dtype=self.dtype)
        return found.normal_(std=_WEIGHT_SCALE, generator=self.generator)

    def _bias(self, outputs: int, present: bool) -> torch.Tensor | None:
        return torch.zeros(outputs, device=self.device, dtype=self.dtype) if present else None

    def _norm(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        scale = torch.ones(self.model.d_model, device=self.device, dtype=self.dtype)
        return scale, self._bias(self.model.d_model, self.model.norm.biased)

    def _layer(self, context: int) -> dict[str, Any]:
        m, d, inner = self.mixer, self.model.d_model, self.forward.width
        q_width, kv_width = m.heads * m.head_width, m.kv_heads * m.head_width
        shapes = {"qkv": (q_width + 2 * kv_width, d), "proj": (d, q_width), "down": (d, inner), "up": (inner, d)}
        if self.gated:
            shapes["gate"] = (inner, d)
        layer: dict[str, Any] = {name: self._matrix(*shape) for name, shape in shapes.items()}
        biased = {"qkv": m.bias, "proj": m.out_bias}
        layer |= {
            f"{name}_bias": self._bias(shape[0], biased.get(name, self.forward.bias)) for name, shape in shapes.items()
        }  # fmt: skip
        for name in ("k", "v"):
            layer[name] = torch.zeros(1, m.kv_heads, context, m.head_width, device=self.device, dtype=self.dtype)
        return layer | {"norm1": self._norm(), "norm2": self._norm()}

    def _normalised(self, x: torch.Tensor, norm: tuple[torch.Tensor, torch.Tensor | None]) -> torch.Tensor:
        scale, shift = norm
        if shift is not None:
            return F.layer_norm(x, scale.shape, scale, shift, _EPSILON)
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + _EPSILON)).to(x.dtype) * scale

    def _attention(self, layer: dict[str, Any], x: torch.Tensor, position: int) -> torch.Tensor:
        m = self.mixer
        mixed = F.linear(x, layer["qkv"], layer["qkv_bias"]).view(1, -1, 1, m.head_width)
        q, k, v = mixed.split([m.heads, m.kv_heads, m.kv_heads], dim=1)
        if self.rotary:
            q, k = self._rotated(q, position), self._rotated(k, position)
        layer["k"][:, :, position : position + 1] = k
        layer["v"][:, :, position : position + 1] = v
        keys, values = layer["k"][:, :, : position + 1], layer["v"][:, :, : position + 1]
        out = F.scaled_dot_product_attention(q, keys, values, enable_gqa=m.heads != m.kv_heads)
        return F.linear(out.reshape(1, -1), layer["proj"], layer["proj_bias"])

    def _rotated(self, x: torch.Tensor, position: int) -> torch.Tensor:
        angle = self.angles[position].to(x.dtype)
        first, second = x.chunk(2, dim=-1)
        cosine, sine = angle.cos(), angle.sin()
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)

    def _feed_forward(self, layer: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
        up = F.linear(x, layer["up"], layer["up_bias"])
        hidden = F.silu(F.linear(x, layer["gate"])) * up if self.gated else F.gelu(up, approximate="tanh")
        return F.linear(hidden, layer["down"], layer["down_bias"])
