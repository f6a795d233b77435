"""Time of one decoding step on a real software stack: traffic at a calibrated efficiency, plus an overhead per kernel.

    device = sum over operations of max(FLOP / compute, bytes / (efficiency x bandwidth)) + kernels x gap
    host   = kernels x launch overhead                    (eager stacks on a GPU: Python issues every kernel)
    step   = max(device, host) + fixed + all-reduces      (the host runs ahead of the device within a step)

A host's single-thread speed divides what the host does. On a CPU the "gap" is the dispatch of an operation to its threads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pimsim.baselines.costs import OpCost, body_costs, encoder_costs, head_costs, layer_product_costs, step_costs
from pimsim.baselines.stacks import EAGER, MEASURED, Framework, kernel_count
from pimsim.config.baseline import Baseline
from pimsim.workload.build import ENCODER
from pimsim.workload.model import DecoderModel

# Assumed from single-thread ratings: desktop and laptop cores clock about 1.6 times as fast as those of two-socket servers.
HOST_SPEED = {"server": 1.0, "desktop": 1.6, "embedded": 0.5}
# Assumed: programs unaware of memory nodes draw little more than one socket's bandwidth from several.
SOCKET_GAIN = 1.2
# Assumed: matrix-vector products and prompt passes reach half of the dense peak.
COMPUTE_EFFICIENCY = 0.5


@dataclass(frozen=True)
class Run:
    """What is run on what: ``weight_bytes`` an element, ``devices`` GPUs or sockets, only layer products if asked."""

    baseline: Baseline
    model: DecoderModel
    framework: Framework
    weight_bytes: float
    devices: int = 1
    linear_only: bool = False
    encoder_tokens: int = 0


@dataclass(frozen=True)
class StepFeatures:
    """What the formula needs of a run at each context: arrays of shape (contexts, operations) in seconds at efficiency 1."""

    compute_s: NDArray[np.float64]
    memory_s: NDArray[np.float64]
    kernels: int
    all_reduces: int
    host_speed: float
    efficiency: tuple[str, ...]
    gap: str
    launch: str
    fixed: str
    all_reduce: str


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step and of the part in which the device computes, per context."""

    step_s: NDArray[np.float64]
    device_s: NDArray[np.float64]


def features(run: Run, contexts: NDArray[np.float64]) -> StepFeatures:
    """Traffic, arithmetic and kernel counts of ``run`` at each context length, and which parameters apply."""
    costs = layer_product_costs(run.model) if run.linear_only else step_costs(run.model, run.encoder_tokens)
    cpu = run.baseline.spec.device_class == "cpu"
    compute, memory = _roofs(run, costs, contexts)
    launch = run.framework.launch
    parallel = run.devices > 1 and not cpu
    return StepFeatures(
        compute_s=compute,
        memory_s=memory,
        kernels=kernel_count(run.framework, run.model, run.linear_only),
        all_reduces=2 * run.model.spec.layers if parallel else 0,
        host_speed=HOST_SPEED[run.baseline.spec.host],
        efficiency=_efficiency(run),
        gap=_gap(launch, cpu),
        launch="launch_us" if launch == EAGER and not cpu else "",
        fixed="" if launch == MEASURED else f"fixed_{run.framework.stack}_us",
        all_reduce=f"all_reduce_{run.framework.stack}_us" if parallel else "",
    )


def prompt_features(run: Run, tokens: int) -> StepFeatures:
    """Features of one batched pass over a prompt: arithmetic and activations of every token, weights and K/V read once.

    The LM head is counted for the last token only.
    """
    at = np.arange(1.0, tokens + 1)
    body, head = body_costs(run.model, run.encoder_tokens), head_costs(run.model)
    flop_s, _ = _roofs(run, body, at)
    moved_s = _passed_s(run, body, tokens)
    compute_s = flop_s.sum(axis=0, keepdims=True)
    if run.encoder_tokens:
        encoder, all_of = encoder_costs(run.model), np.full(run.encoder_tokens, float(run.encoder_tokens))
        compute_s = np.concatenate([compute_s, _roofs(run, encoder, all_of)[0].sum(axis=0, keepdims=True)], axis=1)
        moved_s = np.concatenate([moved_s, _passed_s(run, encoder, run.encoder_tokens)], axis=1)
    head_flop_s, head_moved_s = _roofs(run, head, at[-1:])
    of_step = features(run, at[-1:])
    once = kernel_count(run.framework, run.model, stack=ENCODER) if run.encoder_tokens else 0
    return replace(
        of_step,
        kernels=of_step.kernels + once,
        compute_s=np.concatenate([compute_s, head_flop_s], axis=1),
        memory_s=np.concatenate([moved_s, head_moved_s], axis=1),
    )


def _passed_s(run: Run, costs: list[OpCost], tokens: int) -> NDArray[np.float64]:
    """Seconds of the traffic of one pass over ``tokens`` tokens at full efficiency, shape (1, operations): what is kept moves once."""
    moved = [
        c.count
        * (c.weights_of(tokens) * run.weight_bytes + (c.state + (c.kv + c.kv_slope + c.activations) * tokens) * _kv_bytes(run))
        for c in costs
    ]
    return np.array([moved]) / (run.baseline.bytes_per_s * _speedup(run))


def step_time(features: StepFeatures, parameters: Mapping[str, float]) -> StepTime:
    """Evaluate the formula of this file with calibrated ``parameters``."""
    efficiency = math.prod(parameters[name] for name in features.efficiency)
    stream_s = np.maximum(features.compute_s / COMPUTE_EFFICIENCY, features.memory_s / efficiency).sum(axis=1)
    host_side_gap = features.gap.endswith("_cpu_us")
    gap_s = features.kernels * parameters[features.gap] * 1e-6 / (features.host_speed if host_side_gap else 1.0)
    device_s = stream_s + gap_s
    host_us = features.kernels * parameters[features.launch] if features.launch else 0.0
    fixed_us = parameters[features.fixed] if features.fixed else 0.0
    reduce_us = features.all_reduces * parameters[features.all_reduce] if features.all_reduce else 0.0
    step_s = np.maximum(device_s, host_us * 1e-6 / features.host_speed)
    return StepTime(step_s + (fixed_us / features.host_speed + reduce_us) * 1e-6, device_s)


def _efficiency(run: Run) -> tuple[str, ...]:
    """Parameters whose product is the part of peak bandwidth reached."""
    kind = "cpu" if run.baseline.spec.device_class == "cpu" else run.baseline.spec.memory.kind
    return (f"efficiency_{kind}",) if run.weight_bytes >= 2 else (f"efficiency_{kind}", "efficiency_quantised")


def _gap(launch: str, cpu: bool) -> str:
    if cpu:
        return "gap_eager_cpu_us" if launch == EAGER else "gap_native_cpu_us"
    return {EAGER: "gap_graph_us", MEASURED: "gap_measured_us"}.get(launch, f"gap_{launch}_us")


def _speedup(run: Run) -> float:
    """How many times one device's bandwidth and arithmetic the devices give together."""
    if run.baseline.spec.device_class == "cpu":
        return 1.0 if run.devices == 1 else SOCKET_GAIN
    return float(run.devices)


def _kv_bytes(run: Run) -> float:
    """Bytes of an element of K, V or activations: weights may be quantised below, these are not."""
    return 4.0 if run.weight_bytes == 4 else 2.0


def resources(run: Run) -> tuple[float, float, float]:
    """FLOP/s and bytes/s of all devices at full efficiency, and bytes of an element of K, V or activations."""
    flop_per_s = run.baseline.flop_per_s("fp32" if run.weight_bytes == 4 else "fp16")
    return flop_per_s * _speedup(run), run.baseline.bytes_per_s * _speedup(run), _kv_bytes(run)


def _roofs(run: Run, costs: list[OpCost], contexts: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds of arithmetic and of traffic at full efficiency, shape (contexts, operations)."""
    at, speedup = contexts[:, None], _speedup(run)
    count = np.array([cost.count for cost in costs])
    window = np.array([cost.window or np.inf for cost in costs])
    seen = np.minimum(at, window)
    flop = np.array([cost.flop for cost in costs]) + np.array([cost.flop_slope for cost in costs]) * seen
    stored = np.array([cost.weights for cost in costs]) * run.weight_bytes
    other = np.array([cost.kv + cost.activations + cost.state for cost in costs])
    other_slope = np.array([cost.kv_slope for cost in costs])
    moved = stored + (other + other_slope * seen) * _kv_bytes(run)
    flop_per_s = run.baseline.flop_per_s("fp32" if run.weight_bytes == 4 else "fp16")
    return count * flop / (flop_per_s * speedup), count * moved / (run.baseline.bytes_per_s * speedup)
