"""Every kind of operation has a lowering and numerics, found by its name; what lacks one is refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pimsim.config.load import load_workload
from pimsim.errors import MappingError
from pimsim.functional import kinds as numerics
from pimsim.program import kinds as lowerings
from pimsim.workload.kinds import OP_KINDS
from pimsim.workload.model import DecoderModel


def lacking() -> dict[str, list[str]]:
    """For every kind what it lacks."""
    packages = {"lowering": lowerings.kinds(), "numerics": numerics.kinds()}
    found = {kind: [what for what, names in packages.items() if kind not in names] for kind in OP_KINDS}
    return {kind: missing for kind, missing in found.items() if missing}


def test_no_kind_lacks_anything() -> None:
    assert lacking() == {}


def test_no_file_stands_for_a_kind_that_is_not_declared() -> None:
    assert set(lowerings.kinds()) <= set(OP_KINDS)
    assert set(numerics.kinds()) <= set(OP_KINDS)


def test_an_operation_without_a_lowering_is_refused_by_name() -> None:
    (op, *_) = DecoderModel(load_workload("tiny").model).sections()[0].ops
    with pytest.raises(MappingError, match=r"embedding: operation 'wish' cannot be lowered to PIM; known: .*softmax"):
        lowerings.lowering_of(replace(op, kind="wish"))
