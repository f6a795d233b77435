"""Software stacks and frameworks: how many kernels each launches for a decoder graph, and how it launches them.

Kernel counts are assumed from the frameworks' published model code: what each fuses. A stack groups frameworks that are
judged together; the launch mode says which calibrated overheads apply:

* ``eager``: the host issues every kernel from Python and can be slower than the device.
* ``stream``: a compiled program issues kernels one after another; each pays a gap on the device.
* ``graph``: a recorded sequence of kernels is replayed; a smaller gap.
* ``measured``: kernels timed one by one and added up; no host at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pimsim.baselines.costs import LINEAR, PRODUCTS
from pimsim.errors import ConfigError, nearest
from pimsim.workload.build import DECODER
from pimsim.workload.kinds import OP_KINDS
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import Op

EAGER, STREAM, GRAPH, MEASURED = "eager", "stream", "graph", "measured"


@dataclass(frozen=True)
class Framework:
    """What a framework launches. ``kernels`` by operation kind, or by its function; ``riders`` are labels computed inside another's kernel.

    ``bias_kernel``: a product's bias is a kernel of its own.
    """

    name: str
    stack: str
    launch: str
    kernels: Mapping[str, int]
    riders: frozenset[str] = frozenset()
    bias_kernel: bool = False


def _framework(name: str, stack: str, launch: str, kernels: str, riders: str = "", bias_kernel: bool = False) -> Framework:
    counts = dict.fromkeys(OP_KINDS, 1) | {kind: int(n) for kind, n in (item.split("=") for item in kernels.split())}
    return Framework(name, stack, launch, counts, frozenset(riders.split()), bias_kernel)


FRAMEWORKS = {
    f.name: f
    for f in (
        # RMSNorm in 16 bit: two casts, square, mean, add, rsqrt, two products. RoPE: product, negate, join, product, add.
        _framework(
            "transformers",
            "eager",
            EAGER,
            "embedding=3 rms_norm=8 rope=5 softmax=2 context=2 gelu=8 gated_activation=2 select=12",
        ),
        _framework("pytorch", "eager", EAGER, "embedding=3 rms_norm=6 rope=4 softmax=0 gated_activation=2 select=8"),
        _framework("torch_compile", "compiled", GRAPH, "kv_write=0 residual=0 select=3", riders="k v"),
        _framework("tinygrad", "compiled", GRAPH, "embedding=2 layer_norm=3 rms_norm=2 softmax=3 residual=0 select=4"),
        _framework(
            "faster_transformer", "fused", STREAM, "rope=0 kv_write=0 softmax=0 context=0 select=8", riders="k v residual1"
        ),
        _framework("vllm", "fused", STREAM, "softmax=0 context=0 residual=0 select=10", riders="k v up rope_k v_write"),
        _framework("tensorrt_llm", "fused", GRAPH, "rope=0 kv_write=0 softmax=0 context=0 residual=0 select=8", riders="k v up"),
        _framework("llama_cpp", "fused", GRAPH, "embedding=2 layer_norm=2 rms_norm=2 context=2", bias_kernel=True),
        _framework("kernel_sum", "kernels", MEASURED, "softmax=0 context=0 residual=0", riders="k v up rope_k v_write"),
    )
}

# The framework that stands for a stack where only the stack is named.
STACKS = {"eager": "transformers", "compiled": "torch_compile", "fused": "vllm", "kernels": "kernel_sum"}


def framework_of(stack: str) -> Framework:
    """Framework for the name of a stack or of a framework. Raises ConfigError naming the nearest."""
    if stack in STACKS:
        return FRAMEWORKS[STACKS[stack]]
    if stack in FRAMEWORKS:
        return FRAMEWORKS[stack]
    allowed = [*STACKS, *FRAMEWORKS]
    raise ConfigError(f"unknown software stack '{stack}'{nearest(stack, allowed)}; allowed: {', '.join(allowed)}")


def kernels_of(framework: Framework, op: Op) -> int:
    """Kernels that ``framework`` launches for one operation."""
    if op.label in framework.riders:
        return 0
    named = (op.kind, getattr(op.shape, "function", "")) if op.kind == "activation" else (op.kind,)
    counts = [framework.kernels[name] for name in named if name in framework.kernels]
    if not counts:
        raise ConfigError(f"operation kind '{op.kind}' has no kernel count in framework {framework.name}")
    return counts[-1] + (1 if framework.bias_kernel and op.kind == LINEAR and op.shape.bias else 0)


def kernel_count(framework: Framework, model: DecoderModel, linear_only: bool = False, stack: str = DECODER) -> int:
    """Kernels of one decoding step; ``linear_only`` counts the matrix products of the layers alone."""
    return sum(
        section.times * kernels_of(framework, op)
        for section in model.sections(stack)
        for op in section.ops
        if not linear_only or (section.layers and op.kind in PRODUCTS)
    )
