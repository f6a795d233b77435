"""Array types of the float64 models."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float64 values; large models keep their matrices in float32, which widens in every product
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
