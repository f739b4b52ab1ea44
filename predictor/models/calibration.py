"""How a model's members are put together, learnt from forecasts that have come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from predictor.models.members import FieldForecast, MemberForecasts

Floats = NDArray[np.float32]

LEADS: Final = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36, 48, 60, 72)
"""The hours ahead at which forecasts are compared with what came; what is learnt is interpolated between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Matured:
    """What had been said of an hour, and what came.

    Attributes:
        hour: The valid hour, since 1970-01-01T00Z.
        leads: How long before it each was said, of LEADS, (leads,).
        said: By each member, (members, stations, leads, pollutants); NaN where nothing was said.
        truth: What was measured, (stations, pollutants), NaN where nothing was.
    """

    hour: int
    leads: NDArray[np.int64]
    said: MemberForecasts
    truth: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What has been learnt of a model's members. It never changes: `learned` makes the next one."""

    members: int

    @classmethod
    def neutral(cls, members: int) -> Self:
        """Nothing is known: all members count alike."""
        return cls(members)

    def apply(self, said: MemberForecasts) -> FieldForecast:
        """What is told, given what the members say of all 72 hours ahead."""
        return FieldForecast(said.mean.mean(axis=0), said.quantiles.mean(axis=0))

    def learned(self, matured: Matured) -> Self:  # noqa: ARG002 # soon
        """With what this hour has taught."""
        return self

    def to_bytes(self) -> bytes:
        """To be kept."""
        return b""

    @classmethod
    def from_bytes(cls, content: bytes, members: int) -> Self:  # noqa: ARG003 # soon
        """As kept. Raises ValueError for anything that `to_bytes` of so many members did not write."""
        return cls(members)
