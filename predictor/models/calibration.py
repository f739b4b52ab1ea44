"""How a model's members are put together, learnt from forecasts that have come true."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.axes import QUANTILES
from predictor.models.intervals import Intervals, reached
from predictor.models.leads import LEADS, at_all_hours, places_of
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.models.stack import HALF_LIFE_HOURS, Stack

__all__ = ["LEADS", "Calibration", "Matured"]

Floats = NDArray[np.float32]
_Doubles = NDArray[np.float64]

_HEADER: Final = struct.Struct("<4sBqI")
"""What it is, the number of members, the newest hour, and the CRC-32 of the numbers that follow."""

_KIND: Final = b"CAC1"
_NO_HOUR: Final = -(2**62)


@dataclass(frozen=True, slots=True, eq=False)
class Matured:
    """What had been said of an hour, and what came.

    Attributes:
        hour: The valid hour, since 1970-01-01T00Z.
        leads: How long before it each was said, of LEADS, (leads,).
        said: By each member, (members, stations, leads, pollutants); NaN where nothing was said.
        truth: What was measured, (stations, pollutants), NaN where nothing was.
        told: What was told at these leads, NaN where nothing was. Without it intervals learn from what would be told
            by now: a little too sure of themselves, because by now more is known than then.
        share: Of the network's stations, how many these are: so an hour counts once, in however many parts it comes in.
    """

    hour: int
    leads: NDArray[np.int64]
    said: MemberForecasts
    truth: Floats
    told: FieldForecast | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What has been learnt of a model's members. It never changes: `learned` makes the next one.

    Attributes:
        stack: How much each member counts.
        intervals: How far the quantiles reach.
        hour: The newest hour that it has learnt from, since 1970-01-01T00Z; None before the first.
    """

    stack: Stack
    intervals: Intervals
    hour: int | None = None

    @classmethod
    def neutral(cls, members: int) -> Self:
        """Nothing is known: all members count alike."""
        return cls(Stack.neutral(members), Intervals.neutral())

    @property
    def members(self) -> int:
        """How many it puts together."""
        members: int = self.stack.errors.shape[-1]
        return members

    def apply(self, said: MemberForecasts) -> FieldForecast:
        """What is told, given what the members say of all 72 hours ahead."""
        weights = self.stack.weights
        return _together(
            said,
            at_all_hours(weights).astype(np.float32),
            at_all_hours(self.stack.bias(weights)).astype(np.float32),
            at_all_hours(self.intervals.reach).astype(np.float32),
        )

    def learned(self, matured: Matured) -> Self:
        """With what this hour has taught: all stations of it at once, or some now and others later.

        An hour that comes late counts as much less as it is older than the newest. Where a member said nothing, nothing
        is learnt of any of them. Raises ValueError for leads that are not of LEADS.
        """
        places = places_of(matured.leads)
        since = 0 if self.hour is None else matured.hour - self.hour
        stack, intervals = self.stack, self.intervals
        if since > 0:
            stack, intervals = stack.faded(since), intervals.faded(since - 1)
        weight = matured.share * 0.5 ** (max(0, -since) / HALF_LIFE_HOURS)
        truth = np.where(np.isfinite(matured.truth), matured.truth, np.nan).astype(np.float64)
        told = self._told(matured).astype(np.float64)
        errors = matured.said.mean.astype(np.float64) - truth[:, None]
        return type(self)(
            stack.with_errors(places, errors, weight),
            intervals.with_misses(places, told, truth, weight),
            matured.hour if self.hour is None else max(matured.hour, self.hour),
        )

    def to_bytes(self) -> bytes:
        """To be kept."""
        numbers = np.concatenate([array.ravel() for array in self._arrays()]).astype("<f8").tobytes()
        hour = _NO_HOUR if self.hour is None else self.hour
        return _HEADER.pack(_KIND, self.members, hour, zlib.crc32(numbers)) + numbers

    @classmethod
    def from_bytes(cls, content: bytes, members: int) -> Self:
        """As kept. Raises ValueError for anything that `to_bytes` of so many members did not write."""
        try:
            kind, kept_members, hour, check = _HEADER.unpack(content[: _HEADER.size])
        except struct.error as error:
            raise ValueError("this is no calibration") from error
        numbers = content[_HEADER.size :]
        if (kind, kept_members) != (_KIND, members):
            raise ValueError(f"this is no calibration of {members} members")
        if len(numbers) != 8 * sum(map(int, map(np.prod, _shapes(members)))) or zlib.crc32(numbers) != check:
            raise ValueError("this calibration is damaged")
        flat = np.frombuffer(numbers, dtype="<f8").astype(np.float64)
        if not np.isfinite(flat).all():
            raise ValueError("this calibration is not finite")
        ends = np.cumsum([np.prod(shape) for shape in _shapes(members)])
        parts = np.split(flat, ends[:-1])
        arrays = [part.reshape(shape) for part, shape in zip(parts, _shapes(members), strict=True)]
        return cls(Stack(*arrays[:4]), Intervals(*arrays[4:]), None if hour == _NO_HOUR else hour)

    def _arrays(self) -> tuple[_Doubles, ...]:
        stack, intervals = self.stack, self.intervals
        return (stack.expected, stack.hours, stack.errors, stack.products, intervals.expected, intervals.reach)

    def _told(self, matured: Matured) -> Floats:
        """The quantiles that were told, or would be by now: (stations, leads, pollutants, quantiles)."""
        if matured.told is not None:
            return matured.told.quantiles
        places = places_of(matured.leads)
        weights = self.stack.weights
        bias, reach = self.stack.bias(weights), self.intervals.reach
        now = (weights[places], bias[places], reach[places])
        return _together(matured.said, *(each.astype(np.float32) for each in now)).quantiles


def _together(said: MemberForecasts, weights: Floats, bias: Floats, reach: Floats) -> FieldForecast:
    """What is told; weights are (hours ahead, pollutants, members), bias and reach likewise."""
    shares = np.moveaxis(weights, -1, 0)
    mean = np.maximum(_mixed(said.mean, shares) - bias, np.float32(0))
    # Repeated to whole rows: arrays that are stretched along an axis of three are multiplied three numbers at a time.
    each = np.repeat(shares[..., None], len(QUANTILES), axis=-1)
    quantiles = reached(_mixed(said.quantiles, each) - np.repeat(bias[..., None], len(QUANTILES), axis=-1), reach)
    return FieldForecast(mean, np.maximum(quantiles, np.float32(0), out=quantiles))


def _mixed(said: Floats, shares: Floats) -> Floats:
    """The members' sum, each by its share, added up one after the other to spare memory."""
    mixed: Floats = shares[0] * said[0]
    for own, share in zip(said[1:], shares[1:], strict=True):
        mixed += share * own
    return mixed


def _shapes(members: int) -> list[tuple[int, ...]]:
    cells = len(LEADS), len(FORECAST_POLLUTANTS)
    pairs, reach = (*cells, members, members), (*cells, len(QUANTILES))
    return [pairs, cells, (*cells, members), pairs, reach, reach]
