"""GPT-2 checkpoints as Hugging Face writes them, made from scratch for the tests."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

D, FF, LAYERS, VOCABULARY, POSITIONS = 64, 256, 2, 256, 128
Tensors = dict[str, np.ndarray]


def gpt2_tensors(prefix: str = "transformer.", dtype: str = "float32", seed: int = 3) -> Tensors:
    """Tensors of a GPT2LMHeadModel of tiny's shape; matrices of Conv1D are (inputs, outputs)."""
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape).astype(np.float32) / np.float32(np.sqrt(shape[0] if len(shape) > 1 else 100))

    found = {"wte.weight": normal(VOCABULARY, D), "wpe.weight": normal(POSITIONS, D) * 10}
    for layer in range(LAYERS):
        p = f"h.{layer}."
        for name, inputs, outputs in (
            ("attn.c_attn", D, 3 * D), ("attn.c_proj", D, D), ("mlp.c_fc", D, FF), ("mlp.c_proj", FF, D),
        ):  # fmt: skip
            found |= {f"{p}{name}.weight": normal(inputs, outputs), f"{p}{name}.bias": normal(outputs)}
        for norm in ("ln_1", "ln_2"):
            found |= {f"{p}{norm}.weight": 1 + normal(D), f"{p}{norm}.bias": normal(D)}
    found |= {"ln_f.weight": 1 + normal(D), "ln_f.bias": normal(D)}
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    return {prefix + name: values.astype(kind) for name, values in found.items()}


def save(path: Path, tensors: Tensors) -> Path:
    """Write a safetensors file by the format's own library."""
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def rewrite_header(path: Path, change: dict[str, dict[str, object]]) -> Path:
    """Replace fields of header entries, leaving the data as they are."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    for name, fields in change.items():
        header[name] |= fields
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])
    return path


def plain_logits(tensors: Tensors, tokens: list[int]) -> np.ndarray:
    """Logits after ``tokens`` by the definition of GPT-2 with Conv1D (x @ weight + bias), all positions at once, in float64."""
    t = {name.removeprefix("transformer."): values.astype(np.float64) for name, values in tensors.items()}
    x = t["wte.weight"][tokens] + t["wpe.weight"][: len(tokens)]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * t[f"{name}.weight"] + t[f"{name}.bias"]

    def conv1d(x: np.ndarray, name: str) -> np.ndarray:
        return x @ t[f"{name}.weight"] + t[f"{name}.bias"]

    hidden = np.triu(np.full((len(tokens), len(tokens)), -np.inf), 1)
    for layer in range(LAYERS):
        p = f"h.{layer}."
        q, k, v = (part.reshape(len(tokens), 4, 16) for part in np.split(conv1d(norm(x, f"{p}ln_1"), f"{p}attn.c_attn"), 3, -1))
        scores = np.einsum("qhd,khd->hqk", q, k) / 4 + hidden
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        x = x + conv1d(np.einsum("hqk,khd->qhd", shares, v).reshape(len(tokens), D), f"{p}attn.c_proj")
        inner = conv1d(norm(x, f"{p}ln_2"), f"{p}mlp.c_fc")
        x = x + conv1d(0.5 * inner * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3))), f"{p}mlp.c_proj")
    return norm(x, "ln_f")[-1] @ t["wte.weight"].T
