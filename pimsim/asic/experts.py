"""What the ASIC does for mixtures of experts: scores of a router, the choice of the best, the weighted sum of their outputs."""

from __future__ import annotations

from pimsim.asic.activations import activation
from pimsim.asic.chains import exp_chain, reciprocal_chain
from pimsim.asic.work import Stage, chain, tree_depth
from pimsim.config.hardware import AsicSpec
from pimsim.workload.kinds.experts import CombineShape, RouteShape


def route(shape: RouteShape, rows: int, asic: AsicSpec) -> list[Stage]:
    """Scores by softmax or sigmoid, groups by their best, then one comparison tree for each expert chosen, and the weights."""
    router, elements = shape.router, rows * shape.experts
    inverse_adds, inverse_muls = reciprocal_chain(asic.reciprocal_newton_steps)
    tree = Stage(adds=rows * (shape.experts - 1), add_depth=tree_depth(shape.experts))
    chosen = [tree] * shape.chosen
    if router.correction:
        chosen = [chain(1, 0, elements), *chosen]
    if router.groups > 1:
        best = 2 if router.group_score == "sum_of_two_best" else 1
        groups = Stage(adds=rows * (router.groups - 1), add_depth=tree_depth(router.groups))
        chosen = [tree] * best + [groups] * router.chosen_groups + chosen
    scaled = chain(0, int(router.renormalise) + int(router.scale != 1.0), rows * shape.chosen)
    if router.renormalise:
        total = Stage(adds=rows * (shape.chosen - 1), add_depth=tree_depth(shape.chosen))
        chosen = [*chosen, total, chain(inverse_adds, inverse_muls, rows)]
    if router.scores == "sigmoid":
        return [*activation("sigmoid", elements, asic), *chosen, scaled]
    softmax = _softmax(rows, shape.chosen if router.scores == "softmax_of_chosen" else shape.experts, asic)
    return [*chosen, *softmax, scaled] if router.scores == "softmax_of_chosen" else [*softmax, *chosen, scaled]


def _softmax(rows: int, width: int, asic: AsicSpec) -> list[Stage]:
    exp_adds, exp_muls = exp_chain(asic.exp_taylor_terms)
    tree = Stage(adds=rows * (width - 1), add_depth=tree_depth(width))
    inverse = chain(*reciprocal_chain(asic.reciprocal_newton_steps), rows)
    return [tree, chain(1 + exp_adds, exp_muls, rows * width), tree, inverse, chain(0, 1, rows * width)]


def combine(shape: CombineShape, rows: int, asic: AsicSpec) -> list[Stage]:
    """Every expert's output times its weight, summed; shared experts' output added, times the sigmoid of its gate if it has one."""
    found = [chain(shape.chosen - 1, shape.chosen, rows * shape.width)]
    if shape.shared_gate:
        found += [*activation("sigmoid", rows, asic), chain(0, 1, rows * shape.width)]
    return [*found, chain(1, 0, rows * shape.width)] if shape.shared else found
