"""Arrays that nobody may write to."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def read_only(array: NDArray[T]) -> NDArray[T]:
    """The same array, laid out row by row, not to be written to.

    What is mapped from a file cannot be written to, and compiled code takes such an array for another type than one
    that can: whatever comes from a file is made read-only in memory, too, so that each kernel is compiled once.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
