"""Strategies without numbers: trees, acceptance, closed forms, and the rows of every step."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.decoding.acceptance import Acceptance
from pimsim.decoding.closed_form import tokens_per_chain, tokens_per_round
from pimsim.decoding.load import load_strategy, strategy_from
from pimsim.decoding.registry import STRATEGIES
from pimsim.decoding.schedule import Schedule
from pimsim.decoding.tree import chain, full_tree, listed_tree
from pimsim.errors import ConfigError, RequestError

NEEDED = {"nested": {"layers": 1}, "kangaroo": {"layers": 1}, "early_exit": {"exits": [1, 2]}} | {
    name: {"draft": "d"} for name in ("speculative", "recursive", "bild", "entropy", "easyspec")
}


def make(name, **values):
    return strategy_from({"strategy": name, "acceptance": 0.6} | NEEDED.get(name, {}) | values, "test")


@pytest.mark.parametrize("name", [name for name in STRATEGIES if make(name).tree() is not None])
def test_seeded_acceptance_keeps_what_the_closed_form_says(name):
    strategy = make(name, seed=3)
    schedule = Schedule(strategy, [5] * 40, 150)
    assert sum(1 for _ in schedule.steps()) > 10
    kept = [len(found.tokens) for found in schedule.rounds]
    error = np.std(kept) / len(kept) ** 0.5
    assert abs(np.mean(kept) - tokens_per_round(strategy.chances(), strategy.tree())) < 4 * error


@pytest.mark.parametrize("drafts", [1, 4, 7])
@pytest.mark.parametrize("a", [0.0, 0.3, 0.99])
def test_chain_closed_form(drafts, a):
    assert tokens_per_chain(a, drafts) == pytest.approx((1 - a ** (drafts + 1)) / (1 - a))
    assert tokens_per_chain(1.0, drafts) == drafts + 1


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_every_sequence_gets_its_tokens_and_rows_fit_where_it_stands(name):
    schedule = Schedule(make(name), [3, 9], 20)
    for planned in schedule.steps():
        rows = planned.step.rows
        assert rows and all(0 <= at < len(rows) for at in planned.step.logits)
        for at, row in enumerate(rows):
            for ancestor in row.ancestors or ():
                assert ancestor < at and rows[ancestor].sequence == row.sequence
                assert rows[ancestor].position < row.position
    for sequence in schedule.sequences:
        assert sequence.done and len(sequence.standing.tokens) < sequence.prompt + 20 + 64
        assert sum(len(found.tokens) for found in sequence.rounds) == len(sequence.standing.tokens) - sequence.prompt
        assert sequence.standing.fed[0] <= len(sequence.standing.tokens)


def test_equal_sequences_share_their_steps():
    alone = sum(1 for _ in Schedule(make("speculative", acceptance=1.0), [5], 40).steps())
    assert sum(1 for _ in Schedule(make("speculative", acceptance=1.0), [5] * 8, 40).steps()) == alone


def test_speculative_rows():
    planned = list(Schedule(make("speculative", drafts=3, acceptance=1.0), [5], 8).steps())
    shape = [(step.phase, step.step.model, [row.position for row in step.step.rows], step.step.logits) for step in planned]
    draft = [("draft", 1, [at], (0,)) for at in (4, 5, 6)]
    assert shape[:4] == [*draft, ("verify", 0, [4, 5, 6, 7], (0, 1, 2, 3))]
    assert shape[4] == ("draft", 1, [7, 8], (1,))


def test_tree_rows_see_their_ancestors_only():
    planned = list(Schedule(make("medusa", heads=2, widths=[2, 2], acceptance=0.0), [5], 1).steps())
    assert [step.phase for step in planned] == ["heads", "verify"]
    rows = planned[1].step.rows
    assert [row.position for row in rows] == [4, 5, 5, 6, 6, 6, 6]
    assert [row.ancestors for row in rows] == [(), (0,), (0,), (0, 1), (0, 1), (0, 2), (0, 2)]


def test_kangaroo_runs_the_first_layers_once():
    planned = list(Schedule(make("kangaroo", layers=2, drafts=2, sure=1.0, acceptance=1.0), [5], 3).steps())
    assert [(step.phase, step.layers) for step in planned] == [("draft", (0, 2)), ("draft", (0, 2)), ("verify", (2, None))]
    assert all(step.step.model == 0 for step in planned)


def test_outcomes_from_a_file(tmp_path):
    path = tmp_path / "outcomes.json"
    path.write_text(json.dumps([2, 0, 3, 1]))
    values = {"strategy": "speculative", "draft": "d", "drafts": 3, "outcomes": str(path)}
    schedule = Schedule(strategy_from(values, "test"), [4], 8)
    list(schedule.steps())
    assert [found.accepted for found in schedule.rounds] == [2, 0, 3]
    with pytest.raises(RequestError, match="outcomes of 4 rounds; the run has more"):
        list(Schedule(strategy_from(values, "test"), [4], 80).steps())
    path.write_text("[4]")
    with pytest.raises(RequestError, match="nothing of that rank"):
        list(Schedule(strategy_from(values, "test"), [4], 80).steps())
    tree = tmp_path / "tree.json"
    tree.write_text("[[1, 0], [2]]")
    schedule = Schedule(strategy_from({"strategy": "chimera", "outcomes": str(tree)}, "test"), [4], 5)
    list(schedule.steps())
    assert [found.accepted for found in schedule.rounds] == [2, 1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.floats(0, 1))
def test_a_tree_keeps_at_most_its_depth_and_at_least_the_own_token(widths, a):
    tree = full_tree(widths)
    mean = tokens_per_round(Acceptance(a), tree)
    assert 1 <= mean <= tree.depth + 1 + 1e-9
    assert len(Acceptance(a).path(tree, np.random.default_rng(0))) <= tree.depth
    assert tokens_per_round(Acceptance(a), chain(tree.depth)) <= mean + 1e-9


@pytest.mark.parametrize(
    ("paths", "words"),
    [([[0, 0]], "its parent"), ([[0], [0]], "twice"), ([[-1]], "from 0 on"), ([[]], "from 0 on"), ([], "1 to 1024")],
)
def test_invalid_trees(paths, words):
    with pytest.raises(ValueError, match=words):
        listed_tree(paths)
    with pytest.raises(ConfigError, match=words):
        make("medusa", paths=paths)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"strategy": "speculativ", "draft": "d"}, "'speculativ' is not known .*speculative"),
        ({"strategy": "speculative"}, "'draft' is missing"),
        ({"strategy": "speculative", "draft": "d", "acceptance": 1.2}, "1.2 must be from 0 to 1"),
        ({"strategy": "speculative", "draft": "d", "acceptance": -0.1}, "must be from 0 to 1"),
        ({"strategy": "speculative", "draft": "d", "acceptance": "high"}, "'high' must be a probability"),
        ({"strategy": "speculative", "draft": "d", "acceptance": []}, "at least one"),
        ({"strategy": "medusa", "acceptance": [[0.7, 0.4]]}, "above 1"),
        ({"strategy": "speculative", "draft": "d", "acceptance": 0.5, "outcomes": "x"}, "not both"),
        ({"strategy": "speculative", "draft": "d", "drafts": 0}, "drafts"),
        ({"strategy": "speculative", "draft": "d", "draughts": 3}, "unknown key 'draughts'.*drafts"),
        ({"strategy": "medusa", "widths": [2, 2], "paths": [[0]]}, "not both"),
        ({"strategy": "medusa", "heads": 2, "widths": [2, 2, 2]}, "3 levels"),
        ({"strategy": "recursive", "draft": "d", "widths": [40, 40]}, "more than 1024 nodes"),
        ({"strategy": "beam", "beams": 4, "groups": 3}, "3 groups do not divide 4"),
        ({"strategy": "early_exit", "exits": [3, 1]}, "ascending"),
        ({}, "strategy"),
        ([], "table"),
    ],
)
def test_bad_descriptions_get_one_line(values, words):
    with pytest.raises(ConfigError, match=words) as caught:
        strategy_from(values, "file.yaml: decoding")
    assert "\n" not in str(caught.value)


def test_acceptance_is_needed_without_weights():
    with pytest.raises(ConfigError, match=r"acceptance .* or outcomes"):
        Schedule(strategy_from({"strategy": "speculative", "draft": "d"}, "test"), [4], 8)


def test_files(tmp_path):
    (tmp_path / "draft").mkdir()
    path = tmp_path / "d.yaml"
    path.write_text("decoding: {strategy: speculative, draft: draft, drafts: 4, acceptance: 0.7, seed: 1}\n")
    strategy = load_strategy(path)
    assert strategy.draft == str(tmp_path / "draft") and strategy.drafts == 4 and strategy.seed == 1
    path.write_text("strategy: speculative\ndraft: gpt2_small\n")
    assert load_strategy(path).draft == "gpt2_small"
    path.write_text("decoding: {strategy: plain}\nmodel: x\n")
    with pytest.raises(ConfigError, match="model"):
        load_strategy(path)
