"""Counts of imported models against those of the library that the configurations are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.config.load import load_workload
from pimsim.workload.model import DecoderModel
from pimsim.workload.parameters import counts

from .hub_cases import CONFIGS, FACTS, TINY, folder

_COLUMNS = {
    "parameters_transformers": "parameters", "layers": "layers", "kv_elements_per_token": "kv_elements_per_token",
    "kv_elements_per_token_expanded": "kv_elements_per_token_expanded", "state_elements": "state_elements",
    "linear_macs": "linear_macs", "attention_macs_1024": "attention_macs", "state_space_macs": "state_space_macs", "macs_1024": "macs",
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_real_models_count_what_the_library_counts(tmp_path: Path, name: str) -> None:
    found = counts(DecoderModel(load_workload(folder(tmp_path, CONFIGS[name])).model), 1024)
    wanted = {mine: int(FACTS[name][theirs]) for theirs, mine in _COLUMNS.items() if FACTS[name][theirs]}
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", TINY)
def test_small_checkpoints_count_what_their_caches_hold(tmp_path: Path, name: str) -> None:
    found = counts(DecoderModel(load_workload(folder(tmp_path, TINY[name]["config"])).model), 1024)
    wanted = TINY[name]["expected"]
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", TINY)
def test_parts_add_up_and_every_matrix_of_the_decoder_is_met_once(tmp_path: Path, name: str) -> None:
    model = DecoderModel(load_workload(folder(tmp_path, TINY[name]["config"])).model)
    found = counts(model, 7)
    for key in ("parameters", "linear_macs", "attention_macs", "state_space_macs"):
        assert sum(part.get(key, 0) for part in found["parts"].values()) == found[key]
    met = {
        section.full_name(op.weight, layer)
        for stack in model.stacks
        for section in model.sections(stack)
        for layer in section.layers or (-1,)
        for op in section.ops
        if op.weight and op.kind in ("vmm", "head_vmm", "expert_vmm", "embedding")
    }
    stored = {tensor.name for tensor in model.tensors if tensor.use == "matrix"}
    assert {name for name in stored if name not in met and name.rpartition(".")[0] not in met} == set()
    assert met - stored - {name.rpartition(".")[0] for name in stored} == set()
