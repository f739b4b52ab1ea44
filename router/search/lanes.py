"""Sixteen metrics side by side, taken through a triangle in a few vector instructions.

The same as a loop over whole rows, which the compiler vectorises only with a test in front whether the rows overlap:
without it, and with no row's length to ask for, a sweep over all triangles takes two thirds of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.cgutils import create_struct_proxy
from numba.core.typing.context import BaseContext as TypingContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES: Final = 16
"""How many metrics lie side by side."""

Rows = NDArray[np.int32]
"""int32[k, 2, LANES], laid out row by row: what each link costs upwards, and what it costs downwards, by metric."""

_VECTOR: Final = ir.VectorType(ir.IntType(32), LANES)
_UP, _DOWN = 0, 1
_ALIGNED_TO: Final = 4


def _through(
    _context: TypingContext, rows: types.Type, _yz: types.Type, _xy: types.Type, _xz: types.Type
) -> tuple[Signature, Callable[..., ir.Value]]:
    """What numba asks of an intrinsic: the types that it takes, and what writes its instructions."""
    return types.void(rows, types.uint64, types.uint64, types.uint64), _instructions


def _instructions(
    context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]
) -> ir.Value:
    rows, yz, xy, xz = arguments
    data = create_struct_proxy(signature.args[0])(context, builder, value=rows).data  # type: ignore[no-untyped-call] # numba's
    vectors = builder.bitcast(data, _VECTOR.as_pointer())

    def cost(link: ir.Value, way: int) -> ir.Value:
        twice = builder.shl(link, ir.Constant(link.type, 1))
        return builder.gep(vectors, [builder.add(twice, ir.Constant(link.type, way))])

    for way, first, then in ((_UP, cost(xy, _DOWN), cost(xz, _UP)), (_DOWN, cost(xz, _DOWN), cost(xy, _UP))):
        over_x = builder.add(*(builder.load(link, align=_ALIGNED_TO) for link in (first, then)))
        known = builder.load(cost(yz, way), align=_ALIGNED_TO)
        least = builder.select(builder.icmp_signed("<", over_x, known), over_x, known)
        builder.store(least, cost(yz, way), align=_ALIGNED_TO)
    return context.get_dummy_value()  # type: ignore[no-untyped-call] # numba's


through: Final = cast("Callable[[Rows, np.uint64, np.uint64, np.uint64], None]", intrinsic(_through))
"""Makes link yz no dearer than by way of x, for all metrics: upwards xy down and xz up, downwards xz down and xy up.

Called with the rows, yz, xy and xz.
"""
