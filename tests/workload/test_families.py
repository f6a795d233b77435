"""Decoder graphs of both families: shapes against independent counting, published sizes, and what depends on what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.config import shipped
from pimsim.config.load import load_workload
from pimsim.config.short_forms import ModelSpec
from pimsim.errors import ConfigError
from pimsim.workload import counts
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import SECTION_INPUT, Op

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
    assert counts.step_macs(DecoderModel(model), context) == step_macs(model, context)


@given(model=models(), steps=st.integers(1, 50))
def test_macs_of_many_steps_are_the_sum_of_each(model: ModelSpec, steps: int) -> None:
    decoder = DecoderModel(model)
    every = sum(counts.step_macs(decoder, context) for context in range(1, steps + 1))
    assert counts.decoding_macs(decoder, steps) + steps * counts.logits_macs(decoder) == every


@settings(max_examples=50)
@given(model=models())
def test_operations_need_only_earlier_ones_and_all_are_used(model: ModelSpec) -> None:
    for section in DecoderModel(model).sections():
        seen = {SECTION_INPUT}
        for op in section.ops:
            assert op.name not in seen
            assert set(op.needs) <= seen
            seen.add(op.name)
        needed = {name for op in section.ops for name in op.needs}
        assert seen - needed - {SECTION_INPUT} == {section.ops[-1].name}


def test_equal_layers_are_one_section_and_share_their_operations() -> None:
    first, layers, last = DecoderModel(load_workload("gpt2_small").model).sections()
    assert [op.label for op in layers.ops] == (
        "ln1 qkv k_write v_write scores softmax context proj residual1 ln2 ffn1 gelu ffn2 residual2".split()
    )
    assert ([op.label for op in first.ops], [op.label for op in last.ops]) == (["embedding"], ["ln_f", "lm_head", "select"])
    assert layers.layers == tuple(range(12)) and (first.rows, layers.rows, last.rows) == ("all", "all", "logits")


def test_kinds_of_layers_alternate_in_sections_that_share_operations() -> None:
    spec = load_workload(
        "gpt2_small", ["model.layers=5", "model.blocks.far={}", "model.blocks.near.mixer.window=4", "model.pattern=[near*2, far]"]
    )
    sections = DecoderModel(spec.model).sections()[1:-1]
    assert [section.layers for section in sections] == [(0, 1), (2,), (3, 4)]
    assert sections[0].ops is sections[2].ops and sections[0].ops is not sections[1].ops
    kept = {cache.name: cache.positions for cache in DecoderModel(spec.model).caches}
    assert (kept["h0.k"], kept["h2.k"], kept["h4.v"]) == (4, 1024, 4)


@settings(max_examples=50)
@given(model=models())
def test_every_matrix_is_multiplied_exactly_once(model: ModelSpec) -> None:
    decoder = DecoderModel(model)
    matrices = {t.name: (t.outputs, t.inputs) for t in decoder.tensors if t.use == "matrix"}
    products = [
        (section.full_name(op.weight, layer), (op.shape.outputs, op.shape.inputs))
        for section in decoder.sections()
        for layer in section.layers or (-1,)
        for op in section.ops
        if op.kind == "vmm"
    ]
    head = "wte" if model.tied_embeddings else "lm_head"
    matrices[head] = (model.vocabulary, model.d_model)
    if not model.tied_embeddings:
        matrices.pop("wte")
    assert sorted(products) == sorted(matrices.items())


def _layer(name: str) -> dict[str, Op]:
    return {op.name: op for op in DecoderModel(load_workload(name).model).sections()[1].ops}


def _ancestors(ops: dict[str, Op], name: str) -> set[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        for parent in ops[stack.pop()].needs:
            if parent != SECTION_INPUT and parent not in found:
                found.add(parent)
                stack.append(parent)
    return found


@settings(max_examples=30)
@given(model=models())
def test_attention_reads_keys_and_values_after_they_are_written(model: ModelSpec) -> None:
    ops = {op.name: op for op in DecoderModel(model).sections()[1].ops}
    scores, mixed = ops["scores"], ops["context"]
    assert "k_write" in scores.needs and "v_write" in mixed.needs
    assert "v_write" not in _ancestors(ops, scores.name)
    assert scores.weight == ops["k_write"].weight and mixed.weight == ops["v_write"].weight


def test_rotation_comes_between_projection_and_use() -> None:
    ops = _layer("qwen2_5_0_5b")
    assert ops["rope_q"].needs == ("q",) and ops["rope_k"].needs == ("k",)
    assert ops["k_write"].needs == ("rope_k",) and ops["v_write"].needs == ("v",)
    assert {op.name for op in ops.values() if op.kind == "rope"} == {"rope_q", "rope_k"}
    assert "rope_k" not in ops["scores"].needs


def test_grouped_queries_store_few_heads_and_score_all() -> None:
    ops = _layer("llama3_1_8b")
    assert [ops[name].shape.outputs for name in "qkv"] == [4096, 1024, 1024]
    assert ops["k_write"].kind == "kv_write" and ops["k_write"].shape.heads * ops["k_write"].shape.width == 1024
    assert ops["scores"].shape.kv_heads == 8 and counts.op_macs(ops["scores"], 10) == 32 * 128 * 10


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
