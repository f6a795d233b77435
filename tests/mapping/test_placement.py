"""Placement: everything placed once, nothing overlaps, capacity is refused with a way out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.config.load import load_hardware, load_workload
from pimsim.errors import CapacityError, MappingError
from pimsim.mapping.placement import place
from pimsim.workload.model import DecoderModel


@st.composite
def shapes(draw):
    heads = draw(st.integers(1, 7))
    width = draw(st.sampled_from([4, 16, 24, 64, 80]))
    return {
        "layers": draw(st.integers(1, 3)),
        "heads": heads,
        "d_model": heads * width,
        "d_ff": draw(st.integers(1, 700)),
        "vocabulary": draw(st.integers(1, 900)),
        "max_context": draw(st.integers(1, 1500)),
    }


def placed(shape, channels, bank_groups, policy, buffer_bytes=2048):
    settings_ = [
        f"dram.channels={channels}",
        f"dram.bank_groups={bank_groups}",
        f"pim.all_bank_activation.grouped_by={bank_groups * 4}",
        f"pim.global_buffer_bytes={buffer_bytes}",
        f"mapping={policy}",
    ]
    model = load_workload("gpt2_small", [f"model.{key}={value}" for key, value in shape.items()]).model
    return place(load_hardware("pim_gpt", settings_), DecoderModel(model)), DecoderModel(model)


def occupied(region, channel):
    """Every column of the run that a channel's slots use, one after another."""
    columns = []
    for local in range(region.slots_in(channel)):
        for c, chunk in enumerate(region.layout.chunks):
            start = region.linear(local, c)
            columns += range(start, start + chunk.columns)
    return np.array(columns, np.int64)


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 9), st.sampled_from([1, 2, 4]), st.sampled_from(["pim_gpt", "row_per_output"]))
def test_no_column_of_any_bank_is_used_twice(shape, channels, bank_groups, policy):
    placement, _ = placed(shape, channels, bank_groups, policy)
    per_row, geometry = placement.geometry.columns_per_row, placement.geometry
    for channel in range(channels):
        used = [region.base_row * per_row + occupied(region, channel) for region in placement.regions.values()]
        everywhere = np.concatenate(used)
        assert len(np.unique(everywhere)) == len(everywhere)
        for bank in range(geometry.banks):
            strips = [
                strip.base_row * per_row + np.arange(strip.linear, strip.linear + strip.columns_in(channel))
                for strip in placement.strips.values()
                if strip.bank == bank
            ]
            both = np.concatenate([everywhere, *strips])
            assert len(np.unique(both)) == len(both)
            assert both.max(initial=0) < placement.rows_used * per_row


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 9), st.sampled_from(["pim_gpt", "row_per_output"]), st.sampled_from([256, 2048]))
def test_every_element_has_room_exactly_once(shape, channels, policy, buffer_bytes):
    placement, model = placed(shape, channels, 4, policy, buffer_bytes)
    geometry, lanes = placement.geometry, placement.geometry.lanes
    for tensor in model.tensors:
        if tensor.name in placement.regions:
            region = placement.regions[tensor.name]
            assert region.layout.slots == -(-tensor.outputs // geometry.banks)
            spans = [(chunk.start, chunk.start + chunk.columns) for chunk in region.layout.chunks]
            assert spans[0][0] == 0 and spans[-1][1] * lanes >= tensor.inputs
            assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
            assert all(chunk.columns <= geometry.buffer_columns for chunk in region.layout.chunks)
            assert sum(region.slots_in(c) for c in range(channels)) == region.layout.slots
        elif tensor.name in placement.strips:
            strip = placement.strips[tensor.name]
            assert sum(strip.columns_in(c) for c in range(channels)) * lanes >= tensor.outputs
            assert sum(strip.columns_in(c) for c in range(channels)) == strip.columns
    d_kv = shape["d_model"]
    assert placement.kv_bytes == 2 * 2 * shape["layers"] * d_kv * shape["max_context"]
    assert placement.weight_bytes == 2 * sum(tensor.elements for tensor in model.tensors)
    assert placement.reserved_bytes >= placement.kv_bytes + placement.weight_bytes


def test_a_model_that_does_not_fit_says_what_is_missing_and_what_helps():
    model = DecoderModel(load_workload("gpt3_xl", ["model.layers=60"]).model)
    with pytest.raises(CapacityError, match=r"pim_gpt holds 4\.29 GB: .* GB are missing; .*channels.*dram\.channels") as caught:
        place(load_hardware("pim_gpt"), model)
    channels = int(str(caught.value).split("channels (dram.channels)")[0].split()[-1])
    place(load_hardware("pim_gpt", [f"dram.channels={channels}"]), model)
    with pytest.raises(CapacityError):
        place(load_hardware("pim_gpt", [f"dram.channels={channels - 1}"]), model)


def test_an_unknown_policy_is_refused_with_the_nearest():
    model = DecoderModel(load_workload("gpt2_small").model)
    with pytest.raises(MappingError, match=r"unknown policy 'pim-gpt' \(did you mean 'pim_gpt'\?\)"):
        place(load_hardware("pim_gpt", ["mapping=pim-gpt"]), model)


def test_the_naive_policy_needs_more_room_and_opens_more_rows():
    model = DecoderModel(load_workload("gpt2_small").model)
    packed = place(load_hardware("pim_gpt"), model)
    naive = place(load_hardware("pim_gpt", ["mapping=row_per_output"]), model)
    assert naive.rows_used > 1.5 * packed.rows_used


def test_a_head_wider_than_the_global_buffer_is_refused():
    model = DecoderModel(load_workload("gpt2_small", ["model.heads=2"]).model)
    with pytest.raises(MappingError, match=r"a head of 384 elements .* global buffer holds 128"):
        place(load_hardware("pim_gpt", ["pim.global_buffer_bytes=256"]), model)
