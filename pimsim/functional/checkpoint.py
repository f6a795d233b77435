"""GPT-2 checkpoints in the layout of Hugging Face: names, transposed Conv1D matrices, tied head.

Source: transformers' GPT2LMHeadModel: ``transformer.h.0.attn.c_attn.weight`` and so on; a file saved from the bare
GPT2Model lacks the leading ``transformer.``. Conv1D stores (inputs, outputs).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from pimsim.errors import WeightsError, nearest
from pimsim.functional.bf16 import FloatArray, rounded
from pimsim.hub.safetensors_file import DTYPES, SafetensorsFile
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Tensor

PREFIX = "transformer."
MODULES = {
    "qkv": "attn.c_attn", "proj": "attn.c_proj", "ffn1": "mlp.c_fc", "ffn2": "mlp.c_proj", "ln1": "ln_1", "ln2": "ln_2",
}  # fmt: skip
WHOLE = {
    "wte": "wte.weight", "wpe": "wpe.weight", "lm_head": "lm_head.weight", "ln_f.scale": "ln_f.weight", "ln_f.shift": "ln_f.bias",
}  # fmt: skip
PARTS = {"scale": "weight", "shift": "bias", "bias": "bias", "": "weight"}
_BUFFERS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)$")
_LAYER = re.compile(r"h(\d+)\.(\w+)\.?(\w*)$")


class Gpt2Checkpoint:
    """Tensors of a GPT-2 checkpoint under the names of the model's graph, read when asked for."""

    def __init__(self, path: str | Path, model: DecoderModel) -> None:
        """Open ``path`` and check names, shapes and dtypes. Raises WeightsError naming the tensor."""
        self.file, self.model = SafetensorsFile(path), model
        self.prefix = PREFIX if any(name.startswith(PREFIX) for name in self.file.entries) else ""
        for tensor in model.tensors:
            self._check(tensor)
        self._refuse_unknown()
        self._check_tied_head()

    def tensor(self, tensor: Tensor) -> FloatArray:
        """(outputs, inputs) float32 of a matrix, (outputs,) of a vector. Raises WeightsError for NaN or beyond BF16."""
        name = self.name_of(tensor.name)
        values = self.file.read(name)
        if not np.isfinite(rounded(values)).all():
            raise WeightsError(f"{self.file.path}: tensor '{name}': {np.abs(values).max():g} is beyond BF16")
        return np.ascontiguousarray(values.T) if self._transposed(tensor) else values

    def describe(self) -> dict[str, object]:
        """Kind, file name, size, and SHA-256 of the whole file."""
        digest = hashlib.sha256()
        with self.file.path.open("rb") as file:
            while part := file.read(1 << 22):
                digest.update(part)
        return {"kind": "safetensors", "file": self.file.path.name, "bytes": self.file.size, "sha256": digest.hexdigest()}

    def name_of(self, tensor: str) -> str:
        """Name in the file of a tensor of the graph."""
        if tensor in WHOLE:
            return WHOLE[tensor] if tensor == "lm_head" else self.prefix + WHOLE[tensor]
        found = _LAYER.match(tensor)
        if found is None or found[2] not in MODULES:
            raise WeightsError(f"'{tensor}' has no counterpart in a GPT-2 checkpoint")
        return f"{self.prefix}h.{found[1]}.{MODULES[found[2]]}.{PARTS[found[3]]}"

    def _transposed(self, tensor: Tensor) -> bool:
        return tensor.inputs > 1 and tensor.name not in WHOLE

    def _check(self, tensor: Tensor) -> None:
        name, entries = self.name_of(tensor.name), self.file.entries
        if name not in entries:
            raise WeightsError(f"{self.file.path}: tensor '{name}' is missing{nearest(name, entries)}")
        shape = (tensor.outputs, tensor.inputs) if tensor.inputs > 1 else (tensor.outputs,)
        expected = shape[::-1] if self._transposed(tensor) else shape
        if entries[name].shape != expected:
            raise WeightsError(
                f"{self.file.path}: tensor '{name}' has shape {list(entries[name].shape)}; the workload needs {list(expected)}"
            )
        if entries[name].dtype not in DTYPES:
            raise WeightsError(
                f"{self.file.path}: tensor '{name}' has dtype {entries[name].dtype}; allowed: {', '.join(DTYPES)}"
            )  # fmt: skip

    def _refuse_unknown(self) -> None:
        known = {self.name_of(tensor.name) for tensor in self.model.tensors} | {WHOLE["lm_head"]}
        for name in self.file.entries:
            if name not in known and not _BUFFERS.match(name.removeprefix(self.prefix)):
                raise WeightsError(f"{self.file.path}: tensor '{name}' is not part of the workload's model ({self._shape()})")

    def _check_tied_head(self) -> None:
        """A file may hold the tied head a second time; then it must be the same."""
        head = WHOLE["lm_head"]
        if head not in self.file.entries or not self.model.spec.head.tied:
            return
        embedding = self.name_of("wte")
        same = self.file.entries[head].shape == self.file.entries[embedding].shape
        if not same or not np.array_equal(self.file.read(head), self.file.read(embedding)):
            raise WeightsError(
                f"{self.file.path}: tensor '{head}' differs from '{embedding}', but the workload's head is tied "
                "(model.tied_embeddings: false keeps them apart)"
            )

    def _shape(self) -> str:
        spec = self.model.spec
        return f"decoder of {spec.layers} layers, d_model {spec.d_model}"
