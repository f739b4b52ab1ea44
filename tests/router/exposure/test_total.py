"""What is inhaled on several ways, from what is inhaled on each."""

from __future__ import annotations

import pytest

from air.pollutants import Pollutant
from router.exposure.dose import Dose
from router.exposure.total import total

NO2, PM25 = Pollutant.NO2, Pollutant.PM25


def dose(pollutant: Pollutant, ug: float, mean_ug_m3: float) -> Dose:
    return Dose(pollutant, ug, ug / 2, ug * 2, mean_ug_m3, mean_ug_m3 / 2, mean_ug_m3 * 2)


def test_doses_add_up_and_means_are_weighed_by_time() -> None:
    (no2,) = total([(300.0, [dose(NO2, 4.0, 20.0)]), (100.0, [dose(NO2, 4.0, 60.0)])])
    assert (no2.dose_ug, no2.lower_ug, no2.upper_ug) == (8.0, 4.0, 16.0)
    assert no2.mean_concentration_ug_m3 == pytest.approx(30.0)
    assert (no2.mean_lower_ug_m3, no2.mean_upper_ug_m3) == pytest.approx((15.0, 60.0))


def test_what_is_not_known_on_one_of_them_is_not_known_of_all() -> None:
    both = [dose(NO2, 1.0, 1.0), dose(PM25, 1.0, 1.0)]
    assert [found.pollutant for found in total([(10.0, both), (10.0, [dose(PM25, 1.0, 1.0)])])] == [PM25]
    assert total([(10.0, both), (10.0, [])]) == ()


def test_a_way_that_takes_no_time_says_nothing() -> None:
    alone = [dose(NO2, 1.0, 1.0)]
    assert total([(10.0, alone), (0.0, [])]) == tuple(alone)
    assert total([(0.0, [])]) == ()
