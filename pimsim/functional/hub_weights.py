"""The tensors of a graph out of a hub folder: found by the names they go by there, fused rows in the graph's order."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pimsim.config.decoder.mixers import AttentionSpec, LatentAttentionSpec
from pimsim.errors import WeightsError
from pimsim.functional.bf16 import FloatArray
from pimsim.functional.hub_names import IN_LAYERS, OUTSIDE_LAYERS, RELATIVE_BIAS, TIED_HEAD_BIAS
from pimsim.hub.folder import HubFolder
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Tensor

_LAYER = re.compile(r"(?P<stack>[he])(?P<layer>\d+)\.(?P<name>.+)$")
_STORED = re.compile(r"(?:(?P<before>.*?)\.)?(?P<layer>\d+)\.(?P<tail>.+)$")
_PARTS = {"scale": "weight", "shift": "bias", "bias": "bias"}
_CONV1D = "attn.c_attn"
_Key = tuple[str, int, str]


class HubWeights:
    """Tensors of a model under the names of its graph, read when asked for."""

    def __init__(self, folder: HubFolder, model: DecoderModel) -> None:
        """Find every tensor and check its size. Raises WeightsError naming the first that is missing or of another size."""
        self.folder, self.model = folder, model
        self._names = {_key(name): name for name in folder.entries}
        for tensor in model.tensors:
            name = self._name_of(tensor.name)
            stored = int(np.prod(folder.entries[name].shape, dtype=np.int64))
            if stored != tensor.elements and not _is_unfolding(tensor.name):
                shape = list(folder.entries[name].shape)
                raise WeightsError(
                    f"{folder.path}: tensor '{name}' has shape {shape}; the model needs {tensor.elements} elements"
                )

    def tensor(self, tensor: Tensor) -> FloatArray:
        """(outputs, inputs) float32 of a matrix, (outputs,) of a vector."""
        values = np.asarray(self.folder.read(self._name_of(tensor.name)), np.float32)
        found = _LAYER.match(tensor.name)
        if found is None or found["stack"] == "e":
            return _shaped(values, tensor)
        mixer = self.model.spec.block(int(found["layer"])).mixer
        name = found["name"]
        if isinstance(mixer, LatentAttentionSpec) and _is_unfolding(tensor.name):
            return _unfolding(values, mixer, name)
        if self._transposed(name) and tensor.inputs > 1:
            values = values.T
        if name.split(".")[0] == "qkv" and isinstance(mixer, AttentionSpec):
            values = values[_rows_in_order(mixer)]
        return _shaped(values, tensor)

    def describe(self) -> dict[str, object]:
        """Kind, file names, size and SHA-256."""
        return self.folder.describe()

    def _transposed(self, name: str) -> bool:
        """Whether a file stores the matrices of layers as (inputs, outputs): as GPT-2's do, which their widest one tells."""
        stored = self._names.get(("", 0, f"{_CONV1D}.weight"))
        if stored is None or name.split(".")[0] not in ("qkv", "proj", "ffn1", "ffn2"):
            return False
        rows, columns = self.folder.entries[stored].shape
        return columns > rows

    def _name_of(self, tensor: str) -> str:
        for key in _candidates(tensor):
            if key in self._names:
                return self._names[key]
        raise WeightsError(f"{self.folder.path}: no tensor is what the model's '{tensor}' goes by")


def _key(name: str) -> _Key:
    """(stack, layer or -1, name inside it) of a stored tensor; stack is ``encoder`` or empty."""
    found = _STORED.match(name)
    if found is None:
        return "encoder" if "encoder" in name.split(".") else "", -1, ".".join(name.split(".")[-2:])
    return "encoder" if "encoder" in (found["before"] or "").split(".") else "", int(found["layer"]), found["tail"]


def _candidates(tensor: str) -> Iterator[_Key]:
    """Where a tensor of the graph may be stored, most likely first."""
    found = _LAYER.match(tensor)
    if found is None:
        yield from _outside(tensor)
        return
    stack, layer, name = "encoder" if found["stack"] == "e" else "", int(found["layer"]), found["name"]
    if name in IN_LAYERS:
        stem, part = name, "weight"
    else:
        stem, _, last = name.rpartition(".")
        stem, part = (stem, _PARTS[last]) if last in _PARTS else (name, "weight")
    expert = ""
    if stem.startswith("expert_"):
        stem, _, expert = stem.partition(".")
    for theirs in IN_LAYERS.get("kv_up" if stem in ("k_up", "v_up") else stem, ()):
        whole = theirs.format(expert) if expert else theirs
        yield stack, layer, f"{whole}.{part}"
        if part == "weight":
            yield stack, layer, whole


def _outside(tensor: str) -> Iterator[_Key]:
    stack = "encoder" if tensor.startswith("enc_") else ""
    stem, _, last = tensor.removeprefix("enc_").partition(".")
    if stem == "relative_bias":
        yield stack, 0, f"{RELATIVE_BIAS}.weight"
        return
    part = _PARTS.get(last, "weight")
    if tensor == "wte.bias":
        yield "", -1, TIED_HEAD_BIAS
    for theirs in OUTSIDE_LAYERS.get(stem, ()):
        yield stack, -1, f"{theirs}.{part}"


def _is_unfolding(tensor: str) -> bool:
    return tensor.endswith((".k_up", ".v_up"))


def _unfolding(stored: FloatArray, mixer: LatentAttentionSpec, name: str) -> FloatArray:
    """The part of the latent's unfolding that makes keys, turned so that it folds queries; or the part that makes values."""
    by_head = stored.reshape(mixer.heads, mixer.plain_width + mixer.value_width, mixer.latent_width)
    if name == "k_up":
        return by_head[:, : mixer.plain_width].swapaxes(1, 2).reshape(-1, mixer.plain_width)
    return by_head[:, mixer.plain_width :].reshape(-1, mixer.latent_width)


def _rows_in_order(mixer: AttentionSpec) -> NDArray[np.int64]:
    """Rows of a stored fused matrix in the order [all q, all k, all v]."""
    q, kv, width = mixer.heads * mixer.head_width, mixer.kv_heads * mixer.head_width, mixer.head_width
    rows = np.arange(q + kv + mixer.kv_heads * mixer.value_head_width)
    if mixer.stored_order in ("by_head", "by_group"):
        queries = mixer.heads // mixer.kv_heads
        groups = rows.reshape(mixer.kv_heads, queries + 2, width)
        return np.concatenate([groups[:, :queries].ravel(), groups[:, queries].ravel(), groups[:, queries + 1].ravel()])
    if mixer.stored_order == "by_part_q_v_k":
        parts = rows.reshape(mixer.stored_parts, 3, -1)
        return np.concatenate([parts[:, part].ravel() for part in (0, 2, 1)])
    return rows


def _shaped(values: FloatArray, tensor: Tensor) -> FloatArray:
    shape = (tensor.outputs,) if tensor.use == "vector" else (tensor.outputs, tensor.inputs)
    return np.ascontiguousarray(values.reshape(shape))
