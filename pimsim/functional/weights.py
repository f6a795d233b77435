"""Where the numbers of a model come from: a seeded generator here, a checkpoint elsewhere."""

from __future__ import annotations

import math
import zlib
from typing import Protocol

import numpy as np

from pimsim.functional.bf16 import FloatArray
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Tensor

SPREAD = 0.1


class Weights(Protocol):
    """Tensors of a model by the names of its graph."""

    def tensor(self, tensor: Tensor) -> FloatArray:
        """(outputs, inputs) float32 of a matrix, (outputs,) of a vector."""

    def describe(self) -> dict[str, object]:
        """Where they come from, for the result."""


class RandomWeights:
    """Normal numbers, the same for the same seed and name whatever the order they are asked for in.

    Matrices have variance 1 / inputs, so that every layer's outputs stay near 1 and attention and GELU see the ranges
    of a trained model; positions have variance 1, so that greedy tokens vary; biases and shifts have deviation 0.1
    about 0, scales about 1.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def tensor(self, tensor: Tensor) -> FloatArray:
        """The tensor as float32."""
        generator = np.random.default_rng([self.seed, zlib.crc32(tensor.name.encode())])
        if tensor.use == "vector":
            centre = np.float32(tensor.name.endswith(".scale"))
            return centre + np.float32(SPREAD) * generator.standard_normal(tensor.outputs, np.float32)
        values = generator.standard_normal((tensor.outputs, tensor.inputs), np.float32)
        return values if tensor.use == "table" else values * np.float32(1 / math.sqrt(tensor.inputs))

    def describe(self) -> dict[str, object]:
        """Kind and seed."""
        return {"kind": "random", "seed": self.seed}


def random_prompt(model: DecoderModel, tokens: int, seed: int) -> list[int]:
    """``tokens`` token ids drawn with ``seed``."""
    return np.random.default_rng([seed, tokens]).integers(0, model.spec.vocabulary, tokens).tolist()  # type: ignore[no-any-return]
