"""The decorator of kernels: machine code that runs without the interpreter's lock and is kept between starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function compiled by numba at its first call with new argument types; it may call others of the kind.

    Machine code is kept in NUMBA_CACHE_DIR, which must be set before this module is imported, else beside the source.
    """
    return cast("Callable[P, R]", njit(nogil=True, cache=True)(function))
