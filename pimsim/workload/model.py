"""A model put together from its description: sections of operations, stored tensors, what is kept of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.short_forms import ModelSpec
from pimsim.config.workload import WorkloadSpec
from pimsim.errors import RequestError
from pimsim.workload.build import DECODER, Stack, build_decoder
from pimsim.workload.graph import GraphSection
from pimsim.workload.ops import Cache, Tensor
from pimsim.workload.unrolled import UnrolledOp, unrolled

BYTES_PER_ELEMENT = 2  # BF16


@dataclass(frozen=True, init=False)
class DecoderModel:
    """A description with its graph. A short form is written out into parts."""

    spec: DecoderSpec

    def __init__(self, spec: DecoderSpec | ModelSpec) -> None:
        object.__setattr__(self, "spec", spec.parts() if isinstance(spec, ModelSpec) else spec)

    @cached_property
    def _built(self) -> dict[str, Stack]:
        return build_decoder(self.spec)

    def sections(self, stack: str = DECODER) -> tuple[GraphSection, ...]:
        """Sections of a step, in order: runs of equal layers, with what comes before and after them."""
        return self._built[stack].sections

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every stored parameter tensor, by full name."""
        return tuple(tensor for stack in self._built.values() for tensor in stack.tensors)

    @cached_property
    def caches(self) -> tuple[Cache, ...]:
        """What is kept of each sequence, layer by layer, by full name."""
        return tuple(cache for stack in self._built.values() for cache in stack.caches)

    @property
    def parameters(self) -> int:
        """Number of stored parameters."""
        return sum(tensor.elements for tensor in self.tensors if tensor.counted)

    def step(self, context: int, with_head: bool = True) -> list[UnrolledOp]:
        """Operations of the token at position ``context - 1``, layer after layer."""
        return unrolled(self.sections(), context, with_head)


@dataclass(frozen=True)
class Request:
    """Tokens in the prompt and tokens to generate. The last generated token is not fed back."""

    prompt_tokens: int
    generate_tokens: int

    @property
    def steps(self) -> int:
        """Decoding steps: one for each token that is fed in."""
        return self.prompt_tokens + self.generate_tokens - 1

    def has_head(self, step: int) -> bool:
        """True if step ``step`` (from 0) selects a token: the last prompt token and all after it."""
        return step >= self.prompt_tokens - 1


def make_request(workload: WorkloadSpec, tokens: int | None = None, prompt: int | None = None) -> Request:
    """The workload's request with other numbers put in. Raises RequestError if it is empty or exceeds the context."""
    request = Request(
        workload.request.prompt_tokens if prompt is None else prompt,
        workload.request.generate_tokens if tokens is None else tokens,
    )
    for what, value in (("tokens to generate", request.generate_tokens), ("prompt tokens", request.prompt_tokens)):
        if value < 1:
            raise RequestError(f"{workload.name}: {value} {what}: must be at least 1")
    if request.steps > workload.model.max_context:
        raise RequestError(
            f"{workload.name}: {request.prompt_tokens} prompt + {request.generate_tokens} generated tokens need a context of "
            f"{request.steps} tokens; K and V space is reserved for {workload.model.max_context} "
            f"(model.max_context; --set workload.model.max_context={request.steps} reserves more)"
        )
    return request
