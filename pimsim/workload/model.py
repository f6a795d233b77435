"""A decoder-only model: its stored tensors, and the operations of each decoding step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pimsim.config.workload import ModelSpec, WorkloadSpec
from pimsim.errors import ConfigError, RequestError
from pimsim.workload.families import FAMILIES
from pimsim.workload.ops import Op, Tensor

BYTES_PER_ELEMENT = 2  # BF16


@dataclass(frozen=True)
class DecoderModel:
    """A model description with its graph."""

    spec: ModelSpec

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every stored parameter tensor."""
        return tuple(self._family.tensors(self.spec))

    @property
    def parameters(self) -> int:
        """Number of stored parameters."""
        return sum(tensor.elements for tensor in self.tensors)

    def step(self, context: int, with_head: bool = True) -> list[Op]:
        """Operations of the token at position ``context - 1``."""
        return self._family.decoder_step(self.spec, context, with_head)

    @property
    def _family(self):  # type: ignore[no-untyped-def]
        if self.spec.family not in FAMILIES:
            raise ConfigError(f"model.family '{self.spec.family}' is not one of: {', '.join(FAMILIES)}")
        return FAMILIES[self.spec.family]


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
