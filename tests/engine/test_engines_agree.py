"""Contract of the engines: the fast one, with and without shortcuts, equals the reference on every command."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimsim.config.device import Device
from pimsim.config.load import load_hardware, load_workload
from pimsim.dram.rules import gap_parameters
from pimsim.engine.fast import FastEngine
from pimsim.engine.reference import ReferenceEngine
from pimsim.engine.reference_channel import Issued
from pimsim.mapping.placement import place
from pimsim.program.instruction import StepProgram
from pimsim.program.lower import Lowering
from pimsim.simulation import simulate, step_programs
from pimsim.workload.model import DecoderModel, Request
from tests.engine.agreement import check_agreement, differences
from tests.programs import random_device, random_programs
from tests.strategies import with_cycles

SEEDS = st.integers(0, 1 << 40)
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
FULL = settings(QUICK, max_examples=1000)


def _case(seed: int) -> tuple[Device, list[StepProgram], random.Random]:
    rng = random.Random(seed)
    device = random_device(rng)
    return device, random_programs(device, rng), rng


@given(SEEDS)
@QUICK
def test_engines_agree_on_random_programs(seed: int) -> None:
    device, programs, _ = _case(seed)
    check_agreement(device, programs)


@pytest.mark.slow
@given(SEEDS)
@FULL
def test_engines_agree_on_a_thousand_random_programs(seed: int) -> None:
    device, programs, _ = _case(seed)
    check_agreement(device, programs)


@given(SEEDS)
@settings(QUICK, max_examples=20)
def test_splitting_a_run_changes_nothing(seed: int) -> None:
    device, programs, rng = _case(seed)
    programs = programs * 2
    cut = rng.randint(1, len(programs) - 1)
    for engine in (FastEngine(device), FastEngine(device, skip=False), ReferenceEngine(device)):
        whole = type(engine)(device).run(iter(programs))
        parts = [engine.run_batch(programs[:cut]), engine.run_batch(programs[cut:])]
        assert differences(engine.finish(np.concatenate(parts).tolist()), whole) == []


@given(SEEDS)
@settings(QUICK, max_examples=20)
def test_order_of_processes_changes_nothing(seed: int) -> None:
    device, programs, rng = _case(seed)
    order = list(range(device.organization.channels + 1))
    rng.shuffle(order)
    straight, shuffled = ReferenceEngine(device, keep_log=True), ReferenceEngine(device, keep_log=True, order=order)
    assert differences(shuffled.run(programs), straight.run(programs)) == []
    assert shuffled.commands() == straight.commands()


def _timings_read_by_rules() -> list[str]:
    rules = {rule for seed in range(6) for rule in random_device(random.Random(seed)).standard.rules}
    names = {name for rule in rules for name in gap_parameters(rule.gap)}
    return sorted(names - {"nFAW", "nAFRD"})  # seldom bind here (4 banks; behind a mode switch): see tests/mutation


@pytest.mark.parametrize("name", _timings_read_by_rules())
def test_one_cycle_more_is_seen_by_all_engines(name: str) -> None:
    """A longer gap moves a command of one of the first random programs, and the engines agree on how."""
    for seed in range(40):
        device, programs, _ = _case(seed)
        cycles = dict(device.timing.cycles)
        if name not in cycles:
            continue
        slower = with_cycles(device, {**cycles, name: cycles[name] + 1})
        if _log(device, programs) != _log(slower, programs):
            check_agreement(slower, programs)
            return
    raise AssertionError(f"no command of any program moved with {name}")


def _log(device: Device, programs: list[StepProgram]) -> list[list[Issued]]:
    engine = ReferenceEngine(device, keep_log=True)
    engine.run(programs)
    return engine.commands()


@pytest.mark.slow
def test_engines_agree_on_four_tokens_of_gpt2_small() -> None:
    device, model = load_hardware("pim_gpt"), DecoderModel(load_workload("gpt2_small").model)
    lowering = Lowering(device, model, place(device, model))
    programs = list(step_programs(lowering, Request(prompt_tokens=1, generate_tokens=4)))
    assert check_agreement(device, programs) > 2_000_000


@pytest.mark.parametrize("settings", [(), ("controller.issue=overlap", "dram.refresh.mode=per_bank", "dram.channels=3")])
def test_simulate_takes_either_engine(settings: tuple[str, ...]) -> None:
    small = ("workload.model.layers=2", "workload.model.vocabulary=700", "workload.model.max_context=64")
    fast, reference = (
        simulate("pim_gpt", "gpt2_small", tokens=3, settings=(*small, *settings), engine=engine).to_dict()
        for engine in ("fast", "reference")
    )
    assert reference["engine"].pop("name") == "reference"
    for result in (fast, reference):
        result.pop("engine"), result.pop("provenance")
    assert reference == fast
