"""Made-up air for tests of the predictor: stations, readings, and a model whose answer can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import torch

from air.places import Network, Point, Station
from predictor.models.damped_persistence import DampedPersistence
from predictor.models.model_file import BASELINE, save
from predictor.window import Reading

HOUR: Final = timedelta(hours=1)
NOON: Final = datetime(2026, 3, 16, 3, tzinfo=UTC)
"""Noon in Korea."""

JONGNO: Final = Station("종로구", "종로구", Point(37.5720, 127.0050), Network.URBAN)
JUNG: Final = Station("중구", "중구", Point(37.5643, 126.9745), Network.URBAN)
CHEONGGYE: Final = Station("청계천로", "청계천로", Point(37.5686, 126.9981), Network.ROADSIDE)
BUSAN: Final = Station("광복동", "광복동", Point(35.0999, 129.0304), Network.URBAN)

TYPICAL: Final = (20.0, 40.0, 0.030, 0.020, 0.5, 0.003)
"""PM2.5 and PM10 in µg/m³, O3, NO2, CO and SO2 in ppm."""


def reading(
    station: Station = JONGNO,
    measured_at: datetime = NOON,
    values: Sequence[float | None] = TYPICAL,
    revision: int = 1,
) -> Reading:
    """One reading; None where nothing was measured, as for the last where fewer than six values are given."""
    missing = (None,) * (len(TYPICAL) - len(values))
    return Reading(station, measured_at, (*values, *missing), revision)


def hours_of_air(station: Station, last: datetime, hours: int) -> Iterator[Reading]:
    """Readings of `hours` hours up to `last`, no two alike, that rise and fall with the day."""
    for back in range(hours - 1, -1, -1):
        at = last - back * HOUR
        phase = math.sin(at.timestamp() / 3600 / 24 * 2 * math.pi + len(station.station_id))
        pm25 = 20 + 8 * phase + (at.timestamp() / 3600 % 7) / 10
        yield reading(station, at, (pm25, 2 * pm25, 0.03 + 0.015 * phase, 0.02 - 0.008 * phase))


def plain_model(*, damping: float = 0.5, spread: float = 0.1) -> DampedPersistence:
    """No season, no time of day: each value fades to the median 10 by `damping` at every lead, on the scale ln(x + 1).

    Quantiles lie `spread` to both sides on that scale; the station's own level is never trusted.
    """
    model = DampedPersistence()
    model.pattern[:, 0] = math.log(10 + 1)
    model.damping.fill_(damping)
    model.damping[:, -1] = 0.0
    model.spread[...] = torch.tensor([-spread, 0.0, spread])
    model.trust_hours.fill_(1e9)
    return model


def usable_model_file(folder: Path, name: str = "usable.pt", *, damping: float = 0.99) -> Path:
    """A file of a model that passes all checks: the baseline, but for how long it holds on to what was measured."""
    model = DampedPersistence()
    model.load_state_dict(torch.load(BASELINE, weights_only=True)["parameters"])
    model.damping.mul_(damping)
    path = folder / name
    save(model, path)
    return path


def plain_model_file(folder: Path, *, damping: float = 0.5) -> Path:
    """A file of that model, with its digest."""
    path = folder / "plain.pt"
    save(plain_model(damping=damping), path)
    return path
