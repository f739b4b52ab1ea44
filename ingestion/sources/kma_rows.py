"""Rows of KMA's forecast service: from one row a category to the weather of an hour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from air.korea import KST
from ingestion.grid import COLUMNS, ROWS
from ingestion.source import RejectedRow, Rows
from ingestion.sources.data_go_kr_answer import Json, Row
from ingestion.sources.fields import SIMULATED, UnreadableRow, number_of, text_of
from ingestion.sources.kma_amount import read_amount
from ingestion.weather import (
    Amount,
    Cell,
    Conditions,
    Precipitation,
    Product,
    Sky,
    WeatherForecast,
    WeatherObservation,
)

MARK: Final = "source"
"""The field in which the simulated feed marks its rows; real rows have no such field."""

# User guide, 코드값: 0 없음, 1 비, 2 비/눈, 3 눈, 4 소나기, 5 빗방울, 6 빗방울눈날림, 7 눈날림.
_PRECIPITATION: Final = {str(code): kind for code, kind in enumerate(Precipitation)}
# 2 was 구름조금, which was given up in 2019.
_SKY: Final = {"1": Sky.CLEAR, "3": Sky.MOSTLY_CLOUDY, "4": Sky.OVERCAST}
_MISSING_FROM: Final = 900.0
"""A number as far from nought as this says that there is no value (user guide: +900 이상, -900 이하)."""

_TEMPERATURES: Final = (-90.0, 60.0)
_PERCENT: Final = (0.0, 100.0)
_COMPONENTS: Final = (-150.0, 150.0)
_DIRECTIONS: Final = (0.0, 360.0)
_SPEEDS: Final = (0.0, 150.0)
_WAVES: Final = (0.0, 50.0)
_DIGITS: Final = re.compile(r"[0-9]{1,8}")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _When:
    """What the rows of one hour have in common."""

    cell: Cell
    issued_at: datetime
    valid_at: datetime


@dataclass(slots=True)
class _Hour:
    """What one hour's rows say, by category; and which of it could not be read."""

    when: _When
    simulated: bool
    texts: dict[str, str] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)

    def number(self, bounds: tuple[float, float], *categories: str) -> float | None:
        """A number within bounds. Categories that mean the same are tried in their order, here as below."""
        category, text = self._text(categories)
        number = number_of(text)
        in_bounds = number is not None and bounds[0] <= number <= bounds[1]
        return self._readable(category, text, round(number, 2) if number is not None and in_bounds else None)

    def amount(self, *categories: str) -> Amount | None:
        """How much falls."""
        category, text = self._text(categories)
        return self._readable(category, text, read_amount(text))

    def kind(self, kinds: Mapping[str, _T], category: str) -> _T | None:
        """What a code stands for; answers of some years have it as a number with decimals."""
        category, text = self._text((category,))
        number = number_of(text)
        return self._readable(category, text, None if number is None else kinds.get(f"{number:g}"))

    def conditions(self) -> Conditions:
        """What observations and forecasts both give."""
        return Conditions(
            temperature=self.number(_TEMPERATURES, "T1H", "TMP"),
            humidity=self.number(_PERCENT, "REH"),
            precipitation=self.kind(_PRECIPITATION, "PTY"),
            precipitation_amount=self.amount("RN1", "PCP"),
            wind_east=self.number(_COMPONENTS, "UUU"),
            wind_north=self.number(_COMPONENTS, "VVV"),
            wind_direction=self.number(_DIRECTIONS, "VEC"),
            wind_speed=self.number(_SPEEDS, "WSD"),
        )

    def _text(self, categories: tuple[str, ...]) -> tuple[str, str]:
        category = next((name for name in categories if name in self.texts), categories[0])
        return category, self.texts.get(category, "")

    def _readable(self, category: str, text: str, value: _T | None) -> _T | None:
        if value is None and text:
            cell = self.when.cell
            self.rejected.append(RejectedRow(f"{cell.nx},{cell.ny} {category}", f"unreadable value {text[:20]}"))
        return value


def read_observations(rows: Iterable[Row]) -> Rows[WeatherObservation]:
    """The observations in rows of getUltraSrtNcst. An hour without any value is none."""
    hours, rejected = _by_hour(rows, "base", "obsrValue")
    readable = [
        WeatherObservation(hour.when.cell, hour.when.valid_at, conditions, hour.simulated)
        for hour in hours
        if (conditions := hour.conditions()) != Conditions()
    ]
    return Rows(tuple(readable), (*rejected, *(row for hour in hours for row in hour.rejected)))


def read_forecasts(rows: Iterable[Row], product: Product) -> Rows[WeatherForecast]:
    """The forecasts in rows of getUltraSrtFcst or getVilageFcst. An hour without any value is none."""
    hours, rejected = _by_hour(rows, "fcst", "fcstValue")
    readable = [
        WeatherForecast(
            cell=hour.when.cell,
            product=product,
            issued_at=hour.when.issued_at,
            valid_at=hour.when.valid_at,
            conditions=conditions,
            sky=hour.kind(_SKY, "SKY"),
            precipitation_probability=hour.number(_PERCENT, "POP"),
            snow_amount=hour.amount("SNO"),
            wave_height=hour.number(_WAVES, "WAV"),
            day_minimum=hour.number(_TEMPERATURES, "TMN"),
            day_maximum=hour.number(_TEMPERATURES, "TMX"),
            simulated=hour.simulated,
        )
        for hour in hours
        if (conditions := hour.conditions()) != Conditions()
    ]
    return Rows(tuple(readable), (*rejected, *(row for hour in hours for row in hour.rejected)))


def _by_hour(rows: Iterable[Row], valid: str, value: str) -> tuple[list[_Hour], list[RejectedRow]]:
    """Long to wide. Of two rows of one hour and category the last stands, as in a correction.

    Args:
        rows: One a category.
        valid: What the fields begin with that hold the hour: `base` or `fcst`.
        value: The field that holds the value.
    """
    hours: dict[_When, _Hour] = {}
    rejected: list[RejectedRow] = []
    for row in rows:
        category = text_of(row.get("category"))
        try:
            when = _When(_cell(row), _time(row, "base"), _time(row, valid))
        except UnreadableRow as error:
            rejected.append(RejectedRow(category, str(error)))
            continue
        simulated = text_of(row.get(MARK)) == SIMULATED
        hour = hours.setdefault(when, _Hour(when, simulated))
        text = text_of(row.get(value))
        number = number_of(text)
        if text and (number is None or abs(number) < _MISSING_FROM):
            hour.texts[category] = text
    return list(hours.values()), rejected


def _cell(row: Row) -> Cell:
    nx, ny = (_integer(row.get(name), "no cell") for name in ("nx", "ny"))
    if not (1 <= nx <= COLUMNS and 1 <= ny <= ROWS):
        raise UnreadableRow("cell off the grid")
    return Cell(nx, ny)


def _time(row: Row, prefix: str) -> datetime:
    """`YYYYMMDD` and `HHMM`. Answers of some years have numbers, whose leading zeros are lost: 500 is 05:00."""
    date = _integer(row.get(f"{prefix}Date"), "no hour")
    time = _integer(row.get(f"{prefix}Time"), "no hour")
    try:
        local = datetime(date // 10_000, date // 100 % 100, date % 100, time // 100, time % 100, tzinfo=KST)
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableRow("unreadable hour") from error


def _integer(value: Json, lacking: str) -> int:
    text = text_of(value)
    if not _DIGITS.fullmatch(text):
        raise UnreadableRow(lacking)
    return int(text)
