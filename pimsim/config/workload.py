"""Schema of a workload file: a model and the default request."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.model import Source, SpecModel, unit
from pimsim.config.short_forms import ModelSpec


class RequestSpec(SpecModel):
    """Default request: tokens in the prompt and tokens to generate."""

    prompt_tokens: Annotated[int, Field(ge=1)] = unit("tokens", "tokens in the prompt", default=1)
    generate_tokens: Annotated[int, Field(ge=1)] = unit("tokens", "tokens to generate", default=1024)
    encoder_tokens: Annotated[int, Field(ge=0, le=1 << 24)] = unit("tokens", "input of an encoder, if there is one", default=0)
    source: Source


class WorkloadForm(SpecModel):
    """What every spelling of a workload holds beside its model."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
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
