"""On real air that the fit has not seen, the shipped model is better than saying that all stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.damped_persistence import DampedPersistence
from predictor.models.model_file import BASELINE, load
from predictor.training.recordings import Recording, load_downtown
from predictor.training.scores import SCORED_HOURS, Scores, score

pytestmark = pytest.mark.real_data

EVERY_HOURS = 7
"""Issue hours apart: with 24 it has no common factor, so that every hour of the day takes part."""


@pytest.fixture(scope="module")
def recording(real_data: Path) -> Recording:
    return load_downtown(real_data / "air")


@pytest.fixture(scope="module")
def scores(recording: Recording) -> Scores:
    torch.set_num_threads(1)
    model = load(BASELINE).model
    assert isinstance(model, DampedPersistence)
    return score(model, recording, every_hours=EVERY_HOURS)


@pytest.mark.parametrize("pollutant", FORECAST_POLLUTANTS)
def test_it_beats_persistence_at_every_horizon(scores: Scores, pollutant: Pollutant) -> None:
    for hour in SCORED_HOURS:
        one = scores[pollutant, hour]
        assert one.count > 1000
        assert one.rmse < one.persistence_rmse, hour


def test_it_is_as_good_as_the_best_damped_persistence_measured(scores: Scores) -> None:
    # Measured before on the same hours, µg/m³: 11.51. A sample of every seventh hour strays by a few per cent.
    assert scores[Pollutant.PM25, 24].rmse < 11.51 * 1.05
    assert scores[Pollutant.PM25, 24].rmse < 0.9 * scores[Pollutant.PM25, 24].persistence_rmse


@pytest.mark.parametrize("pollutant", FORECAST_POLLUTANTS)
def test_four_in_five_values_lie_inside_the_interval(scores: Scores, pollutant: Pollutant) -> None:
    for hour in SCORED_HOURS:
        assert 0.74 < scores[pollutant, hour].coverage < 0.87, hour


def test_intervals_are_wide_no_further_than_the_air_itself_strays(recording: Recording, scores: Scores) -> None:
    values = torch.from_numpy(recording.values[:, 0]).nan_to_num()
    spread = torch.quantile(values[::5], torch.tensor([0.1, 0.9], dtype=torch.float64), dim=0)
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        assert scores[pollutant, 72].width < 1.1 * float(spread[1, axis] - spread[0, axis])
