"""Compiled core: tuples of arrays without ownership.

A compiled function counts references to every array of every tuple it is handed, with atomic additions that take most
of a small kernel's time. Arrays that own nothing are not counted: an outermost kernel trades its arguments for unowned
ones, while its caller keeps the originals alive until it returns.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic, overload


def unowned(arrays: Any) -> Any:
    """``arrays`` (a NamedTuple of arrays and numbers) as views that own nothing and must not outlive it; uncompiled, as it is."""
    return arrays


@intrinsic
def _without_owner(_, arrays):  # type: ignore[no-untyped-def]
    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        value = args[0]
        for index, kind in enumerate(signature.args[0].types):
            if not isinstance(kind, types.Array):
                continue
            array = context.make_array(kind)(context, builder, builder.extract_value(value, index))
            array.meminfo = cgutils.get_null_value(array.meminfo.type)
            array.parent = cgutils.get_null_value(array.parent.type)
            value = builder.insert_value(value, array._getvalue(), index)
        return value

    return arrays(arrays), codegen


@overload(unowned)
def _unowned(arrays):  # type: ignore[no-untyped-def]
    return lambda arrays: _without_owner(arrays)  # type: ignore[call-arg]
