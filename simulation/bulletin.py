"""The bulletins of the simulated city: a forecast of its own air, as wrong as forecasts are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from air.index import Grade, grade_of, sub_index
from air.pollutants import Pollutant
from simulation.air import KST, SimulatedAir, hour_number
from simulation.airkorea_server import WireRow
from simulation.noise import Noise

REGION: Final = "모의도시"
"""The one region of a simulated bulletin; nothing real begins so."""

_ISSUE_HOURS: Final = (5, 11, 17, 23)
_PUBLISHED_AFTER: Final = timedelta(minutes=10)
_HOURS_A_DAY: Final = 24
# The two issues of the morning tell of today and tomorrow, those of the evening of the day after as well.
_DAYS_TOLD: Final[Mapping[int, int]] = {5: 2, 11: 2, 17: 3, 23: 3}
_WORDS: Final = {
    Grade.GOOD: "좋음",
    Grade.MODERATE: "보통",
    Grade.UNHEALTHY: "나쁨",
    Grade.VERY_UNHEALTHY: "매우나쁨",
}
_TITLES: Final = {Pollutant.PM10: "미세먼지", Pollutant.PM25: "초미세먼지", Pollutant.O3: "오존"}
# The standard deviation of the logarithm of a forecast's error for today; as much again for each day further on.
_ERROR_A_DAY: Final = 0.12
_CHANNEL: Final = 40


class BulletinDesk:
    """Issues the bulletins of a city. What it says depends on the seed, the day and the hour alone."""

    def __init__(self, seed: int, air: SimulatedAir) -> None:
        self._noise = Noise(seed)
        self._air = air
        self._true_levels = lru_cache(maxsize=8)(self._levels)

    def rows(self, search_date: str, now: datetime) -> list[WireRow]:
        """Rows of getMinuDustFrcstDspth: what had been issued by `now` on a day, newest first; none before 05 h."""
        try:
            day = date.fromisoformat(search_date)
        except ValueError:
            return []
        midnight = datetime.combine(day, time(), tzinfo=KST)
        issued = [hour for hour in _ISSUE_HOURS if midnight + timedelta(hours=hour) + _PUBLISHED_AFTER <= now]
        return [
            self._row(day, hour, pollutant, ahead)
            for hour in reversed(issued)
            for ahead in range(_DAYS_TOLD[hour])
            for pollutant in _TITLES
        ]

    def _row(self, day: date, hour: int, pollutant: Pollutant, ahead: int) -> WireRow:
        target = day + timedelta(days=ahead)
        word = _WORDS[self._grade(day, hour, pollutant, ahead)]
        images = {f"imageUrl{number}": None for number in range(1, 7)}
        return {
            "informCode": pollutant.value,
            "informData": target.isoformat(),
            "informGrade": f"{REGION} : {word}",
            "dataTime": f"{day.isoformat()} {hour:02}시 발표",
            "informCause": f"○ [{_TITLES[pollutant]}] 모의 대기의 흐름에 따른 예보입니다.",
            "informOverall": f"○ [{_TITLES[pollutant]}] {REGION}는 '{word}'으로 예상됩니다.",
            "actionKnack": None,
            **images,
        }

    def _grade(self, day: date, hour: int, pollutant: Pollutant, ahead: int) -> Grade:
        target = day + timedelta(days=ahead)
        kinds = list(_TITLES)
        where = np.array([target.toordinal() * len(_ISSUE_HOURS) + _ISSUE_HOURS.index(hour)], dtype=np.int64)
        error = float(self._noise.normal(_CHANNEL + ahead, where, len(kinds))[0, kinds.index(pollutant)])
        level = self._true_levels(target)[pollutant] * float(np.exp((1 + ahead) * _ERROR_A_DAY * error))
        return grade_of(sub_index(pollutant, level))

    def _levels(self, day: date) -> Mapping[Pollutant, float]:
        """What a day is graded by: particles by their mean, ozone by its highest hour, over the city."""
        first = hour_number(datetime.combine(day, time(), tzinfo=KST)) + 1
        hours = {p: values.mean(axis=1) for p, values in self._air.concentrations(first, _HOURS_A_DAY).items()}
        return {p: float(hours[p].max() if p is Pollutant.O3 else hours[p].mean()) for p in _TITLES}
