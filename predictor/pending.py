"""Forecasts whose hours have not all been measured yet: what was said of them, kept until it can be compared."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.axes import HORIZON_HOURS, QUANTILES
from predictor.models.calibration import LEADS
from predictor.models.members import FieldForecast, MemberForecasts

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_Float = TypeVar("_Float", np.float16, np.float32)

LATE_HOURS: Final = 6
"""An hour may be measured so much later than the network's newest, and its oldest forecast is still compared."""

_HOURS_KEPT: Final = HORIZON_HOURS + LATE_HOURS
_LARGEST_HALF: Final = float(np.finfo(np.float16).max)
_NAMES: Final = ("station_ids", "said_mean", "said_quantiles", "told_mean", "told_quantiles", "last")


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What members said, as in `MemberForecasts`, in half precision: enough to learn from."""

    mean: NDArray[np.float16]
    quantiles: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class PendingIssue:
    """What one model said at one issue hour, at LEADS.

    Attributes:
        issue_hour: In hours since 1970-01-01T00Z.
        station_ids: Of whom, ascending.
        said: By each member.
        told: What was told, as it was told.
        last: What persistence says: the last value known at the issue hour, (stations, pollutants), NaN for none.
    """

    issue_hour: int
    station_ids: tuple[str, ...]
    said: Said
    told: FieldForecast
    last: Floats

    @classmethod
    def of(
        cls,
        issue_hour: int,
        station_ids: Sequence[str],
        said: MemberForecasts,
        told: FieldForecast,
        last: Floats,
    ) -> Self:
        """From forecasts of all 72 hours ahead, stations in ascending order."""
        said, told = said.at(LEADS), told.at(LEADS)
        return cls(
            issue_hour,
            tuple(station_ids),
            Said(_half(said.mean), _half(said.quantiles)),
            FieldForecast(told.mean.astype(np.float32), told.quantiles.astype(np.float32)),
            last.astype(np.float32),
        )

    def rows(self, station_ids: Sequence[str]) -> Ints:
        """The places of stations in it; -1 for those of whom nothing was said."""
        places = {station_id: place for place, station_id in enumerate(self.station_ids)}
        return np.array([places.get(station_id, -1) for station_id in station_ids], dtype=np.int64)

    def with_later(self, later: Self) -> Self:
        """What was said last of each station at this issue hour."""
        station_ids = tuple(sorted({*self.station_ids, *later.station_ids}))
        new = later.rows(station_ids)
        own = self.rows(station_ids)
        fresh = new >= 0

        def merged(old: NDArray[_Float], young: NDArray[_Float], axis: int) -> NDArray[_Float]:
            shape = [1] * old.ndim
            shape[axis] = len(station_ids)
            both: NDArray[_Float] = np.where(fresh.reshape(shape), young.take(new, axis=axis), old.take(own, axis=axis))
            return both

        return type(self)(
            self.issue_hour,
            station_ids,
            Said(merged(self.said.mean, later.said.mean, 1), merged(self.said.quantiles, later.said.quantiles, 1)),
            FieldForecast(
                merged(self.told.mean, later.told.mean, 0), merged(self.told.quantiles, later.told.quantiles, 0)
            ),
            merged(self.last, later.last, 0),
        )

    def to_bytes(self) -> bytes:
        """To be kept, as numpy writes arrays."""
        file = io.BytesIO()
        np.savez(
            file,
            allow_pickle=False,
            station_ids=np.array(self.station_ids),
            said_mean=self.said.mean,
            said_quantiles=self.said.quantiles,
            told_mean=self.told.mean,
            told_quantiles=self.told.quantiles,
            last=self.last,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, issue_hour: int, content: bytes, members: int) -> Self:
        """As kept. Raises ValueError for anything that `to_bytes` of so many members did not write."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as kept:
                station_ids, *arrays = (kept[name] for name in _NAMES)
        except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError("these are no pending forecasts") from error
        if [array.shape for array in arrays] != _shapes(members, len(station_ids)):
            raise ValueError("these are pending forecasts of another shape")
        said_mean, said_quantiles, told_mean, told_quantiles, last = arrays
        return cls(
            issue_hour,
            tuple(station_ids.tolist()),
            Said(said_mean, said_quantiles),
            FieldForecast(told_mean, told_quantiles),
            last,
        )


class Pending:
    """The pending forecasts of one model, by issue hour. It never changes: `with_issue` makes the next one."""

    def __init__(self, issues: Iterable[PendingIssue] = ()) -> None:
        by_hour = {issue.issue_hour: issue for issue in issues}
        first = max(by_hour, default=0) - _HOURS_KEPT
        self._issues: Final = {hour: issue for hour, issue in by_hour.items() if hour > first}

    @property
    def issues(self) -> Mapping[int, PendingIssue]:
        """By issue hour."""
        return self._issues

    @property
    def first_hour(self) -> int | None:
        """The first hour that any of them is of; None without any."""
        return min(self._issues) + 1 if self._issues else None

    def with_issue(self, issue: PendingIssue) -> Pending:
        """With one more; of a station that the same hour's already holds, the later counts. Old ones go."""
        before = self._issues.get(issue.issue_hour)
        merged = issue if before is None else before.with_later(issue)
        return self.with_issues([merged])

    def with_issues(self, issues: Iterable[PendingIssue]) -> Pending:
        """With these in the place of those of the same hours."""
        return Pending([*self._issues.values(), *issues])


def oldest_kept(newest_hour: int) -> int:
    """The first issue hour that is kept once this hour is the newest."""
    return newest_hour - _HOURS_KEPT + 1


def _half(values: Floats) -> NDArray[np.float16]:
    half: NDArray[np.float16] = np.minimum(values, _LARGEST_HALF).astype(np.float16)
    return half


def _shapes(members: int, stations: int) -> list[tuple[int, ...]]:
    said = (members, stations, len(LEADS), len(FORECAST_POLLUTANTS))
    told = said[1:]
    return [said, (*said, len(QUANTILES)), told, (*told, len(QUANTILES)), (stations, len(FORECAST_POLLUTANTS))]
