"""Common ground of the schemas: strict frozen models, units on fields, constants with a low, nominal and high value."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Source = Annotated[str, Field(min_length=3, description="where the values come from, or 'assumed: why'")]


class SpecModel(BaseModel):
    """A frozen group of a YAML file: unknown keys and silent type conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Band(SpecModel):
    """A constant that is not exactly known: low <= nominal <= high. A single number stands for all three."""

    low: float
    nominal: float
    high: float

    @model_validator(mode="before")
    @classmethod
    def _single_number(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"low": float(value), "nominal": float(value), "high": float(value)}
        if isinstance(value, dict):
            return {key: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for key, v in value.items()}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        if not self.low <= self.nominal <= self.high:
            raise ValueError(f"low {self.low:g} <= nominal {self.nominal:g} <= high {self.high:g} does not hold")
        return self

    def as_tuple(self) -> tuple[float, float, float]:
        """(low, nominal, high)."""
        return self.low, self.nominal, self.high


class NonNegativeBand(Band):
    """A band whose low value is not negative."""

    @model_validator(mode="after")
    def _not_negative(self) -> NonNegativeBand:
        if self.low < 0:
            raise ValueError(f"low {self.low:g} is negative")
        return self


def unit(name: str, text: str, **limits: Any) -> Any:
    """A field with a unit and a meaning; limits are pydantic's (gt, ge, le ...)."""
    return Field(description=f"{text} [{name}]", json_schema_extra={"unit": name}, **limits)
