"""BF16 as raw uint16 words and as float32 values."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
WordArray = NDArray[np.uint16]


def to_words(values: FloatArray) -> WordArray:
    """``values`` rounded to the nearest BF16 (ties to even), as uint16."""
    return np.asarray(values, np.float32).astype(ml_dtypes.bfloat16).view(np.uint16)


def from_words(words: WordArray) -> FloatArray:
    """The float32 values of BF16 ``words``."""
    return (words.astype(np.uint32) << np.uint32(16)).view(np.float32)


def rounded(values: FloatArray) -> FloatArray:
    """``values`` rounded to BF16, as float32."""
    return from_words(to_words(values))
