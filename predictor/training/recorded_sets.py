"""The recordings that the shipped nets are trained on, from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import holidays
import numpy as np
import torch
from numpy.typing import NDArray

from air.places import Network, Point, Station
from air.pollutants import ug_m3_per_unit
from predictor.models.calendar import LOCAL_OFFSET_HOURS
from predictor.models.day_marks import Days
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.models.weather_input import FORESEEN
from predictor.training.abroad_weather import read_abroad_weather
from predictor.training.hourly_file import Hours, HoursUnusable, read_hours, read_labels
from predictor.training.screening import screened
from predictor.training.splits import Kind, Split, parts
from predictor.training.training_set import Neighbours, TrainingSet, inputs_of
from predictor.training.weather_file import RecordedWeather, read_weather

Floats = NDArray[np.float32]

_AIR, _WEATHER = Path("air"), Path("weather")
DOWNTOWN_FILE: Final = _AIR / "seoul_downtown_avg_air_hourly_2018_2022.parquet"
STATIONS_2017_FILE: Final = _AIR / "seoul_air_hourly_2017_25stations.parquet"
KOREA_FILE: Final = _AIR / "korea_airkorea_hourly_20250421_20260115.parquet"
ABROAD_FILE: Final = _AIR / "beijing_prsa_hourly_2013_2017.parquet"
WEATHER_FILE: Final = _WEATHER / "seoul_weather_asos108_hourly_2008_2022.parquet"

STATION_LISTS: Final = (_AIR / "korea_stations.csv", _AIR / "seoul_stations.csv")
"""Where the stations stand; a later list wins."""

DOWNTOWN: Final = Station("downtown", "downtown", Point(37.566, 126.987), Network.URBAN)
"""The mean of three districts counts as a station."""

_SEOUL: Final = "서울"
_ABROAD_ID: Final = "BJ:{}"
_SHARES: Final = {Kind.DOWNTOWN: 0.30, Kind.STATIONS_2017: 0.22, Kind.KOREA: 0.36, Kind.ABROAD: 0.12}
_NEIGHBOURS: Final = {
    Kind.DOWNTOWN: Neighbours.NONE,
    Kind.STATIONS_2017: Neighbours.NEAR,
    Kind.KOREA: Neighbours.NEAR,
    Kind.ABROAD: Neighbours.ALL,
}
_NOWHERE: Final = Point(float("nan"), float("nan"))


def load_sets(folder: Path, stations: Mapping[str, Station], split: Split) -> tuple[TrainingSet, ...]:
    """All recordings of a folder, screened and split.

    Args:
        folder: It holds the folders `air` and `weather`.
        stations: Where Korea's stations stand, by name; those of a file that it lacks are left out.
        split: What the training is for.

    Raises:
        HoursUnusable: A file that is not there, or lacks something.
    """
    weather = read_weather(folder / WEATHER_FILE)
    return (
        _korea(folder / KOREA_FILE, stations, split),
        _stations_2017(folder / STATIONS_2017_FILE, stations, weather, split),
        _downtown(folder / DOWNTOWN_FILE, weather, split),
        _abroad(folder / ABROAD_FILE, split),
    )


def _downtown(path: Path, weather: RecordedWeather, split: Split) -> TrainingSet:
    hours = read_hours(path, station=DOWNTOWN.station_id, pollutants=INPUT_POLLUTANTS)
    return _set(Kind.DOWNTOWN, _sound(hours), (DOWNTOWN,), weather, split)


def _stations_2017(path: Path, stations: Mapping[str, Station], weather: RecordedWeather, split: Split) -> TrainingSet:
    hours = _placed(read_hours(path, pollutants=INPUT_POLLUTANTS), stations, path)
    return _set(Kind.STATIONS_2017, _sound(hours), _of(stations, hours), weather, split)


def _korea(path: Path, stations: Mapping[str, Station], split: Split) -> TrainingSet:
    hours = _placed(read_hours(path, pollutants=INPUT_POLLUTANTS), stations, path)
    province = read_labels(path, "sido")
    groups = [province[name] for name in hours.stations]
    seoul = np.array([group == _SEOUL for group in groups])
    # No weather was recorded beside it.
    return _set(Kind.KOREA, _sound(hours, groups), _of(stations, hours), None, split, fitted=seoul)


def _abroad(path: Path, split: Split) -> TrainingSet:
    hours = read_hours(path, pollutants=INPUT_POLLUTANTS, time="time_cst")
    # There gases are told in µg/m³.
    hours = replace(hours, values=hours.values / [ug_m3_per_unit(pollutant) for pollutant in INPUT_POLLUTANTS])
    places = tuple(Station(_ABROAD_ID.format(name), name, _NOWHERE, Network.URBAN) for name in hours.stations)
    none = np.zeros(len(places), np.bool_)
    return _set(Kind.ABROAD, _sound(hours), places, read_abroad_weather(path), split, fitted=none)


def _set(
    kind: Kind,
    hours: Hours,
    stations: tuple[Station, ...],
    weather: RecordedWeather | None,
    split: Split,
    *,
    fitted: NDArray[np.bool_] | None = None,
) -> TrainingSet:
    values: Floats = hours.values.astype(np.float32)
    first, count = hours.first_hour, len(values)
    nothing = np.full((count, FORESEEN), np.nan, dtype=np.float32)
    return TrainingSet(
        kind=kind,
        stations=stations,
        fitted=np.ones(len(stations), np.bool_) if fitted is None else fitted,
        first_hour=first,
        values=values,
        inputs=inputs_of(values, stations, _NEIGHBOURS[kind]),
        weather=torch.from_numpy(nothing if weather is None else weather.between(first, count)),
        holidays=_holidays("CN" if kind is Kind.ABROAD else "KR", first, count),
        part=parts(split, kind, first, count),
        share=_SHARES[kind],
    )


def _sound(hours: Hours, groups: Sequence[str] | None = None) -> Hours:
    return replace(hours, values=screened(hours.values, groups))


def _of(stations: Mapping[str, Station], hours: Hours) -> tuple[Station, ...]:
    return tuple(stations[name] for name in hours.stations)


def _placed(hours: Hours, stations: Mapping[str, Station], path: Path) -> Hours:
    """The hours of those stations whose place is known."""
    known = [place for place, name in enumerate(hours.stations) if name in stations]
    if not known:
        raise HoursUnusable(path, "the lists of stations have none of its stations")
    return Hours(tuple(hours.stations[place] for place in known), hours.first_hour, hours.values[:, known])


def _holidays(country: str, first_hour: int, hours: int) -> Days:
    """The country's public holidays in these hours, as days since 1970-01-01."""
    local = (first_hour + LOCAL_OFFSET_HOURS + np.array([0, hours])).astype("datetime64[h]")
    first, last = (int(year) for year in local.astype("datetime64[Y]").astype(np.int64) + 1970)
    off = holidays.country_holidays(country, years=range(first, last + 1))
    return np.array(sorted(off), dtype="datetime64[D]").astype(np.int64)
