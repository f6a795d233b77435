"""PIM-GPT's mapping, but of several vectors: a row is kept open for all of them, the global buffer being rewritten for each.

Fewer activations, more broadcasts: it wins where opening a row takes longer than sending a vector.
"""

from __future__ import annotations

from pimsim.mapping.policies.pim_gpt import keys, matrix, values

ROW_OPEN = True

__all__ = ["ROW_OPEN", "keys", "matrix", "values"]
