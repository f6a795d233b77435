"""How a model knows where a token stands: learned rows, rotation of queries and keys, slopes on scores, relative buckets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pimsim.config.model import SpecModel, unit

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1, le=1 << 24)]


class NoPositions(SpecModel):
    """Nothing tells positions apart but the order of attention or state."""

    kind: Literal["none"] = "none"


class LearnedPositions(SpecModel):
    """A stored vector for each position, added to the embedding. Token ``p`` takes row ``p + offset``."""

    kind: Literal["learned"] = "learned"
    rows: Count | None = unit("rows", "stored rows; max_context + offset if not given", default=None)
    offset: Annotated[int, Field(ge=0, le=1024)] = unit("rows", "rows before that of the first token", default=0)


class LinearScaling(SpecModel):
    """Every rotation frequency divided by ``factor``."""

    kind: Literal["linear"] = "linear"
    factor: Positive = unit("1", "divisor of the frequencies")


class Llama3Scaling(SpecModel):
    """Long wavelengths divided by ``factor``, short ones left, a blend between."""

    kind: Literal["llama3"] = "llama3"
    factor: Positive = unit("1", "divisor of the lowest frequencies")
    low_freq_factor: Positive = unit("1", "wavelengths above original_context over this are divided")
    high_freq_factor: Positive = unit("1", "wavelengths below original_context over this are left")
    original_context: Count = unit("tokens", "context of the training before")


class YarnScaling(SpecModel):
    """YaRN: a ramp over the dimensions between divided and original frequencies, and a factor on cosine and sine."""

    kind: Literal["yarn"] = "yarn"
    factor: Positive = unit("1", "divisor of the lowest frequencies")
    original_context: Count = unit("tokens", "context of the training before")
    beta_fast: Positive = unit(
        "rotations", "dimensions that turn more often in the original context keep their frequency", default=32.0
    )
    beta_slow: Positive = unit("rotations", "dimensions that turn less often are divided", default=1.0)
    attention_factor: Positive = unit("1", "multiplies cosine and sine")
    truncate: bool = unit("1", "whether the ramp's ends are rounded to whole dimensions", default=True)


class LongRopeScaling(SpecModel):
    """A divisor for each dimension: the short list up to ``original_context`` tokens, the long one beyond."""

    kind: Literal["longrope"] = "longrope"
    short_factor: tuple[Positive, ...] = unit("1", "divisors of the frequencies in short sequences", strict=False)
    long_factor: tuple[Positive, ...] = unit("1", "divisors of the frequencies in long sequences", strict=False)
    original_context: Count = unit("tokens", "longest sequence that takes the short list")
    attention_factor: Positive = unit("1", "multiplies cosine and sine")


class DynamicScaling(SpecModel):
    """A base that grows once the sequence is longer than ``original_context``; the base itself before that."""

    kind: Literal["dynamic"] = "dynamic"
    factor: Positive = unit("1", "growth of the base")
    original_context: Count = unit("tokens", "longest sequence that keeps the base")


Scaling = Annotated[LinearScaling | Llama3Scaling | YarnScaling | LongRopeScaling | DynamicScaling, Field(discriminator="kind")]


class RotaryPositions(SpecModel):
    """Rotation of pairs of elements of queries and keys by angles that grow with the position."""

    kind: Literal["rotary"] = "rotary"
    theta: Positive = unit("1", "base of the rotation frequencies", default=10000.0)
    width: Annotated[int, Field(ge=2, le=1 << 16, multiple_of=2)] | None = unit(
        "elements", "elements of a head that rotate, from its first; the whole head if not given", default=None
    )
    interleaved: bool = unit("1", "pairs are neighbours (true) or the halves' equal places (false)", default=False)
    scaling: Scaling | None = unit("1", "stretch of the frequencies for longer contexts", default=None)


class AlibiPositions(SpecModel):
    """A slope for each head, times the distance, subtracted from the scores."""

    kind: Literal["alibi"] = "alibi"
    slopes: Literal["interleaved_from_below", "odd_first_from_above"] = unit(
        "1", "slopes of head counts that are no power of two: those of the power below and then every other one of twice "
        "that, or those of the power above, odd-numbered first, cut", default="interleaved_from_below",
    )  # fmt: skip
    bias_max: Positive = unit("1", "exponent of the smallest slope", default=8.0)
    before_scale: bool = unit("1", "whether it is added before scores are scaled", default=False)
    bf16_slopes: bool = unit("1", "whether slopes are rounded to BF16", default=False)


class RelativeBuckets(SpecModel):
    """A learned number for each head and bucket of distances, added to the scores; all layers share the table."""

    kind: Literal["relative_buckets"] = "relative_buckets"
    buckets: Annotated[int, Field(ge=2, le=65536)] = unit("buckets", "rows of the table", default=32)
    max_distance: Count = unit("tokens", "distances from here on share the last bucket", default=128)


Positions = Annotated[
    NoPositions | LearnedPositions | RotaryPositions | AlibiPositions | RelativeBuckets, Field(discriminator="kind")
]
