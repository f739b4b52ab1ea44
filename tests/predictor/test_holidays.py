"""Korea's public holidays, checked against what its government has announced."""

from __future__ import annotations

from datetime import date

import pytest

from predictor.holidays import holidays_around

EPOCH = date(1970, 1, 1).toordinal()


def noon(day: str) -> int:
    """The hour of noon in Korea."""
    return (date.fromisoformat(day).toordinal() - EPOCH) * 24 + 3


def holds(day: str, seen_from: str) -> bool:
    return date.fromisoformat(day).toordinal() - EPOCH in holidays_around(noon(seen_from))


@pytest.mark.parametrize(
    "day",
    [
        "2025-01-27",  # declared for once
        "2025-01-29",  # Seollal
        "2025-03-03",  # for a Saturday
        "2025-05-06",  # for two that fell on one day
        "2025-06-03",  # a president is elected
        "2025-10-08",  # for a Sunday of Chuseok
        "2026-02-16",
        "2026-02-18",
        "2026-03-02",
        "2026-05-25",  # Buddha's birthday, on a Sunday
        "2026-06-03",  # local elections
        "2026-09-25",  # Chuseok
        "2026-10-05",
        "2027-02-09",
        "2027-10-04",
        "2027-10-11",
    ],
)
def test_a_holiday_is_known(day: str) -> None:
    assert holds(day, day)


@pytest.mark.parametrize("day", ["2025-10-10", "2026-02-19", "2026-09-28", "2026-10-07", "2027-02-10"])
def test_a_working_day_is_none(day: str) -> None:
    assert not holds(day, day)


def test_the_days_after_new_years_eve_are_known_before_it() -> None:
    assert holds("2027-01-01", seen_from="2026-12-30")
    assert holds("2026-12-25", seen_from="2027-01-03")


def test_a_year_is_looked_up_once() -> None:
    assert holidays_around(noon("2026-05-01")) is holidays_around(noon("2026-08-01"))
