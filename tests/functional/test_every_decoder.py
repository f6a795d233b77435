"""Every family of decoders on PIM commands: tokens and logits of another library, commands as timed, sums that are exact."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from pimsim.asic.numerics import exact
from pimsim.config.device import Device
from pimsim.config.load import load_hardware, load_workload
from pimsim.energy.ledger import energy_ledger
from pimsim.engine.fast import FastEngine
from pimsim.engine.reference import ReferenceEngine
from pimsim.functional.device_logits import device_run, has_experts
from pimsim.functional.generate import issued
from pimsim.functional.hub_weights import HubWeights
from pimsim.hub.folder import HubFolder
from pimsim.result.assemble import assemble
from pimsim.workload.feeding import encoder_step, feedings, step_of
from pimsim.workload.model import DecoderModel, Request
from tests.engine.agreement import differences
from tests.oracle.checkpoints import expected_of, folder_of

NAMES = (
    "gpt2", "gpt_neo", "gptj", "gpt_neox", "opt", "bloom", "mpt_untied_clip", "falcon_7b_style", "falcon_new_decoder", "gpt_bigcode",
    "llama_mha", "llama_gqa_llama3_rope", "llama_yarn", "mistral_window", "mistral_window4", "qwen2", "qwen3", "gemma", "gemma2",
    "gemma2_softcap", "gemma3_text", "phi", "phi3", "phi3_longrope", "starcoder2", "cohere", "olmo2", "granite", "mixtral", "qwen2_moe",
    "qwen3_moe_dense_mix", "deepseek_v2", "deepseek_v3", "mamba2", "bamba", "jamba", "t5", "t5_gated", "bart_scaled",
)  # fmt: skip
BOUND = 2.0  # of the logits' spread at worst, where BF16 tips the choice of an expert; typically a twentieth
MEDIAN = 0.1


@cache
def small_device() -> Device:
    """Two channels: the tiny decoders fill no more."""
    return load_hardware("pim_gpt", ["dram.channels=2", "dram.rows=2048"])


@pytest.mark.parametrize("chunk", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_device_agrees_with_the_other_library(name: str, chunk: int) -> None:
    expected, device = expected_of(name), small_device()
    spec = load_workload(folder_of(name))
    model = DecoderModel(spec.model)
    prompt, fed = len(expected.prompt), list(expected.fed)
    encoder = list(expected.encoder or ())
    request = Request(prompt, 6, 1, 1 if has_experts(model) else chunk, encoder_tokens=len(encoder))
    run = device_run(device, model, HubWeights(HubFolder(folder_of(name)), model), exact(), request)
    run.executor.least_length = len(fed)
    if encoder:
        run.feed(encoder_step(request, {0: encoder}))
    outputs = [run.feed(step_of(together, {0: fed})).logits for together in feedings(request)]
    logits = np.concatenate([found for found in outputs if len(found)])
    right = expected.logits[prompt - 1 : prompt + 5]
    error = np.abs(logits - right)
    margin = np.diff(np.sort(right, 1)[:, -2:])[:, 0]
    agrees = logits.argmax(1) == right.argmax(1)
    assert (agrees | (margin <= 2 * error.max(1))).all()
    assert error.max() <= BOUND * expected.spread
    assert np.median(error) <= MEDIAN * expected.spread
    outcome = FastEngine(device).run(iter(run.programs))
    np.testing.assert_array_equal(issued(outcome), run.executor.machine.executed)
    result = assemble(device, spec, request, run.lowering.placement, outcome, "fast", 0.0)
    assert (outcome.causes.sum(1) == outcome.dram_cycles).all()
    assert sum(outcome.critical_ps.values()) == outcome.total_ps
    executed = result.command_counts["MAC_AB"] * device.organization.banks * device.pim.mac_lanes
    assert result.macs["model"] - result.macs["asic"] + result.macs["padding"] == executed
    assert result.macs["padding"] >= 0
    assert (result.macs["asic"] > 0) == any(op.kind == "conv" for section in model.sections() for op in section.ops)


@pytest.mark.parametrize("name", ["mistral_window4", "deepseek_v3", "bamba", "t5", "qwen2_moe"])
def test_both_engines_time_new_programs_alike(name: str) -> None:
    device, model = small_device(), DecoderModel(load_workload(folder_of(name)).model)
    encoder = 5 if model.spec.encoder is not None else 0
    request = Request(4, 2, 1, 3, encoder_tokens=encoder)
    run = device_run(device, model, HubWeights(HubFolder(folder_of(name)), model), exact(), request)
    steps = [encoder_step(request)] if encoder else []
    steps += [step_of(together) for together in feedings(request)]
    programs = [run.lowering.program(step) for step in steps]
    fast, specified = FastEngine(device).run(iter(programs)), ReferenceEngine(device).run(programs)
    assert differences(fast, specified) == []
    assert energy_ledger(device, fast) == energy_ledger(device, specified)
