"""The ASIC's instructions as additions and multiplications only, after PIM-GPT: Taylor exp, Newton reciprocal and rsqrt.

Operation counts are those of the algorithms in ``numerics`` (one Horner step is a multiply and an add); comparisons and
exponent manipulations count as additions.
"""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.asic.activations import activation, soft_cap
from pimsim.asic.chains import exp_chain, reciprocal_chain, rsqrt_chain, sine_chain
from pimsim.asic.work import Stage, chain, tree_depth
from pimsim.config.decoder.positions import AlibiPositions, RelativeBuckets
from pimsim.config.hardware import AsicSpec
from pimsim.workload.kinds.attention import AttentionShape
from pimsim.workload.kinds.norm import NormShape
from pimsim.workload.kinds.rope import RopeShape


def norm(shape: NormShape, rows: int, asic: AsicSpec, centred: bool) -> list[Stage]:
    """Mean (if ``centred``), mean square, inverse square root, then scale and shift, of ``rows`` vectors in groups."""
    root_adds, root_muls = rsqrt_chain(asic.rsqrt_newton_steps)
    vectors, width, elements = rows * shape.groups, shape.width // shape.groups, rows * shape.width
    tree = Stage(adds=vectors * (width - 1), add_depth=tree_depth(width))
    one = Stage(muls=vectors, mul_depth=1)
    root = Stage(vectors * root_adds, vectors * root_muls, root_adds, root_muls)
    shifts = int(shape.shifts > 0) + int(shape.one_plus)
    found = [tree, one] if centred else []
    found += [chain(int(centred), 1, elements), tree, one, Stage(vectors, 0, 1), root]
    found.append(chain(shifts, 1 + int(shape.scales > 0), elements))
    if shape.gated:
        gate = [*activation(shape.gate_activation, elements, asic), chain(0, 1, elements)]
        found = found + gate if shape.norm_before_gate else gate + found
    return found


def norm_operands(shape: NormShape, rows: int) -> int:
    """Elements that a norm holds: input, result, stored vectors, and the gate."""
    return ((3 if shape.gated else 2) * rows + int(shape.scales > 0) + int(shape.shifts > 0)) * shape.width


def attention_softmax(shape: AttentionShape, seen: Sequence[int], asic: AsicSpec) -> list[Stage]:
    """Scale, cap, bias, maximum, exp, sum, reciprocal and product, of ``heads`` vectors for each row, of ``seen`` elements."""
    heads, elements = shape.heads, shape.heads * sum(seen)
    exp_adds, exp_muls = exp_chain(asic.exp_taylor_terms)
    inverse_adds, inverse_muls = reciprocal_chain(asic.reciprocal_newton_steps)
    extra = int(shape.sinks)
    reduction = Stage(adds=heads * sum(tokens - 1 + extra for tokens in seen), add_depth=tree_depth(max(seen) + extra))
    found = [chain(0, 1, elements)] if shape.scale != 1.0 else []
    found += soft_cap(elements, asic) if shape.soft_cap else []
    found += _position_bias(shape, seen)
    found += [reduction, chain(1 + exp_adds, exp_muls, elements + extra * heads * len(seen)), reduction]
    return [*found, chain(inverse_adds, inverse_muls, heads * len(seen)), chain(0, 1, elements)]


def _position_bias(shape: AttentionShape, seen: Sequence[int]) -> list[Stage]:
    """ALiBi: slope times distance, added. Buckets: a binary search for each distance, then an addition for each head."""
    elements = shape.heads * sum(seen)
    if isinstance(shape.bias, AlibiPositions):
        return [chain(1, 1, elements)]
    if isinstance(shape.bias, RelativeBuckets):
        return [chain(tree_depth(shape.bias.buckets), 0, sum(seen)), chain(1, 0, elements)]
    return []


def rotation(shape: RopeShape, rows: int, asic: AsicSpec) -> list[Stage]:
    """Angles (position times a fraction of a turn, range reduction), their sine and cosine, then every pair turned.

    A factor on sine and cosine (attention factor of a scaling) is one more product of each.
    """
    pairs = rows * shape.rotated // 2
    sine_adds, sine_muls = sine_chain(asic.rotary_taylor_terms)
    factor = int(getattr(shape.positions.scaling, "attention_factor", 1.0) != 1.0)
    angles = chain(2, 2, pairs)
    return [angles, chain(sine_adds, sine_muls + factor, 2 * pairs), chain(1, 2, rows * shape.heads * shape.rotated)]


def accumulate(width: int, parts: int, bias: bool) -> list[Stage]:
    """Sum ``parts`` partial results, and a bias, for each of ``width`` outputs."""
    adds = parts - 1 + int(bias)
    return [chain(adds, 0, width)] if adds else []


def add_vectors(width: int) -> list[Stage]:
    """Element-wise sum of two vectors."""
    return [chain(1, 0, width)]


def sum_of(terms: int, width: int, scaled: bool) -> list[Stage]:
    """Element-wise sum of several vectors, all but one multiplied by a constant first if ``scaled``."""
    return [chain(terms - 1, (terms - 1) * int(scaled), width)]


def scale(width: int) -> list[Stage]:
    """Every element times a constant."""
    return [chain(0, 1, width)]


def clip(width: int) -> list[Stage]:
    """Every element compared with two bounds."""
    return [chain(2, 0, width)]


def select_largest(width: int, rows: int = 1) -> list[Stage]:
    """Index of the largest of ``width`` values of each row, by comparisons in a tree."""
    return [Stage(adds=rows * (width - 1), add_depth=tree_depth(width))]
