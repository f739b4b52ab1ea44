"""The models in service, and what a change of the window leads to with all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from predictor.forecast import Forecast
from predictor.forecasting import forecasts_of, observed_in
from predictor.keeping import KeptLearning, Runs, changes
from predictor.limitation import Limitation
from predictor.limiting import limitations_of
from predictor.maturing import DaySums, newly_measured
from predictor.models.model_file import LoadedModel
from predictor.run import Run
from predictor.weather_book import WeatherSource
from predictor.window import ReadingWindow


class Role(StrEnum):
    """What a model in service is there for."""

    CHAMPION = "champion"
    BASELINE = "baseline"
    CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Lineup:
    """Which models are in service.

    Attributes:
        champion: Forecasts.
        baseline: What all are held against; forecasts in the champion's place while that falls behind it.
        challenger: Forecasts in shadow, and is only scored.
        fallback: True while the baseline forecasts in the champion's place.
    """

    champion: LoadedModel
    baseline: LoadedModel
    challenger: LoadedModel | None = None
    fallback: bool = False

    @property
    def models(self) -> Mapping[str, LoadedModel]:
        """Each once, by SHA-256, the champion first: one file may have several roles."""
        all_roles = (self.champion, self.baseline, self.challenger)
        return {loaded.sha256: loaded for loaded in all_roles if loaded is not None}

    @property
    def teller(self) -> LoadedModel:
        """Whose forecasts are told."""
        return self.baseline if self.fallback else self.champion


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a change of the window led to.

    Attributes:
        runs: The models in service after it.
        forecasts: What is told, a station each.
        told_by: The SHA-256 of the model that says it.
        kept: What is to be kept of what the models have learnt and said.
        scores: By version, what is to be added to its scores.
    """

    runs: Runs
    forecasts: Sequence[Forecast]
    told_by: str
    kept: KeptLearning
    scores: Mapping[str, DaySums]


def step(
    runs: Runs,
    lineup: Lineup,
    before: ReadingWindow,
    after: ReadingWindow,
    changed: Collection[str],
    weather: WeatherSource,
) -> Step:
    """Learns from what is known now, then forecasts for the stations that changed; for all when the hour advanced.

    Takes CPU time: call it off the event loop.
    """
    learned: dict[str, Run] = {}
    scores: dict[str, DaySums] = {}
    first_hours = [run.pending.first_hour for run in runs.values() if run.pending.first_hour is not None]
    news = newly_measured(before, after, changed, min(first_hours)) if first_hours else []
    for sha256, run in runs.items():
        learned[sha256], scores[run.loaded.version] = run.with_news(news)
    asked = changed if after.newest_hour == before.newest_hour else after.stations
    told, forecasts = _forecast(learned, lineup, after, asked, weather)
    return Step(told, forecasts, lineup.teller.sha256, changes(runs, told, after.newest_hour), scores)


def forecast_anew(
    runs: Runs, lineup: Lineup, window: ReadingWindow, asked: Collection[str], weather: WeatherSource
) -> Step:
    """Forecasts with every model for the stations asked for, but those silent for as long as the window is.

    Takes CPU time: call it off the event loop.
    """
    told, forecasts = _forecast(runs, lineup, window, asked, weather)
    return Step(told, forecasts, lineup.teller.sha256, changes(runs, told, window.newest_hour), {})


def _forecast(
    runs: Runs, lineup: Lineup, window: ReadingWindow, asked: Collection[str], weather: WeatherSource
) -> tuple[Runs, Sequence[Forecast]]:
    observed = observed_in(window, asked, weather)
    if observed is None:
        return runs, []
    after: dict[str, Run] = {}
    forecasts: Sequence[Forecast] = []
    for sha256, run in runs.items():
        after[sha256], told = run.forecast(observed)
        if sha256 == lineup.teller.sha256:
            lacking = limitations_of(observed, run.loaded.model)
            if lineup.fallback:
                lacking = [one | {Limitation.FALLBACK} for one in lacking]
            forecasts = forecasts_of(run.loaded.version, told, window, observed, lacking)
    return after, forecasts
