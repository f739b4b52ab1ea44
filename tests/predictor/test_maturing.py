"""Forecasts come true once, are scored by what was told, and come back from where they are kept as they were."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.maturing import SCORED, SUMS, Measured, matured, newly_measured, scored
from predictor.models.axes import HORIZON_HOURS
from predictor.models.calibration import LEADS
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.pending import LATE_HOURS, Pending, PendingIssue
from predictor.window import Reading, ReadingWindow, hour_of
from tests.predictor.air import CHEONGGYE, HOUR, JONGNO, JUNG, NOON, TYPICAL, reading

NOON_HOUR = hour_of(NOON)
STATIONS = (CHEONGGYE, JONGNO, JUNG)
IDS = tuple(sorted(station.station_id for station in STATIONS))


def issue(issue_hour: int, station_ids: Sequence[str] = IDS, level: float = 20.0, last: float = 15.0) -> PendingIssue:
    """Two members that say `level` and one more at one hour ahead, one higher each hour; the first is told."""
    hours = level + np.arange(HORIZON_HOURS, dtype=np.float32)[:, None] + np.zeros((len(station_ids), 1, 4), np.float32)
    quantiles = hours[..., None] + np.array([-5, 0, 5], np.float32)
    said = MemberForecasts(np.stack([hours, hours + 1]), np.stack([quantiles, quantiles + 1]))
    told = FieldForecast(hours, quantiles)
    return PendingIssue.of(issue_hour, station_ids, said, told, np.full((len(station_ids), 4), last, np.float32))


def measured(hour: int, values: dict[str, float]) -> Measured:
    return Measured(hour, tuple(values), np.array([[value] * 4 for value in values.values()], np.float32))


@st.composite
def elements(draw: st.DrawFn) -> list[list[Reading]]:
    """Elements of readings of three stations: hours in any order, gaps, corrections, values that come later."""
    cell = st.one_of(st.none(), st.floats(1, 100, width=32))
    one = st.builds(
        lambda station, hour, value: reading(station, NOON + hour * HOUR, (value, *TYPICAL[1:])),
        st.sampled_from(STATIONS),
        st.integers(0, 30),
        cell,
    )
    return draw(st.lists(st.lists(one, max_size=8), max_size=12))


@given(elements())
@settings(max_examples=60, deadline=None)
def test_each_value_is_news_once_whatever_is_corrected_later(told: list[list[Reading]]) -> None:
    window, known = ReadingWindow(336), dict[tuple[str, int], float]()
    for element in told:
        after, changed = window.with_readings(element)
        news = newly_measured(window, after, changed, NOON_HOUR)
        assert [one.hour for one in news] == sorted({one.hour for one in news})
        for one in news:
            for station_id, truth in zip(one.station_ids, one.truth[:, 0].tolist(), strict=True):
                if math.isfinite(truth):
                    assert (station_id, one.hour) not in known
                    known[station_id, one.hour] = truth
        by_hand = {(r.station.station_id, hour_of(r.measured_at)): r.values[0] for r in element}
        for key, value in by_hand.items():
            assert value is None or key in known
            if value is None:
                # Taken back: should it be given again, that is news.
                known.pop(key, None)
        window = after


def test_what_was_said_at_each_lead_comes_with_what_came() -> None:
    pending = Pending([issue(NOON_HOUR - 24, level=50), issue(NOON_HOUR - 1)])
    found = matured(pending, measured(NOON_HOUR, {JONGNO.station_id: 22.0, "new": 9.0}))
    assert found is not None
    assert (found.hour, found.leads.tolist()) == (NOON_HOUR, [1, 24])
    np.testing.assert_array_equal(found.said.mean[:, 0, :, 0], [[20, 73], [21, 74]])
    np.testing.assert_array_equal(found.said.quantiles[0, 0, 0, 0], [15, 20, 25])
    assert found.told is not None
    np.testing.assert_array_equal(found.told.mean[0, :, 0], [20, 73])
    assert np.isnan(found.said.mean[:, 1]).all(), "nothing was said of a station that is new"
    assert matured(pending, measured(NOON_HOUR + 6, {JONGNO.station_id: 22.0})) is None


def test_scores_are_of_what_was_told() -> None:
    pending = Pending([issue(NOON_HOUR - 1), issue(NOON_HOUR - 3, level=30, last=math.nan)])
    news = [measured(NOON_HOUR, {JONGNO.station_id: 26.0}), measured(NOON_HOUR + 2, {JONGNO.station_id: 22.0})]
    ((key, sums),) = scored(pending, news).items()
    assert key == (NOON_HOUR // 24, JONGNO.station_id)
    at = {lead: dict(zip(SUMS, sums[place, 0].tolist(), strict=True)) for place, lead in enumerate(SCORED)}
    # One hour ahead 20 was told with ± 5, and 26 came, where persistence said 15.
    assert at[1] == {
        "count": 1, "error": -6, "absolute_error": 6, "squared_error": 36, "inside": 0,
        "compared_count": 1, "compared_squared_error": 36, "persistence_squared_error": 121,
    }  # fmt: skip
    # Three hours ahead: 32 for 26, of which persistence said nothing; and 22 for 22.
    assert at[3] == {
        "count": 2, "error": 6, "absolute_error": 6, "squared_error": 36, "inside": 1,
        "compared_count": 1, "compared_squared_error": 0, "persistence_squared_error": 49,
    }  # fmt: skip
    assert not any(at[24].values())


def test_of_a_station_the_last_word_of_an_issue_hour_counts() -> None:
    later = issue(NOON_HOUR, ["new", JONGNO.station_id], level=70, last=1)
    pending = Pending().with_issue(issue(NOON_HOUR)).with_issue(later)
    (merged,) = pending.issues.values()
    assert merged.station_ids == tuple(sorted([*IDS, "new"]))
    told = dict(zip(merged.station_ids, merged.told.mean[:, 0, 0].tolist(), strict=True))
    assert told == {CHEONGGYE.station_id: 20, JUNG.station_id: 20, JONGNO.station_id: 70, "new": 70}
    said = dict(zip(merged.station_ids, merged.said.quantiles[1, :, 0, 0, 2].tolist(), strict=True))
    assert said == {CHEONGGYE.station_id: 26, JUNG.station_id: 26, JONGNO.station_id: 76, "new": 76}
    assert dict(zip(merged.station_ids, merged.last[:, 0].tolist(), strict=True))["new"] == 1


def test_what_is_too_old_to_come_true_goes() -> None:
    pending = Pending()
    for hour in range(200):
        pending = pending.with_issue(issue(NOON_HOUR + hour))
    assert set(pending.issues) == set(range(NOON_HOUR + 200 - 72 - LATE_HOURS, NOON_HOUR + 200))
    assert pending.first_hour == NOON_HOUR + 200 - 72 - LATE_HOURS + 1


def test_pending_forecasts_are_kept_bit_by_bit() -> None:
    before = issue(NOON_HOUR, level=1e5)
    after = PendingIssue.from_bytes(NOON_HOUR, before.to_bytes(), members=2)
    assert after.station_ids == before.station_ids
    for one, other in (
        (before.said.mean, after.said.mean),
        (before.said.quantiles, after.said.quantiles),
        (before.told.mean, after.told.mean),
        (before.told.quantiles, after.told.quantiles),
        (before.last, after.last),
    ):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(before.said.mean).all(), "half precision has no room for so much"
    assert before.told.mean.shape == (3, len(LEADS), 4)


@pytest.mark.parametrize("content", [b"", b"nonsense", issue(NOON_HOUR).to_bytes()[:-40]])
def test_broken_pending_forecasts_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no pending forecasts"):
        PendingIssue.from_bytes(NOON_HOUR, content, members=2)


def test_pending_forecasts_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="another shape"):
        PendingIssue.from_bytes(NOON_HOUR, issue(NOON_HOUR).to_bytes(), members=3)


def test_a_correction_is_no_news() -> None:
    window, _ = ReadingWindow(48).with_readings([reading()])
    again, changed = window.with_readings([reading(values=(99.0, *TYPICAL[1:]), revision=2)])
    assert changed == {JONGNO.station_id}
    assert newly_measured(window, again, changed, NOON_HOUR - 5) == []
