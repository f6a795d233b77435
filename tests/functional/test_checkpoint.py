"""Checkpoints in the layout of Hugging Face: read right, and refused by the name of what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pimsim.errors import WeightsError
from pimsim.functional.checkpoint import Gpt2Checkpoint
from pimsim.functional.generate import generate
from pimsim.workload.model import DecoderModel
from tests.functional.checkpoints import Tensors, gpt2_tensors, plain_logits, rewrite_header, save
from tests.functional_cases import device, workload

MODEL = DecoderModel(workload("tiny").model)
PROMPT = [7, 1, 200]


@pytest.mark.parametrize("prefix", ["transformer.", ""])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_device_decodes_a_checkpoint_as_its_definition_says(tmp_path: Path, prefix: str, dtype: str) -> None:
    tensors = gpt2_tensors(prefix, dtype)
    weights = Gpt2Checkpoint(save(tmp_path / "model.safetensors", tensors), MODEL)
    found = generate(device("dram.channels=2"), workload("tiny"), weights, PROMPT, 3)
    for step in range(3):
        logits = plain_logits(tensors, [*PROMPT, *found.token_ids[:step]])
        assert np.abs(found.logits[step] - logits).max() < 0.05 * logits.std()
        assert found.references["float32"]["steps"][step]["logits_max_error"] < 0.05 * logits.std()


def test_float32_reference_is_the_definition(tmp_path: Path) -> None:
    tensors = gpt2_tensors()
    found = generate(device(), workload("tiny"), Gpt2Checkpoint(save(tmp_path / "m.safetensors", tensors), MODEL), PROMPT, 1)
    error = np.abs(found.logits[0] - plain_logits(tensors, PROMPT)).max()
    assert found.references["float32"]["logits_max_error"] == pytest.approx(float(error), abs=2e-5)


def test_tied_head_may_be_stored_again_and_buffers_are_skipped(tmp_path: Path) -> None:
    tensors = gpt2_tensors()
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"].copy()
    tensors["transformer.h.0.attn.bias"] = np.ones((1, 1, 8, 8), np.uint8)
    tensors["transformer.h.1.attn.masked_bias"] = np.array(-1e4, np.float32)
    checkpoint = Gpt2Checkpoint(save(tmp_path / "m.safetensors", tensors), MODEL)
    wte = next(tensor for tensor in MODEL.tensors if tensor.name == "wte")
    np.testing.assert_array_equal(checkpoint.tensor(wte), tensors["transformer.wte.weight"])
    assert len(str(checkpoint.describe()["sha256"])) == 64


def test_untied_head_is_read_from_the_file(tmp_path: Path) -> None:
    tensors = gpt2_tensors()
    tensors["lm_head.weight"] = -tensors["transformer.wte.weight"]
    path = save(tmp_path / "m.safetensors", tensors)
    spec = workload("tiny", "model.tied_embeddings=false")
    found = generate(device(), spec, Gpt2Checkpoint(path, DecoderModel(spec.model)), PROMPT, 1)
    assert np.abs(found.logits[0] + plain_logits(tensors, PROMPT)).max() < 0.05


def without(name: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.pop(name)


def changed(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({name: np.ascontiguousarray(change(tensors[name]))})


def poked(name: str, value: float) -> Callable[[Tensors], object]:
    def poke(tensors: Tensors) -> None:
        tensors[name].flat[5] = value

    return poke


QKV, FC = "transformer.h.1.attn.c_attn.weight", "transformer.h.0.mlp.c_fc.bias"
HEAD = "lm_head.weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without(QKV), f"tensor '{QKV}' is missing"),
        (changed(QKV, np.transpose), rf"tensor '{QKV}' has shape \[192, 64\]; the workload needs \[64, 192\]"),
        (changed(FC, lambda x: x[:-1]), rf"tensor '{FC}' has shape \[255\]; the workload needs \[256\]"),
        (changed(FC, lambda x: x.astype(np.int64)), f"tensor '{FC}' has dtype I64; allowed: F32, F16, BF16, F64"),
        (changed(FC, lambda x: x.astype(np.int32)), f"tensor '{FC}' has dtype I32"),
        (poked(FC, np.nan), rf"tensor '{FC}': 1 of 256 numbers are NaN or infinite, the first at \[5\]"),
        (poked(QKV, -np.inf), rf"tensor '{QKV}': 1 of 12288 numbers are NaN or infinite, the first at \[0, 5\]"),
        (poked(FC, 3.4e38), f"tensor '{FC}': 3.4e\\+38 is beyond BF16"),
        (lambda t: t.update({HEAD: t["transformer.wte.weight"] + 1}), f"tensor '{HEAD}' differs from 'transformer.wte.weight'"),
        (lambda t: t.update({"transformer.h.2.ln_1.bias": t[FC]}), r"'transformer.h.2.ln_1.bias' is not part .* 2 layers"),
    ],
)
def test_wrong_tensors_are_refused_by_name(tmp_path: Path, damage: Callable[[Tensors], object], message: str) -> None:
    tensors = gpt2_tensors()
    damage(tensors)
    path = save(tmp_path / "m.safetensors", tensors)
    with pytest.raises(WeightsError, match=message):
        read_all(path)


def test_file_cut_off_at_any_place_is_refused(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.safetensors", gpt2_tensors()).read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    cut = tmp_path / "cut.safetensors"
    for size in (start, start + 1000, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:size])
        with pytest.raises(WeightsError, match=r"tensor 'transformer\.\S+': is cut off"):
            read_all(cut)
    for size in (0, 7, 8, start - 1):
        cut.write_bytes(whole[:size])
        with pytest.raises(WeightsError, match="is not a whole safetensors file"):
            read_all(cut)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data_offsets": [0, 10]}, f"tensor '{FC}': takes 10 B; F32 .* needs 1024 B"),
        ({"data_offsets": [10, 0]}, f"tensor '{FC}': its header entry is damaged"),
        ({"data_offsets": [-4, 1020]}, f"tensor '{FC}': its header entry is damaged"),
        ({"data_offsets": "all"}, f"tensor '{FC}': its header entry is damaged"),
        ({"data_offsets": [0, 10**18]}, f"tensor '{FC}': is cut off"),
        ({"shape": [256.0]}, f"tensor '{FC}': its header entry is damaged"),
        ({"shape": None}, f"tensor '{FC}': its header entry is damaged"),
        ({"dtype": ["F32"]}, f"tensor '{FC}' has dtype"),
    ],
)
def test_damaged_header_entries_are_refused(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    path = rewrite_header(save(tmp_path / "m.safetensors", gpt2_tensors()), {FC: fields})
    with pytest.raises(WeightsError, match=message):
        read_all(path)


@pytest.mark.parametrize("header", [b"[]", b"{", b"\xff\xfe", b'{"a": 1, "a": 1}', b"[" * 50_000])
def test_headers_that_are_no_table_are_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(WeightsError, match=r"m\.safetensors"):
        read_all(path)


def test_data_are_read_only_when_asked_for(tmp_path: Path) -> None:
    path = save(tmp_path / "m.safetensors", gpt2_tensors())
    checkpoint = Gpt2Checkpoint(path, MODEL)
    path.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        checkpoint.tensor(MODEL.tensors[0])


def read_all(path: Path) -> None:
    checkpoint = Gpt2Checkpoint(path, MODEL)
    for tensor in MODEL.tensors:
        checkpoint.tensor(tensor)
