"""Schema of a workload file: a model and the default request."""

from __future__ import annotations

import random
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.model import Name, Source, SpecModel, unit
from pimsim.config.short_forms import ModelSpec

Tokens = Annotated[int, Field(ge=1)]
MAX_BATCH = 4096


class PromptLengths(SpecModel):
    """Prompt lengths drawn evenly from ``shortest`` to ``longest``, the same for the same seed."""

    shortest: Tokens = unit("tokens", "shortest prompt")
    longest: Tokens = unit("tokens", "longest prompt")
    seed: Annotated[int, Field(ge=0)] = unit("1", "seed of the draw", default=0)

    @model_validator(mode="after")
    def _ordered(self) -> PromptLengths:
        if self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest} is more than longest {self.longest}")
        return self

    def drawn(self, count: int) -> tuple[int, ...]:
        """``count`` lengths."""
        generator = random.Random(self.seed)
        return tuple(generator.randint(self.shortest, self.longest) for _ in range(count))


class ExpertsSpec(SpecModel):
    """Which experts rows choose where no numbers say it; it matters where several rows of a step share them."""

    distribution: Literal["uniform", "zipf"] = unit("1", "how often experts are chosen", default="uniform")
    exponent: Annotated[float, Field(gt=0, le=10)] = unit("1", "of Zipf's law", default=1.0)
    seed: Annotated[int, Field(ge=0)] = unit("1", "seed of the draw", default=0)
    file: str | None = unit("1", "instead, a file with the experts of one row of one layer a line, taken in turn", default=None)


class RequestSpec(SpecModel):
    """Default request: sequences in a batch, tokens in the prompt and tokens to generate."""

    prompt_tokens: Tokens | list[Tokens] | PromptLengths = unit(
        "tokens", "tokens in the prompt; a list gives each sequence's, a distribution draws them", default=1
    )
    batch: Annotated[int, Field(ge=1, le=MAX_BATCH)] = unit("sequences", "sequences decoded together", default=1)
    experts: ExpertsSpec = ExpertsSpec()
    prefill_chunk: Tokens = unit("tokens", "prompt tokens of a sequence that are fed in one step", default=32)
    generate_tokens: Annotated[int, Field(ge=1)] = unit("tokens", "tokens to generate", default=1024)
    encoder_tokens: Annotated[int, Field(ge=0, le=1 << 24)] = unit("tokens", "input of an encoder, if there is one", default=0)
    source: Source


class WorkloadForm(SpecModel):
    """What every spelling of a workload holds beside its model."""

    name: Name
    description: str = ""
    source: Source
    labels: list[str] = unit("1", "further names under which measurements list it", default_factory=list)
    request: RequestSpec


class WorkloadSpec(WorkloadForm):
    """A validated workload description. ``labels`` are further names under which measurements list the model."""

    model: DecoderSpec


class ShortWorkloadSpec(WorkloadForm):
    """A workload whose model is a short form."""

    model: ModelSpec


class WrittenWorkload(WorkloadForm):
    """A workload in either spelling, as files hold it."""

    model: ModelSpec | DecoderSpec
