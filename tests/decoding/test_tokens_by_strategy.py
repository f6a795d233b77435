"""Strategies with numbers: every lossless one gives the tokens of plain greedy decoding, whatever was drafted."""

from dataclasses import replace

import numpy as np
import pytest

from pimsim.decoding.load import strategy_from
from pimsim.decoding.numbers import decode
from pimsim.errors import RequestError
from pimsim.oracle.load import load_decoder
from tests.oracle.checkpoints import expected_of, folder_of

LOSSLESS = [
    {"strategy": "plain"},
    {"strategy": "speculative", "draft": "d", "drafts": 3},
    {"strategy": "nested", "layers": 1, "drafts": 3},
    {"strategy": "kangaroo", "layers": 1, "drafts": 4, "confidence": 0.2},
    {"strategy": "medusa", "heads": 3},
    {"strategy": "hydra", "heads": 3},
    {"strategy": "hidden_transfer"},
    {"strategy": "chimera", "paths": [[0], [1], [0, 0], [0, 1], [1, 0], [0, 0, 0]]},
    {"strategy": "recursive", "draft": "d", "widths": [3, 2]},
    {"strategy": "token_recycling"},
    {"strategy": "ngram"},
    {"strategy": "lexical_units"},
    {"strategy": "easyspec", "draft": "d", "together": 2},
]
MODELS = ["qwen3", "bloom", "gemma3_text", "jamba", "mamba2", "deepseek_v3", "t5_gated", "gpt_oss", "llama_dynamic"]


def run(name, values, tokens=16, draft=None):
    expected = expected_of(name)
    decoder = load_decoder(folder_of(name))
    if draft is None:
        draft = replace(decoder, layers=decoder.layers[:-1])
    return decode(decoder, strategy_from(values, "test"), expected.prompt, tokens, expected.encoder, lambda _: draft)


@pytest.mark.parametrize("values", LOSSLESS, ids=lambda values: values["strategy"])
@pytest.mark.parametrize("name", MODELS)
def test_lossless_strategies_give_the_greedy_tokens(name, values):
    found = run(name, values)
    assert found.tokens == expected_of(name).generated
    assert sum(len(kept.tokens) for kept in found.rounds) >= 16


@pytest.mark.parametrize("strategy", ["speculative", "recursive"])
def test_a_draft_equal_to_the_target_is_always_right(strategy):
    decoder = load_decoder(folder_of("qwen3"))
    more = {"drafts": 3} if strategy == "speculative" else {"widths": [2, 2, 2]}
    found = run("qwen3", {"strategy": strategy, "draft": "d"} | more, draft=decoder)
    assert found.tokens == expected_of("qwen3").generated
    assert found.tokens_per_step == 4 and all(kept.accepted == 3 for kept in found.rounds)


def test_an_independent_pair_of_one_vocabulary():
    found = run("qwen3", {"strategy": "speculative", "draft": "d", "drafts": 4}, draft=load_decoder(folder_of("olmo2")))
    assert found.tokens == expected_of("qwen3").generated


def test_recycled_tokens_are_found_again_in_a_text_that_repeats():
    found = run("gemma2", {"strategy": "token_recycling"})
    assert found.tokens == expected_of("gemma2").generated and found.tokens_per_step > 2
    assert run("gemma2", {"strategy": "ngram"}).tokens_per_step > 2


def test_one_beam_is_greedy_and_more_beams_score_no_worse():
    expected = expected_of("qwen3")
    assert run("qwen3", {"strategy": "beam", "beams": 1}).tokens == expected.generated
    found = run("qwen3", {"strategy": "beam", "beams": 4}, tokens=8)

    def score(tokens):
        logits = load_decoder(folder_of("qwen3")).sequence().step(*expected.prompt, *tokens)
        shares = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return sum(shares[len(expected.prompt) - 1 + at, token] for at, token in enumerate(tokens))

    assert score(found.tokens) >= score(expected.generated[:8])


def test_early_exits_that_nobody_takes_change_nothing():
    sure = run("qwen3", {"strategy": "early_exit", "exits": [1], "confidence": 1.0})
    assert sure.tokens == expected_of("qwen3").generated and "fill" not in sure.rows
    eager = run("qwen3", {"strategy": "early_exit", "exits": [1], "confidence": 0.0})
    assert eager.rows["fill"] == 16 == eager.rows["plain"]


@pytest.mark.parametrize("share", [0.0, 1e9])
def test_entropy_switching_uses_the_model_it_says(share):
    found = run("qwen3", {"strategy": "entropy", "draft": "d", "threshold": share})
    if share == 0.0:
        assert found.tokens == expected_of("qwen3").generated and "draft" not in found.rows
    else:
        assert found.rows["draft"] == 15 and found.rows["plain"] == 1


def test_bild_that_never_tolerates_anything_is_greedy():
    found = run("qwen3", {"strategy": "bild", "draft": "d", "rollback": 0.0, "fallback": 0.0})
    assert found.tokens[0] == expected_of("qwen3").generated[0] and found.rows["draft"] > 0
    loose = run("qwen3", {"strategy": "bild", "draft": "d", "rollback": 1e9, "fallback": 0.0})
    assert all(kept.accepted == kept.drafted for kept in loose.rounds)


def test_models_that_do_not_fit_together_are_refused():
    with pytest.raises(RequestError, match="vocabulary of 239; the target's is 257"):
        run("qwen3", {"strategy": "speculative", "draft": "d"}, draft=load_decoder(folder_of("qwen3_moe_dense_mix")))
    with pytest.raises(RequestError, match="layers: 2 cannot draft for a target of 2"):
        run("qwen3", {"strategy": "nested", "layers": 2})
    with pytest.raises(RequestError, match="exits: 2 is not before the last of 2"):
        run("qwen3", {"strategy": "early_exit", "exits": [2]})
    with pytest.raises(RequestError, match="drafts need 4 positions more"):
        run("gpt2", {"strategy": "speculative", "draft": "d", "drafts": 4}, tokens=52)
