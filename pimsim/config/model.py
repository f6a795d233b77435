"""Common ground of the schemas: strict frozen models, units on fields, constants with a low, nominal and high value."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MIN_SOURCE = 3


def _says_something(text: str) -> str:
    if len(text.strip()) < MIN_SOURCE:
        raise ValueError(f"a source has at least {MIN_SOURCE} characters: where the value comes from, or 'assumed: why'")
    return text


Source = Annotated[
    str,
    Field(min_length=MIN_SOURCE, description="where the values come from, or 'assumed: why'"),
    AfterValidator(_says_something),
]
# Names become names of files, cells and words on a terminal.
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"
Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern=NAME_PATTERN, description="name: letters, digits, '.', '_' and '-'")
]
BAND_LIMIT = 1e12


class SpecModel(BaseModel):
    """A frozen group of a YAML file: unknown keys and silent type conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Band(SpecModel):
    """A constant that is not exactly known: low <= nominal <= high. A single number stands for all three."""

    low: Annotated[float, Field(ge=-BAND_LIMIT, le=BAND_LIMIT)]
    nominal: Annotated[float, Field(ge=-BAND_LIMIT, le=BAND_LIMIT)]
    high: Annotated[float, Field(ge=-BAND_LIMIT, le=BAND_LIMIT)]

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


class Fraction(NonNegativeBand):
    """A band of parts of a whole: 0 <= low, high <= 1."""

    @model_validator(mode="after")
    def _at_most_one(self) -> Fraction:
        if self.high > 1:
            raise ValueError(f"{self.low:g} .. {self.high:g} must lie in 0 .. 1: it is a part of a whole")
        return self


def unit(name: str, text: str, **limits: Any) -> Any:
    """A field with a unit and a meaning; limits are pydantic's (gt, ge, le ...)."""
    return Field(description=f"{text} [{name}]", json_schema_extra={"unit": name}, **limits)
