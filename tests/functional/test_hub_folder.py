"""``generate DIR``: tokens and logits of hub folders, their errors, and decoding strategies on them."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from pimsim import cli
from tests.oracle.checkpoints import expected_of, folder_of


def pimsim(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)), catch_exceptions=True)


def ids(tokens):
    return ",".join(map(str, tokens))


@pytest.mark.parametrize("name", ["qwen3", "t5_gated", "jamba"])
def test_tokens_and_logits_in_files(tmp_path, name):
    expected = expected_of(name)
    more = [] if expected.encoder is None else ["--encoder-ids", ids(expected.encoder)]
    files = ["--json", tmp_path / "o.json", "--logits", tmp_path / "o.npz"]
    done = pimsim("generate", folder_of(name), "--prompt-ids", ids(expected.prompt), "--tokens", 16, *more, *files)
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "o.json").read_text())
    assert told["token_ids"] == expected.generated
    with np.load(tmp_path / "o.npz") as arrays:
        assert np.abs(arrays["float64"] - expected.logits).max() <= 1e-4 * expected.spread
    assert ids(expected.generated) in done.output
    assert told["device"]["available"] or told["device"]["missing"] in done.output


def test_a_configuration_file_stands_for_its_folder():
    expected = expected_of("qwen3")
    path = folder_of("qwen3") / "config.json"
    done = pimsim("generate", "pim_gpt", path, "--prompt-ids", ids(expected.prompt), "--tokens", 3, "--json", "-")
    assert json.loads(done.stdout)["token_ids"] == expected.generated[:3]


def test_a_strategy_drafts_with_another_folder(tmp_path):
    expected = expected_of("qwen3")
    path = tmp_path / "decoding.yaml"
    path.write_text(f"decoding: {{strategy: speculative, draft: {folder_of('olmo2')}, drafts: 3}}\n")
    line = ["generate", folder_of("qwen3"), "--prompt-ids", ids(expected.prompt), "--tokens", 16, "--decoding", path]
    done = pimsim(*line, "--json", tmp_path / "o.json")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "o.json").read_text())
    assert told["token_ids"] == expected.generated == told["decoding"]["greedy_token_ids"]
    assert told["decoding"]["equal_to_greedy"] and told["decoding"]["lossless"]
    assert sum(told["decoding"]["acceptance_histogram"].values()) == told["decoding"]["rounds"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prompt-ids", "5,999"], "token 999 is not in the vocabulary: 0 .. 256"),
        (["--prompt-ids", "5,x"], "'x' is not a token id"),
        (["--prompt-ids", "5", "--encoder-ids", "5"], "no encoder"),
        (["--prompt-ids", "5", "--tokens", "0"], "at least one token"),
        (["--prompt-ids", "5", "--logits", "/nowhere/x.npz"], "does not exist"),
        (["--prompt-ids", "5", "--decoding", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input_gets_one_line(arguments, words):
    done = pimsim("generate", folder_of("qwen3"), *arguments)
    assert done.exit_code != 0
    assert words in str(done.exception)
    assert "\n" not in str(done.exception)


def test_options_of_folders_need_one():
    done = pimsim("generate", "tiny", "--logits", "x.npz")
    assert done.exit_code != 0 and "need a hub folder" in str(done.exception)
