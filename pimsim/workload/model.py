"""A model put together from its description: sections of operations, stored tensors, what is kept of a sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.short_forms import ModelSpec
from pimsim.config.workload import MAX_BATCH, PromptLengths, WorkloadSpec
from pimsim.errors import RequestError
from pimsim.workload.build import DECODER, Stack, build_decoder
from pimsim.workload.choices import ExpertChoices
from pimsim.workload.graph import GraphSection
from pimsim.workload.ops import Cache, Tensor

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

    def caches_of(self, stack: str) -> tuple[Cache, ...]:
        """What the layers of one stack keep; cross-attention's are the decoder's."""
        return tuple(self._built[stack].caches)

    @property
    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks: the decoder, and an encoder if there is one."""
        return tuple(self._built)

    @property
    def parameters(self) -> int:
        """Number of stored parameters."""
        return sum(tensor.elements for tensor in self.tensors if tensor.counted)


@dataclass(frozen=True)
class Request:
    """Tokens in the prompt and tokens to generate, of each of ``batch`` sequences. The last generated token is not fed back.

    ``prefill_chunk``: prompt tokens of a sequence fed in one step. ``prompts``: each sequence's prompt where they differ,
    ``prompt_tokens`` being the longest. ``encoder_tokens``: input of the encoder, if there is one.
    ``experts``: which experts rows choose.
    """

    prompt_tokens: int
    generate_tokens: int
    batch: int = 1
    prefill_chunk: int = 1
    prompts: tuple[int, ...] = ()
    encoder_tokens: int = 0
    experts: ExpertChoices = field(default_factory=ExpertChoices)

    @property
    def steps(self) -> int:
        """Tokens fed of the longest sequence: decoding steps, where a step feeds one of them."""
        return self.prompt_tokens + self.generate_tokens - 1

    @property
    def prompt_lengths(self) -> tuple[int, ...]:
        """Tokens in the prompt of each sequence."""
        return self.prompts or (self.prompt_tokens,) * self.batch

    @property
    def rows_at_once(self) -> int:
        """Most tokens of one sequence that a step feeds."""
        return min(self.prefill_chunk, self.prompt_tokens)

    def has_head(self, step: int) -> bool:
        """True if step ``step`` (from 0) selects a token where steps feed one: the last prompt token and all after it."""
        return step >= self.prompt_tokens - 1


def make_request(
    workload: WorkloadSpec, tokens: int | None = None, prompt: int | None = None, batch: int | None = None,
    prefill_chunk: int | None = None,
) -> Request:  # fmt: skip
    """The workload's request with other numbers put in. Raises RequestError if it is empty or exceeds the context."""
    given = workload.request
    prompts = _prompts(workload, prompt, batch)
    request = Request(
        max(prompts),
        given.generate_tokens if tokens is None else tokens,
        len(prompts),
        given.prefill_chunk if prefill_chunk is None else prefill_chunk,
        () if len(set(prompts)) == 1 else prompts,
        given.encoder_tokens,
        ExpertChoices(**given.experts.model_dump()),
    )
    for what, value in (
        ("tokens to generate", request.generate_tokens), ("prompt tokens", min(prompts)), ("tokens in a chunk", request.prefill_chunk),
    ):  # fmt: skip
        if value < 1:
            raise RequestError(f"{workload.name}: {value} {what}: must be at least 1")
    if request.steps > workload.model.max_context:
        raise RequestError(
            f"{workload.name}: {request.prompt_tokens} prompt + {request.generate_tokens} generated tokens need a context of "
            f"{request.steps} tokens; K and V space is reserved for {workload.model.max_context} "
            f"(model.max_context; --set workload.model.max_context={request.steps} reserves more)"
        )
    return request


def _prompts(workload: WorkloadSpec, prompt: int | None, batch: int | None) -> tuple[int, ...]:
    """Prompt length of each sequence."""
    lengths = workload.request.prompt_tokens if prompt is None else prompt
    count = batch if batch is not None else workload.request.batch
    if not 1 <= count <= MAX_BATCH:
        raise RequestError(f"{workload.name}: a batch of {count} sequences: must be from 1 to {MAX_BATCH}")
    if isinstance(lengths, int):
        return (lengths,) * count
    if isinstance(lengths, PromptLengths):
        return lengths.drawn(count)
    if not lengths or (len(lengths) != count and (batch is not None or workload.request.batch != 1)):
        raise RequestError(f"{workload.name}: request.prompt_tokens lists {len(lengths)} prompts for a batch of {count}")
    return tuple(lengths)
