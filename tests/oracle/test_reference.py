"""The float64 models agree with another library's on every tiny decoder: all logits, all tokens."""

import numpy as np
import pytest

from pimsim.oracle.load import load_decoder
from tests.oracle.checkpoints import NAMES, expected_of, folder_of

BOUND = 1e-4  # of the logits' standard deviation; the other library's own float32 parts cost up to 5e-5


@pytest.mark.parametrize("name", NAMES)
def test_logits_of_the_whole_sequence(name):
    expected = expected_of(name)
    logits = load_decoder(folder_of(name)).sequence(expected.encoder).step(*expected.fed)
    assert np.abs(logits - expected.logits).max() <= BOUND * expected.spread


@pytest.mark.parametrize("name", NAMES)
def test_tokens_one_by_one_from_caches(name):
    expected = expected_of(name)
    sequence = load_decoder(folder_of(name)).sequence(expected.encoder)
    logits = sequence.step(*expected.prompt)
    chosen = []
    for _ in expected.generated:
        chosen.append(int(logits[-1].argmax()))
        logits = sequence.step(chosen[-1])
    assert chosen == expected.generated


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("llama_dynamic",)])
def test_a_tree_gives_each_path_what_it_gets_alone(name):
    expected = expected_of(name)
    decoder = load_decoder(folder_of(name))
    sequence = decoder.sequence(expected.encoder)
    sequence.step(*expected.prompt)
    tokens, parents = [5, 6, 7, 8, 9], [-1, 0, 0, 2, -1]
    tree = sequence.feed(tokens, parents)
    for path in ([0, 1], [0, 2, 3], [4]):
        alone = decoder.sequence(expected.encoder)
        alone.step(*expected.prompt)
        assert np.allclose(alone.step(*(tokens[row] for row in path)), tree[path], rtol=0, atol=1e-9)
    sequence.keep([0, 2, 3])
    alone = decoder.sequence(expected.encoder)
    assert np.allclose(sequence.step(11), alone.step(*expected.prompt, 5, 7, 8, 11)[-1], rtol=0, atol=1e-9)
    assert sequence.tokens == [*expected.prompt, 5, 7, 8, 11]


def test_rotation_by_the_length_so_far_is_that_of_the_whole_sequence():
    expected = expected_of("llama_dynamic")
    decoder = load_decoder(folder_of("llama_dynamic"))
    sequence = decoder.sequence()
    for length, token in enumerate(expected.fed, 1):
        assert np.allclose(sequence.step(token)[-1], decoder.sequence().step(*expected.fed[:length])[-1], rtol=0, atol=1e-9)


def test_a_fork_leaves_the_first_sequence_alone():
    expected = expected_of("jamba")
    sequence = load_decoder(folder_of("jamba")).sequence()
    sequence.step(*expected.prompt)
    fork = sequence.fork()
    fork.step(1, 2, 3)
    told = load_decoder(folder_of("jamba")).sequence().step(*expected.prompt, 4)[-1]
    assert np.allclose(sequence.step(4)[-1], told, rtol=0, atol=1e-9)
