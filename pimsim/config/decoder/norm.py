"""Norms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.model import SpecModel, unit


class NormSpec(SpecModel):
    """A norm: ``layer`` (mean and variance), ``rms``, or ``none`` (nothing there)."""

    kind: Literal["layer", "rms", "none"] = "layer"
    epsilon: Annotated[float, Field(ge=0)] = unit("1", "added to the variance", default=1e-5)
    scale: bool = unit("1", "whether it multiplies by stored weights", default=True)
    bias: bool = unit("1", "whether it adds stored shifts (layer norm)", default=True)
    one_plus: bool = unit("1", "whether it multiplies by one plus the stored weight", default=False)

    @model_validator(mode="after")
    def _consistent(self) -> NormSpec:
        if self.one_plus and not self.scale:
            raise ValueError("one_plus needs scale: true")
        return self

    @property
    def biased(self) -> bool:
        """Whether shifts are stored."""
        return self.kind == "layer" and self.scale and self.bias
