"""Asking for memory before it is read: what lies at random in it takes longer to come than to reckon with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.cgutils import create_struct_proxy
from numba.core.typing.context import BaseContext as TypingContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from router.search.kernel import Ints

LINE: Final = 16
"""How many numbers of 32 bits come at once, of those that lie side by side."""

_WORD: Final = ir.IntType(32)
_TO_READ, _TO_KEEP, _DATA = (_WORD(number) for number in (0, 3, 1))


def _prefetch(
    _context: TypingContext, array: types.Type, _index: types.Type
) -> tuple[Signature, Callable[..., ir.Value]]:
    """What numba asks of an intrinsic: the types that it takes, and what writes its instructions."""
    return types.void(array, types.uint64), _instructions


def _instructions(
    context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]
) -> ir.Value:
    array, index = arguments
    data = create_struct_proxy(signature.args[0])(context, builder, value=array).data  # type: ignore[no-untyped-call] # numba's
    place = builder.bitcast(builder.gep(data, [index]), ir.IntType(8).as_pointer())
    takes = ir.FunctionType(ir.VoidType(), [place.type, _WORD, _WORD, _WORD])
    builder.call(
        builder.module.declare_intrinsic("llvm.prefetch", [place.type], takes), [place, _TO_READ, _TO_KEEP, _DATA]
    )
    return context.get_dummy_value()  # type: ignore[no-untyped-call] # numba's


prefetch: Final = cast("Callable[[Ints, int], None]", intrinsic(_prefetch))
"""Has what lies at an index of a contiguous array brought near, and goes on at once."""
