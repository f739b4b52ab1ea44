"""Bulletins (대기질 예보통보): the environment agency's own forecast of a day's grades, to hold ours against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from air.index import Grade
from air.pollutants import Pollutant


@dataclass(frozen=True, slots=True)
class RegionGrade:
    """The grade of one region, such as 서울 or 경기남부; None where none is forecast (예보없음)."""

    region: str
    grade: Grade | None


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What was issued at one time about one pollutant on one day.

    Attributes:
        issued_at: When it was issued (aware, UTC): 05, 11, 17 or 23 h in Korea.
        target_date: The day, in Korea, that it is about.
        pollutant: PM10, PM25 or O3.
        grades: By region, in the order of the source.
        overall: The outlook in words.
        cause: The cause in words.
        simulated: True when it is about the simulated city.
    """

    issued_at: datetime
    target_date: date
    pollutant: Pollutant
    grades: tuple[RegionGrade, ...]
    overall: str
    cause: str
    simulated: bool = False
