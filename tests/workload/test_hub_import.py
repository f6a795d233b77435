"""Reading a hub's configuration: spellings, refusals, damaged files, and the description that comes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pimsim import cli
from pimsim.config.hub.importer import import_config
from pimsim.config.hub.write import workload_yaml
from pimsim.config.layers import read_layers
from pimsim.config.load import load_workload
from pimsim.errors import ConfigError

from .hub_cases import CONFIGS, TINY, folder

LLAMA = TINY["llama_mha"]["config"]


@pytest.mark.parametrize("name", [*TINY, *CONFIGS])
def test_the_written_description_stands_for_the_same_model(tmp_path: Path, name: str) -> None:
    values = TINY[name]["config"] if name in TINY else CONFIGS[name]
    path = folder(tmp_path, values, "a_model")
    written = tmp_path / "written.yaml"
    written.write_text(workload_yaml(import_config(path / "config.json")))
    one, two = load_workload(path), load_workload(written)
    assert one.model.model_copy(update={"source": ""}) == two.model.model_copy(update={"source": ""})
    assert (one.name, one.request) == (two.name, two.request) and one.name == "a_model"


def test_values_know_the_key_that_said_them(tmp_path: Path) -> None:
    layered = read_layers(str(folder(tmp_path, TINY["llama_gqa_llama3_rope"]["config"])), "workloads", "workload")
    assert layered.sources["model.mixer.heads"] == "config.json: num_attention_heads"
    assert layered.sources["model.positions.scaling.factor"] == "config.json: rope_parameters.factor"
    assert layered.sources["model.norm.kind"] == "architecture llama"
    assert "use_cache" in layered.ignored and "hidden_size" not in layered.ignored


def _model(tmp_path: Path, values: dict[str, Any]) -> Any:
    model = load_workload(folder(tmp_path, values)).model
    return model.model_copy(update={"source": ""})


def test_old_and_new_spellings_say_the_same(tmp_path: Path) -> None:
    new = TINY["llama_gqa_llama3_rope"]["config"]
    scaling = dict(new["rope_parameters"])
    old = {key: value for key, value in new.items() if key not in ("rope_parameters", "dtype")}
    old |= {"rope_theta": scaling.pop("rope_theta"), "rope_scaling": scaling, "torch_dtype": "bfloat16"}
    assert _model(tmp_path, old) == _model(tmp_path, new)
    gpt = {key: value for key, value in CONFIGS["gpt2"].items() if key not in ("n_embd", "n_layer", "n_head")}
    gpt |= {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
    assert _model(tmp_path, gpt) == _model(tmp_path, CONFIGS["gpt2"])


def test_windows_and_kinds_of_layers_follow_the_file(tmp_path: Path) -> None:
    gemma = _model(tmp_path, TINY["gemma3_text"]["config"])
    assert gemma.block_of_layer == ("window", "window", "full", "window")
    assert [gemma.block(layer).positions.theta for layer in (0, 2)] == [200.0, 5000.0]
    jamba = _model(tmp_path, TINY["jamba"]["config"])
    assert [jamba.block(layer).mixer.kind for layer in range(4)] == ["mamba1", "mamba1", "attention", "mamba1"]
    assert [jamba.block(layer).feed_forward.kind for layer in range(4)] == ["gated", "experts", "gated", "experts"]
    qwen = _model(
        tmp_path,
        TINY["qwen2"]["config"] | {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1, "layer_types": None},
    )
    assert [qwen.block(layer).mixer.window for layer in range(2)] == [None, 8]
    assert _model(tmp_path, CONFIGS["mistral-7b-v0.1"]).mixer.window == 4096
    assert _model(tmp_path, CONFIGS["mistral-7b-v0.3"]).mixer.window is None


def test_a_prefix_may_be_a_base_and_overridden(tmp_path: Path) -> None:
    folder(tmp_path, LLAMA)
    mine = tmp_path / "mine.yaml"
    mine.write_text("base: model\nname: mine\nmodel: {layers: 5, mixer: {window: 4}}\n")
    spec = load_workload(mine, ["model.vocabulary=99"])
    assert (spec.model.layers, spec.model.mixer.window, spec.model.mixer.heads, spec.model.vocabulary) == (5, 4, 6, 99)


BAD: dict[str, tuple[dict[str, Any] | str, str]] = {
    "truncated": (json.dumps(LLAMA)[:-30], "not valid JSON"),
    "no mapping": ("[1, 2]", "must be a mapping"),
    "doubled key": ('{"model_type": "llama", "model_type": "llama"}', "given twice"),
    "text for a number": (LLAMA | {"hidden_size": "48"}, 'hidden_size: "48" must be a whole number'),
    "boolean for a number": (LLAMA | {"num_hidden_layers": True}, "num_hidden_layers: true must be a whole number"),
    "negative": (LLAMA | {"num_hidden_layers": -2}, "num_hidden_layers: -2 must be at least 1"),
    "number for a flag": (LLAMA | {"attention_bias": 1}, "attention_bias: 1 must be true or false"),
    "heads that do not divide": ({k: v for k, v in LLAMA.items() if k != "head_dim"} | {"num_attention_heads": 7, "num_key_value_heads": 7}, "does not divide"),
    "groups that do not divide": (LLAMA | {"num_key_value_heads": 4}, "is not a multiple of 4"),
    "missing size": ({k: v for k, v in LLAMA.items() if k != "intermediate_size"}, "'intermediate_size' is missing"),
    "unknown architecture": (LLAMA | {"model_type": "lama"}, "did you mean 'llama'"),
    "no architecture": ({k: v for k, v in LLAMA.items() if k != "model_type"}, "'model_type' is missing"),
    "key not understood": (LLAMA | {"attention_sharpening": 2.0}, "attention_sharpening"),
    "scaling not understood": (LLAMA | {"rope_parameters": {"rope_type": "spiral", "rope_theta": 1e4}}, '"spiral" is not one of'),
    "activation not understood": (LLAMA | {"hidden_act": "siluu"}, "did you mean 'silu'"),
    "layer types of another length": (TINY["qwen3"]["config"] | {"layer_types": ["full_attention"]}, "has 1 entries for 2 layers"),
    "layer type not understood": (TINY["qwen3"]["config"] | {"layer_types": ["full_attention", "ring"]}, "has 'ring'"),
    "more experts than there are": (TINY["mixtral"]["config"] | {"num_experts_per_tok": 5}, "chosen 5 is more than the 4 experts"),
    "mapping for a number": (LLAMA | {"vocab_size": {"a": 1}}, "must be a whole number"),
    "list for a mapping": (LLAMA | {"rope_parameters": [1]}, "must be a mapping"),
    "odd rotation": (LLAMA | {"head_dim": 7}, "must be even"),
    "post-layernorm residual": (TINY["bloom"]["config"] | {"apply_residual_connection_post_layernorm": True}, "is not modelled"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_get_one_clear_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    values, message = BAD[case]
    path = folder(tmp_path, values)
    monkeypatch.setattr(sys, "argv", ["pimsim", "check", str(path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    shown = capsys.readouterr()
    assert ended.value.code == 2 and shown.out == ""
    assert message in shown.err and "config.json" in shown.err and shown.err.count("\n") == 1


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the folder has no config\.json"):
        load_workload(tmp_path)


def test_check_and_import_write_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path, TINY["deepseek_v3"]["config"])
    for arguments in (
        ["check", str(path), "-v", "--json", "counts.json", "--context", "10"],
        ["model", "import", str(path), "--out", "d.yaml"],
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["pimsim", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
    counted = json.loads((tmp_path / "counts.json").read_text())
    assert counted["parameters"] == TINY["deepseek_v3"]["expected"]["parameters"]
    assert counted["attention_macs"] == 3 * 4 * (20 + 16) * 10
    assert load_workload(tmp_path / "d.yaml").model.block(0).mixer.kind == "latent_attention"
    assert "num_nextn_predict_layers" in capsys.readouterr().out
