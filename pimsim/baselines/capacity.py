"""Whether a model and its K/V fit into a device's memory."""

from __future__ import annotations

import math

from pimsim.config.baseline import Baseline
from pimsim.errors import CapacityError
from pimsim.units import BYTES_PER_GB
from pimsim.workload.build import DECODER
from pimsim.workload.model import DecoderModel, Request


def needed_bytes(model: DecoderModel, request: Request, weight_bytes: float, kv_bytes: float) -> float:
    """Bytes of all parameters and of the K, V and state of a request, for the given bytes an element."""
    own = {cache.name for stack in model.stacks if stack != DECODER for cache in model.caches_of(stack)}
    kept = 0
    for cache in model.caches:
        tokens = request.encoder_tokens if cache.of_encoder or cache.name in own else request.steps
        kept += 0 if cache.copy else cache.elements_a_position * min(cache.positions, tokens if cache.use != "state" else 1)
    return model.parameters * weight_bytes + kept * kv_bytes


def check_capacity(
    baseline: Baseline, model: DecoderModel, request: Request, weight_bytes: float, kv_bytes: float, devices: int = 1
) -> None:
    """Raise CapacityError if ``devices`` devices cannot hold weights, K and V."""
    needed = needed_bytes(model, request, weight_bytes, kv_bytes) / BYTES_PER_GB
    held = baseline.spec.memory.capacity_gb
    if needed > held * devices:
        raise CapacityError(
            f"the model needs {needed:.1f} GB with {weight_bytes:g} B a weight and K/V of {request.steps} tokens; "
            f"{devices} x {baseline.name} hold{'s' if devices == 1 else ''} {held * devices:g} GB "
            f"(memory.capacity_gb): {math.ceil(needed / held)} devices or fewer bytes a weight would hold it"
        )
