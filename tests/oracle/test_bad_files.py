"""Damaged folders are refused with one line that names the file and what is wrong."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from pimsim.errors import ConfigError, PimsimError, RequestError, WeightsError
from pimsim.oracle.load import load_decoder
from tests.oracle.checkpoints import folder_of


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(folder_of("qwen3"), tmp_path / "model")
    return tmp_path / "model"


def change(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    config.update(values)
    (folder / "config.json").write_text(json.dumps(config))


def rewrite(folder, edit):
    tensors = read(folder)
    edit(tensors)
    save_file(tensors, folder / "model.safetensors")


def read(folder):
    return {name: array.astype(np.float32) for name, array in load_file(folder / "model.safetensors").items()}


def shard(folder, **placed):
    tensors = read(folder)
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, inside in parts.items():
        save_file({name: tensors[name] for name in inside}, folder / file)
    (folder / "model.safetensors").unlink()
    where = {name: file for file, inside in parts.items() for name in inside}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where | placed}))
    return where


def refused(folder, *words, error=PimsimError):
    with pytest.raises(error) as caught:
        load_decoder(folder)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def test_shards_compute_what_one_file_does(folder):
    told = load_decoder(folder).sequence().step(5, 6, 7)
    shard(folder)
    assert np.array_equal(load_decoder(folder).sequence().step(5, 6, 7), told)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_other_dtypes(folder, dtype):
    told = load_decoder(folder).sequence().step(5, 6, 7)
    rewrite(folder, lambda tensors: tensors.update({name: array.astype(dtype) for name, array in tensors.items()}))
    assert np.allclose(load_decoder(folder).sequence().step(5, 6, 7), told, atol=0.05 if dtype is np.float16 else 1e-12)


def test_truncated_weights(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-100])
    refused(folder, "model.safetensors", "cut off", error=WeightsError)


def test_missing_weights(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"x")
    refused(folder, "no weights", "pytorch_model.bin", error=WeightsError)


def test_wrong_shape(folder):
    rewrite(folder, lambda tensors: tensors.update({"model.norm.weight": np.zeros(7, np.float32)}))
    refused(folder, "model.norm.weight", "[7]", "[48]", error=WeightsError)


def test_missing_tensor(folder):
    rewrite(folder, lambda tensors: tensors.pop("model.layers.1.self_attn.q_norm.weight"))
    refused(folder, "model.layers.1.self_attn.q_norm.weight", "missing", error=WeightsError)


def test_tensor_that_the_model_has_no_place_for(folder):
    rewrite(folder, lambda tensors: tensors.update({"model.layers.0.self_attn.q_proj.bias": np.zeros(64, np.float32)}))
    refused(folder, "model.layers.0.self_attn.q_proj.bias", "not part of the model", error=WeightsError)


def test_integer_weights(folder):
    rewrite(folder, lambda tensors: tensors.update({"model.norm.weight": np.zeros(48, np.int8)}))
    refused(folder, "model.norm.weight", "I8", error=WeightsError)


def test_not_finite(folder):
    def spoil(tensors):
        tensors["model.norm.weight"][3] = np.nan

    rewrite(folder, spoil)
    refused(folder, "model.norm.weight", "NaN", error=WeightsError)


def test_missing_shard(folder):
    shard(folder)
    (folder / "b.safetensors").unlink()
    refused(folder, "index.json", "b.safetensors", "missing", error=WeightsError)


@pytest.mark.parametrize(
    "path", ["../x.safetensors", "/etc/x.safetensors", "sub/x.safetensors", "..\\x.safetensors", "", "..", 3]
)
def test_index_that_leaves_the_folder(folder, path):
    shard(folder, **{"model.norm.weight": path})
    refused(folder, "model.norm.weight", "must be a file name", error=WeightsError)


def test_index_that_places_a_tensor_where_it_is_not(folder):
    where = shard(folder)
    name = "model.norm.weight"
    other = {"a.safetensors": "b.safetensors", "b.safetensors": "a.safetensors"}[where[name]]
    index = {"weight_map": where | {name: other}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(folder, name, other, error=WeightsError)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"weight_map": 3}', "\xff"])
def test_damaged_index(folder, text):
    shard(folder)
    (folder / "model.safetensors.index.json").write_text(text)
    refused(folder, "index.json", error=WeightsError)


@pytest.mark.parametrize("text", ["", '{"model_type": "qwen3"', "[1]", "3"])
def test_damaged_configuration(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json", error=ConfigError)


def test_missing_configuration(folder):
    (folder / "config.json").unlink()
    refused(folder, "config.json", "cannot be read", error=ConfigError)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model_type": "qwen33"}, ["qwen33", "qwen3"]),
        ({"quantization_config": {"bits": 4}}, ["quantization_config"]),
        ({"attention_sinks": 4}, ["attention_sinks"]),
        ({"hidden_size": "48"}, ["hidden_size"]),
        ({"hidden_size": -48}, ["hidden_size"]),
        ({"num_key_value_heads": 3}, ["num_key_value_heads", "3"]),
        ({"hidden_act": "gelo"}, ["hidden_act", "gelo", "gelu"]),
        ({"rope_parameters": {"rope_type": "spiral", "rope_theta": 1e4}}, ["rope_type", "spiral"]),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "stretch": 2}}, ["rope_parameters", "stretch"]),
        ({"layer_types": ["full_attention"]}, ["layer_types"]),
        ({"layer_types": ["full_attention", "chunked_attention"]}, ["layer_types", "chunked_attention"]),
        ({"rms_norm_eps": "small"}, ["rms_norm_eps"]),
    ],
)
def test_configurations_that_are_not_understood(folder, values, words):
    change(folder, **values)
    refused(folder, "config.json", *words, error=ConfigError)


def test_keys_that_change_nothing_are_accepted(folder):
    told = load_decoder(folder).sequence().step(5, 6, 7)
    change(folder, attention_dropout=0.3, bos_token_id=7, architectures=["X"], use_cache=False, top_k=3, something_absent=None)
    assert np.array_equal(load_decoder(folder).sequence().step(5, 6, 7), told)


def test_tokens_outside_the_vocabulary(folder):
    with pytest.raises(RequestError, match=r"257.*0 \.\. 256"):
        load_decoder(folder).sequence().step(257)


def test_encoders(folder):
    with pytest.raises(RequestError, match="no encoder"):
        load_decoder(folder).sequence([1, 2])
    with pytest.raises(RequestError, match="encoder"):
        load_decoder(folder_of("t5")).sequence()


def test_learned_positions_end():
    decoder = load_decoder(folder_of("gpt2"))
    sequence = decoder.sequence()
    sequence.step(*[3] * 64)
    with pytest.raises(RequestError, match="64 positions"):
        sequence.step(3)
