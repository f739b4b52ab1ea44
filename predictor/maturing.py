"""Forecasts come true: which hours were measured just now, what had been said of them, and how far off it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.axes import MEDIAN, QUANTILES
from predictor.models.calibration import LEADS, Matured
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.pending import Pending
from predictor.window import ReadingWindow, StationHours

Floats = NDArray[np.float32]
Sums = NDArray[np.float64]

SCORED: Final = (1, 3, 6, 12, 24, 48, 72)
"""The hours ahead that scores are kept of."""

SUMS: Final = (
    *("count", "error", "absolute_error", "squared_error", "inside"),
    *("compared_count", "compared_squared_error", "persistence_squared_error"),
)
"""What is summed over forecasts, in the order of the last axis of sums.

Errors are forecast minus measured, of the mean, but the absolute one, of the median; `inside` counts those inside the
80 % interval. Of those that persistence says anything of there are so many, with our squared error and its own.
"""

_DAY_HOURS: Final = 24
_POLLUTANTS: Final = len(FORECAST_POLLUTANTS)
_SCORED_PLACES: Final = [LEADS.index(lead) for lead in SCORED]

DaySums = Mapping[tuple[int, str], Sums]
"""By day (since 1970-01-01, UTC) and station: (SCORED, pollutants, SUMS)."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was measured in one hour and not known before.

    Attributes:
        hour: In hours since 1970-01-01T00Z.
        station_ids: By whom, ascending.
        truth: (stations, pollutants), network units, NaN for what was not measured, or known before.
    """

    hour: int
    station_ids: tuple[str, ...]
    truth: Floats


def newly_measured(
    before: ReadingWindow, after: ReadingWindow, changed: Collection[str], first_hour: int
) -> list[Measured]:
    """What the later window knows and the earlier one does not, from an hour on, hours ascending.

    A value that was known and is another one now is not news: what it has taught is not unlearnt, nor taught twice.
    """
    newest = after.newest_hour
    if newest is None or newest < first_hour or not changed:
        return []
    station_ids = tuple(sorted(changed))
    hours = newest - first_hour + 1
    known = np.stack([_last_hours(before.stations.get(one), newest, hours) for one in station_ids])
    truth = np.stack([_last_hours(after.stations[one], newest, hours) for one in station_ids])
    truth[np.isfinite(known)] = np.nan
    return [
        Measured(first_hour + row, tuple(station_ids[place] for place in places), truth[places, row])
        for row in range(hours)
        if len(places := np.flatnonzero(np.isfinite(truth[:, row]).any(axis=1)))
    ]


def matured(pending: Pending, measured: Measured) -> Matured | None:
    """What had been said and told of an hour at any lead, and what came; None when nothing had been said."""
    leads = [lead for lead in LEADS if measured.hour - lead in pending.issues]
    if not leads:
        return None
    said, told = [], []
    for lead in leads:
        issue, place = pending.issues[measured.hour - lead], LEADS.index(lead)
        rows = issue.rows(measured.station_ids)
        said.append([_of(rows, values[:, :, place], axis=1) for values in (issue.said.mean, issue.said.quantiles)])
        told.append([_of(rows, values[:, place], axis=0) for values in (issue.told.mean, issue.told.quantiles)])
    return Matured(
        measured.hour,
        np.array(leads, dtype=np.int64),
        MemberForecasts(*(np.stack(of_leads, axis=2) for of_leads in zip(*said, strict=True))),
        measured.truth,
        FieldForecast(*(np.stack(of_leads, axis=1) for of_leads in zip(*told, strict=True))),
        share=min(1.0, len(measured.station_ids) / max(1, len(pending.issues[measured.hour - leads[0]].station_ids))),
    )


def scored(pending: Pending, news: Collection[Measured]) -> DaySums:
    """What is to be added to the sums of each day and station."""
    sums: dict[tuple[int, str], Sums] = {}
    for measured in news:
        for station_id, own in zip(measured.station_ids, _scored_hour(pending, measured), strict=True):
            key = measured.hour // _DAY_HOURS, station_id
            if own[..., 0].any():
                sums[key] = sums[key] + own if key in sums else own
    return sums


def _scored_hour(pending: Pending, measured: Measured) -> Sums:
    """The sums of one hour's forecasts: (stations, SCORED, pollutants, SUMS)."""
    stations = len(measured.station_ids)
    shape = (stations, len(SCORED), _POLLUTANTS)
    mean, last = np.full(shape, np.nan), np.full(shape, np.nan)
    quantiles = np.full((*shape, len(QUANTILES)), np.nan)
    for row, (lead, place) in enumerate(zip(SCORED, _SCORED_PLACES, strict=True)):
        issue = pending.issues.get(measured.hour - lead)
        if issue is None:
            continue
        rows = issue.rows(measured.station_ids)
        mean[:, row] = _of(rows, issue.told.mean[:, place], axis=0)
        quantiles[:, row] = _of(rows, issue.told.quantiles[:, place], axis=0)
        last[:, row] = _of(rows, issue.last, axis=0)
    truth = measured.truth[:, None].astype(np.float64)
    error, persistence = mean - truth, last - truth
    inside = (quantiles[..., 0] <= truth) & (truth <= quantiles[..., -1])
    told, compared = np.isfinite(error), np.isfinite(error) & np.isfinite(persistence)
    sums = np.stack(
        [
            told,
            error,
            np.abs(quantiles[..., MEDIAN] - truth),
            error**2,
            inside,
            compared,
            np.where(compared, error**2, 0.0),
            np.where(compared, persistence**2, 0.0),
        ],
        axis=-1,
    )
    return np.where(told[..., None], sums, 0.0)


def _of(rows: NDArray[np.int64], values: NDArray[np.floating], axis: int) -> Floats:
    """The values of these rows along an axis, float32; NaN where the row is -1."""
    shape = [1] * values.ndim
    shape[axis] = len(rows)
    found = values.take(rows, axis=axis) if values.shape[axis] else np.full(shape, np.nan)
    picked: Floats = np.where((rows >= 0).reshape(shape), found, np.nan).astype(np.float32)
    return picked


def _last_hours(station: StationHours | None, newest: int, hours: int) -> Floats:
    """What a station measured in the hours up to `newest`, (hours, pollutants); NaN where nothing is known."""
    values = np.full((hours, _POLLUTANTS), np.nan, dtype=np.float32)
    if station is not None:
        late = newest - station.newest_hour
        own = station.values[-(hours - late) :, :_POLLUTANTS] if late < hours else station.values[:0, :_POLLUTANTS]
        end = hours - late
        values[end - len(own) : end] = own
    return values
