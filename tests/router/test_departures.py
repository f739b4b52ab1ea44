"""When to leave, in air that changes by the hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from air.places import Network, Station
from air.pollutants import Pollutant, ug_m3_per_unit
from router.departures import Leaving, best_of, departures, times_to_leave
from router.exposure.forecast import Quantiles, StationForecast
from router.graph.graph import Access, RoadClass
from router.known_air import DepartureBeyondForecast, KnownAir
from router.modes import TravelMode
from router.region import Region
from router.route import RouteType
from router.traveller import Sensitivity, Traveller
from router.wayfinding import EqualEnds, NoRoute, Wayfinder
from tests.router.air_plan import ISSUED, LOWER, NOW, UPPER, field_of
from tests.router.street_plan import Edge, at, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
HOUR = timedelta(hours=1)


def air_by_hour(ug_m3: Callable[[int], float], pollutant: Pollutant = PM25, *, hours: int = 72) -> KnownAir:
    """The same air everywhere, from horizon 1, the hour that ends at 9:00, on."""
    told = tuple(ug_m3(horizon) / ug_m3_per_unit(pollutant) for horizon in range(1, hours + 1))
    lower, upper = (tuple(value * share for value in told) for share in (LOWER, UPPER))
    station = Station("one", "one", at(0, 500), Network.URBAN)
    series = {pollutant: Quantiles(lower, told, upper, told)}
    return KnownAir(field_of(StationForecast(station, ISSUED, tuple(range(1, hours + 1)), series)))


@pytest.fixture(scope="module")
def region() -> Region:
    """From west to east: a main road of 1,300 m, which takes 1,000 s, and a path through a park that takes 1,050 s."""
    bend = Edge(0, 1, RoadClass.PARK_PATH, via=((650.0, 208.0),))
    return Region(plan([(0.0, 0.0), (1300.0, 0.0)], [Edge(0, 1, RoadClass.ARTERIAL), bend]))


def finder_of(
    region: Region, known: KnownAir, sensitivity: Sensitivity = Sensitivity.NORMAL, mode: TravelMode = TravelMode.WALK
) -> Wayfinder:
    return Wayfinder(region, known, NOW, mode, Traveller(sensitivity))


def leavings(finder: Wayfinder, hours: int, first: datetime = NOW, end_m: float = 1300.0) -> tuple[Leaving, ...]:
    origin, destination = (finder.region.snap(at(x, 0), finder.mode, "origin") for x in (0, end_m))
    return departures(finder, first, hours, origin, destination)


def test_times_are_the_start_and_the_full_hours_after_it() -> None:
    first = datetime(2025, 11, 3, 8, 35, tzinfo=UTC)
    assert [time.strftime("%H:%M") for time in times_to_leave(first, 3)] == ["08:35", "09:00", "10:00", "11:00"]
    full = datetime(2025, 11, 3, 23, tzinfo=UTC)
    assert [time.strftime("%d %H:%M") for time in times_to_leave(full, 2)] == ["03 23:00", "04 00:00", "04 01:00"]
    assert len(times_to_leave(first, 72)) == 73


def test_the_best_time_is_when_the_air_has_cleared(region: Region) -> None:
    found = leavings(finder_of(region, air_by_hour(lambda horizon: 10.0 if horizon == 4 else 40.0)), 6)
    assert best_of(found) == 3
    assert found[3].time == ISSUED + 3 * HOUR
    assert found[3].way.doses[0].dose_ug == pytest.approx(found[0].way.doses[0].dose_ug / 4, rel=1e-6)


def test_of_equal_times_the_first_is_best() -> None:
    quiet = Region(plan([(0.0, 0.0), (1300.0, 0.0)], [Edge(0, 1)]))
    found = leavings(finder_of(quiet, air_by_hour(lambda _: 20.0)), 12)
    assert len(found) == 13
    assert best_of(found) == 0


@pytest.mark.parametrize("sensitivity", list(Sensitivity))
@pytest.mark.parametrize("mode", [TravelMode.WALK, TravelMode.RUN])
def test_in_steady_air_each_way_is_the_healthiest(region: Region, sensitivity: Sensitivity, mode: TravelMode) -> None:
    finder = finder_of(region, air_by_hour(lambda _: 25.0, NO2), sensitivity, mode)
    origin, destination = (region.snap(at(x, 0), mode, "origin") for x in (0, 1300))
    for leaving in leavings(finder, 3):
        expected = finder.find(RouteType.HEALTHIEST, leaving.time, origin, destination)
        assert leaving.way.path.arcs.tolist() == expected.path.arcs.tolist()
        assert leaving.way.load == pytest.approx(expected.load)


def test_the_way_follows_the_air_of_its_hour(region: Region) -> None:
    found = leavings(finder_of(region, air_by_hour(lambda horizon: 90.0 if horizon <= 3 else 0.1, NO2)), 5)
    lengths = [leaving.way.length_m for leaving in found]
    assert lengths == [pytest.approx(1365, abs=1)] * 3 + [pytest.approx(1300, abs=0.1)] * 3


def test_a_way_across_the_turn_of_an_hour_is_chosen_by_both_hours() -> None:
    """A stretch of 45 minutes leads to a choice between a road and a park, which comes in the next hour."""
    nodes = [(0.0, 0.0), (3510.0, 0.0), (4810.0, 0.0)]
    choice = [Edge(1, 2, RoadClass.ARTERIAL), Edge(1, 2, RoadClass.PARK_PATH, via=((4160.0, 208.0),))]
    long = Region(plan(nodes, [Edge(0, 1), *choice]))
    dirty_later = air_by_hour(lambda horizon: 90.0 if horizon >= 3 else 0.1, NO2)
    now, at_nine, at_ten = leavings(finder_of(long, dirty_later), 1 + 1, end_m=4810.0)
    assert now.way.length_m == pytest.approx(4810, abs=1)  # begun at 8:35, done by 9:37: the hours before ten are clean
    assert at_nine.way.length_m == pytest.approx(4810, abs=1)
    assert at_ten.way.length_m == pytest.approx(4875, abs=1)  # comes to the choice at 10:45
    late = datetime(2025, 11, 3, 9, 30, tzinfo=UTC)
    (half_past, *_) = leavings(finder_of(long, dirty_later), 1, first=late, end_m=4810.0)
    assert half_past.way.length_m == pytest.approx(4875, abs=1)  # begun in clean air, but it comes there at 10:15


def test_a_window_beyond_the_forecast_says_how_far_it_may_reach(region: Region) -> None:
    finder = finder_of(region, air_by_hour(lambda _: 20.0, hours=10))
    with pytest.raises(DepartureBeyondForecast) as refused:
        leavings(finder, 11)
    assert refused.value.field == "departure_window_hours"
    assert refused.value.metadata == {"last_hour": "2025-11-03T18:00:00Z", "most_hours": "9"}
    assert "9 hours at most" in refused.value.message
    assert len(leavings(finder, 9)) == 10
    with pytest.raises(DepartureBeyondForecast, match="earlier departure_time"):
        leavings(finder, 1, first=datetime(2025, 11, 3, 17, 30, tzinfo=UTC) + HOUR / 2)


def test_the_whole_of_a_fresh_forecast_can_be_asked_for(region: Region) -> None:
    assert len(leavings(finder_of(region, air_by_hour(lambda _: 20.0)), 72)) == 73


def test_in_unknown_air_no_time_is_better_than_another(region: Region) -> None:
    assert leavings(finder_of(region, KnownAir()), 6) == ()


def test_what_is_wrong_with_the_ends_is_said(region: Region) -> None:
    with pytest.raises(EqualEnds):
        leavings(finder_of(region, KnownAir()), 6, end_m=0.0)
    one_way = Region(plan([(0, 0), (500, 0)], [Edge(1, 0, back=Access(0))]))
    with pytest.raises(NoRoute):
        leavings(finder_of(one_way, KnownAir()), 6, end_m=500.0)
