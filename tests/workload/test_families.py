"""Decoder graphs of both families: shapes against independent counting, published sizes, and what depends on what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.config import shipped
from pimsim.config.load import load_workload
from pimsim.config.short_forms import ModelSpec
from pimsim.errors import ConfigError
from pimsim.workload.model import DecoderModel
from pimsim.workload.unrolled import CONTEXT, KV_WRITE, ROPE, SCORES, SOFTMAX, VMM
from pimsim.workload.unrolled import UnrolledOp as Op

from .counting import gpt2_parameters, llama_parameters, step_macs

PUBLISHED = {
    "gpt2_small": 124_439_808,
    "gpt2_medium": 354_823_168,
    "gpt2_large": 774_030_080,
    "gpt2_xl": 1_557_611_200,
    "llama2_7b": 6_738_415_616,
    "llama2_13b": 13_015_864_320,
    "llama2_70b": 68_976_648_192,
    "llama3_1_8b": 8_030_261_248,
    "llama3_1_70b": 70_553_706_496,
    "llama3_2_1b": 1_235_814_400,
    "llama3_2_3b": 3_212_749_824,
    "mistral_7b": 7_241_732_096,
    "tinyllama_1_1b": 1_100_048_384,
    "qwen2_5_0_5b": 494_032_768,
    "qwen2_5_1_5b": 1_543_714_304,
    "qwen2_5_3b": 3_085_938_688,
    "qwen2_5_7b": 7_615_616_512,
    "qwen2_5_14b": 14_770_033_664,
    "qwen2_5_32b": 32_763_876_352,
    "qwen2_5_72b": 72_706_203_648,
    "gemma_2b": 2_506_172_416,
}
NOT_MULTIPLIED = {"bias", "scale", "shift", "wpe"}
NOMINAL = {"gpt_350m": 0.356e9, "gpt_1_3b": 1.31e9, "gpt_6_7b": 6.66e9, "gpt_20b": 20.25e9}


@st.composite
def models(draw: st.DrawFn) -> ModelSpec:
    family = draw(st.sampled_from(["gpt2", "llama"]))
    kv_heads, group = draw(st.integers(1, 6)), draw(st.integers(1, 4)) if family == "llama" else 1
    width = 2 * draw(st.integers(1, 16))
    return ModelSpec(
        family=family,
        layers=draw(st.integers(1, 4)),
        d_model=draw(st.integers(1, 200)),
        heads=kv_heads * group,
        kv_heads=kv_heads,
        d_head=width,
        d_ff=draw(st.integers(1, 300)),
        vocabulary=draw(st.integers(1, 500)),
        max_context=draw(st.integers(1, 500)),
        tied_embeddings=draw(st.booleans()),
        qkv_bias=family == "llama" and draw(st.booleans()),
        source="random",
    )


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_shipped_models_have_the_published_number_of_parameters(name: str, parameters: int) -> None:
    assert DecoderModel(load_workload(name).model).parameters == parameters


@pytest.mark.parametrize(("name", "parameters"), NOMINAL.items())
def test_models_known_by_their_rounded_size_only(name: str, parameters: float) -> None:
    assert DecoderModel(load_workload(name).model).parameters == pytest.approx(parameters, rel=0.01)


@given(model=models())
def test_parameters_are_those_counted_from_the_shapes(model: ModelSpec) -> None:
    count = gpt2_parameters if model.family == "gpt2" else llama_parameters
    assert DecoderModel(model).parameters == count(model)


@given(model=models(), context=st.integers(1, 4096))
def test_macs_are_those_counted_from_the_shapes(model: ModelSpec, context: int) -> None:
    assert sum(op.macs for op in DecoderModel(model).step(context)) == step_macs(model, context)


@settings(max_examples=50)
@given(model=models(), context=st.integers(1, 64), with_head=st.booleans())
def test_operations_need_only_earlier_ones_and_all_are_used(model: ModelSpec, context: int, with_head: bool) -> None:
    ops = DecoderModel(model).step(context, with_head)
    seen: set[str] = set()
    for op in ops:
        assert op.name not in seen
        assert set(op.needs) <= seen
        seen.add(op.name)
    needed = {name for op in ops for name in op.needs}
    assert seen - needed == {ops[-1].name}
    assert ops[-1].label == ("select" if with_head else "residual2")


@settings(max_examples=50)
@given(model=models(), context=st.integers(1, 64))
def test_every_matrix_is_multiplied_exactly_once(model: ModelSpec, context: int) -> None:
    decoder = DecoderModel(model)
    matrices = {t.name: (t.outputs, t.inputs) for t in decoder.tensors if t.name.split(".")[-1] not in NOT_MULTIPLIED}
    products = [(op.weight, (op.outputs, op.inputs)) for op in decoder.step(context) if op.kind == VMM]
    head = "wte" if model.tied_embeddings else "lm_head"
    matrices[head] = (model.vocabulary, model.d_model)
    if not model.tied_embeddings:
        matrices.pop("wte")
    assert sorted(products) == sorted(matrices.items())


def _ancestors(ops: list[Op], name: str) -> set[str]:
    needs = {op.name: op.needs for op in ops}
    found, stack = set(), [name]
    while stack:
        for parent in needs[stack.pop()]:
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    return found


@settings(max_examples=30)
@given(model=models(), context=st.integers(1, 8))
def test_attention_reads_keys_and_values_after_they_are_written(model: ModelSpec, context: int) -> None:
    ops = DecoderModel(model).step(context)
    by_name = {op.name: op for op in ops}
    for layer in range(model.layers):
        scores, mixed = by_name[f"h{layer}.scores"], by_name[f"h{layer}.context"]
        assert (scores.kind, mixed.kind) == (SCORES, CONTEXT)
        assert f"h{layer}.k_write" in scores.needs
        assert f"h{layer}.v_write" in mixed.needs
        assert f"h{layer}.v_write" not in _ancestors(ops, scores.name)
        assert scores.weight == by_name[f"h{layer}.k_write"].weight
        assert mixed.weight == by_name[f"h{layer}.v_write"].weight
        if layer:
            assert f"h{layer - 1}.residual2" in _ancestors(ops, scores.name)


def test_rotation_comes_between_projection_and_use() -> None:
    ops = DecoderModel(load_workload("qwen2_5_0_5b").model).step(3)
    by_name = {op.name: op for op in ops}
    assert by_name["h0.rope_q"].needs == ("h0.q",) and by_name["h0.rope_k"].needs == ("h0.k",)
    assert by_name["h0.k_write"].needs == ("h0.rope_k",) and by_name["h0.v_write"].needs == ("h0.v",)
    assert {op.name for op in ops if op.kind == ROPE and op.layer == 0} == {"h0.rope_q", "h0.rope_k"}
    assert "h0.rope_k" not in by_name["h0.scores"].needs


def test_grouped_queries_store_few_heads_and_score_all() -> None:
    ops = {op.name: op for op in DecoderModel(load_workload("llama3_1_8b").model).step(10)}
    assert (ops["h0.q"].outputs, ops["h0.k"].outputs, ops["h0.v"].outputs) == (4096, 1024, 1024)
    assert ops["h0.k_write"].kind == KV_WRITE and ops["h0.k_write"].inputs == 1024
    assert ops["h0.scores"].kv_heads == 8 and ops["h0.scores"].macs == 32 * 128 * 10
    assert ops["h0.softmax"].kind == SOFTMAX and ops["h0.softmax"].inputs == 32 * 10


def test_shipped_workloads_load_and_no_label_names_two() -> None:
    specs = {name: load_workload(name) for name in shipped.shipped_names("workloads")}
    assert [name for name, spec in specs.items() if spec.name != name] == []
    labels = [label.lower() for spec in specs.values() for label in spec.labels]
    assert len(labels) == len(set(labels)) > len(specs)


@pytest.mark.parametrize(
    ("name", "assignment", "message"),
    [
        ("gpt2_small", "model.kv_heads=4", "family gpt2 has as many K and V heads"),
        ("gpt2_small", "model.qkv_bias=true", "qkv_bias is for family llama"),
        ("llama3_1_8b", "model.d_head=127", "d_head 127 must be even"),
        ("llama3_1_8b", "model.kv_heads=5", "heads 32 is not a multiple of kv_heads 5"),
    ],
)
def test_shapes_a_family_cannot_have_are_refused(name: str, assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_workload(name, [assignment])
