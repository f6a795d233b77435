"""A decoder with random weights in plain PyTorch, for timing only. Imported when something is measured."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from pimsim.config.workload import ModelSpec

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_WEIGHT_SCALE = 0.02
_EPSILON = 1e-5
_ROPE_BASE = 10000.0


class TorchDecoder:
    """One sequence of a gpt2 or llama model; ``step(position)`` decodes one token with that many before it."""

    def __init__(self, model: ModelSpec, device: str, dtype: str, context: int) -> None:
        self.model, self.device, self.dtype = model, device, _DTYPES[dtype]
        self.llama = model.family == "llama"
        self.generator = torch.Generator(device).manual_seed(0)
        self.embedding = self._matrix(model.vocabulary, model.d_model)
        self.positions = None if self.llama else self._matrix(model.max_context, model.d_model)
        self.head = self.embedding if model.tied_embeddings else self._matrix(model.vocabulary, model.d_model)
        self.layers = [self._layer(context) for _ in range(model.layers)]
        self.norm = self._norm()
        self.token = torch.zeros(1, dtype=torch.long, device=device)
        half = model.head_width // 2
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
        return scale, self._bias(self.model.d_model, not self.llama)

    def _layer(self, context: int) -> dict[str, Any]:
        m = self.model
        q_width, kv_width = m.heads * m.head_width, m.key_value_heads * m.head_width
        shapes = {"qkv": (q_width + 2 * kv_width, m.d_model), "proj": (m.d_model, q_width), "down": (m.d_model, m.d_ff)}
        shapes["up"] = (m.d_ff, m.d_model)
        if self.llama:
            shapes["gate"] = (m.d_ff, m.d_model)
        layer: dict[str, Any] = {name: self._matrix(*shape) for name, shape in shapes.items()}
        biased = {"qkv"} if m.qkv_bias else set() if self.llama else set(shapes)
        layer |= {f"{name}_bias": self._bias(shape[0], name in biased) for name, shape in shapes.items()}
        for name in ("k", "v"):
            layer[name] = torch.zeros(1, m.key_value_heads, context, m.head_width, device=self.device, dtype=self.dtype)
        return layer | {"norm1": self._norm(), "norm2": self._norm()}

    def _normalised(self, x: torch.Tensor, norm: tuple[torch.Tensor, torch.Tensor | None]) -> torch.Tensor:
        scale, shift = norm
        if shift is not None:
            return F.layer_norm(x, scale.shape, scale, shift, _EPSILON)
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + _EPSILON)).to(x.dtype) * scale

    def _attention(self, layer: dict[str, Any], x: torch.Tensor, position: int) -> torch.Tensor:
        m = self.model
        mixed = F.linear(x, layer["qkv"], layer["qkv_bias"]).view(1, -1, 1, m.head_width)
        q, k, v = mixed.split([m.heads, m.key_value_heads, m.key_value_heads], dim=1)
        if self.llama:
            q, k = self._rotated(q, position), self._rotated(k, position)
        layer["k"][:, :, position : position + 1] = k
        layer["v"][:, :, position : position + 1] = v
        keys, values = layer["k"][:, :, : position + 1], layer["v"][:, :, : position + 1]
        out = F.scaled_dot_product_attention(q, keys, values, enable_gqa=m.heads != m.key_value_heads)
        return F.linear(out.reshape(1, -1), layer["proj"], layer["proj_bias"])

    def _rotated(self, x: torch.Tensor, position: int) -> torch.Tensor:
        angle = self.angles[position].to(x.dtype)
        first, second = x.chunk(2, dim=-1)
        cosine, sine = angle.cos(), angle.sin()
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)

    def _feed_forward(self, layer: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
        up = F.linear(x, layer["up"], layer["up_bias"])
        hidden = F.silu(F.linear(x, layer["gate"])) * up if self.llama else F.gelu(up, approximate="tanh")
        return F.linear(hidden, layer["down"], layer["down_bias"])
