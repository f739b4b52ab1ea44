"""The shipped nets on one thread: 72 hours of four pollutants for a whole network of stations, and where time goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import torch

from air.places import Network, Point, Station
from bench.figures import Figure, milliseconds
from predictor.models.channels import WINDOW_HOURS
from predictor.models.ensemble import Ensemble
from predictor.models.gaps import fill
from predictor.models.model_file import BASELINE, SHIPPED, load
from predictor.models.observed import Observed
from predictor.models.recurrent_ensemble import Known, RecurrentEnsemble, history
from predictor.models.surroundings import around, surroundings_of
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather

_RUNS: Final = 100
_HOURS: Final = 336
_GAPS: Final = 0.25
_ISSUE: Final = 492_000
_USUAL: Final = (20.0, 40.0, 0.03, 0.02, 0.5, 0.004)


def measure() -> Iterator[Figure]:
    """Measures CPU time on made-up air with a quarter of the hours missing."""
    torch.set_num_threads(1)
    model = load(SHIPPED).model
    assert isinstance(model, Ensemble)
    for count in (40, 664):
        size = f"{count} stations × 72 h × 4 pollutants, with CO, SO2 and weather"
        runs = _RUNS if count < 100 else _RUNS // 10  # noqa: PLR2004 # a whole country takes longer
        window, stations, weather = _air(count)
        # Called before the next turn of the loop gives its names another meaning.
        observed = Observed(stations, _ISSUE, window.numpy(), weather)
        field = _times(lambda: model.forecast(observed), runs)  # noqa: B023
        yield Figure("a field of forecasts", milliseconds(field), "", size)
        yield from _parts(model.nets, window, stations, weather, runs)
    baseline = load(BASELINE).model
    window, stations, weather = _air(40)
    observed = Observed(stations, _ISSUE, window.numpy(), weather)
    damped = _times(lambda: baseline.forecast(observed), _RUNS)
    yield Figure("damped persistence", milliseconds(damped), "", "40 stations × 72 h × 4 pollutants")


def _parts(
    model: RecurrentEnsemble, window: torch.Tensor, stations: list[Station], weather: Weather, runs: int
) -> Iterator[Figure]:
    size = f"{len(stations)} stations"
    latitude = np.array([station.location.latitude for station in stations])
    longitude = np.array([station.location.longitude for station in stations])
    places, own = surroundings_of(latitude, longitude), history(window)
    recent = own[:, -WINDOW_HOURS:]
    means = around(recent, places)
    nothing = torch.zeros(len(stations), dtype=torch.int64)
    known = Known(own, nothing + _ISSUE, means, row=nothing, network=nothing, weather=weather)
    inputs, read = torch.cat([recent, means], dim=-1), model.features(known)
    with torch.inference_mode():
        parts: dict[str, Callable[[], object]] = {
            "who is around whom": lambda: surroundings_of(latitude, longitude),
            "means around": lambda: around(recent, places),
            "fill gaps": lambda: fill(inputs),
            "features, with filling": lambda: model.features(known),
            "both nets": lambda: [net(read) for net in model.nets.values()],
        }
        for name, part in parts.items():
            yield Figure(f"  {name}", milliseconds(_times(part, runs)), "", size)


def _times(work: Callable[[], object], runs: int) -> list[float]:
    """CPU seconds of each run of this thread, after two that warm up."""
    seconds = []
    for _ in range(runs + 2):
        start = time.thread_time()
        work()
        seconds.append(time.thread_time() - start)
    return seconds[2:]


def _air(count: int) -> tuple[torch.Tensor, list[Station], Weather]:
    """Stations around Seoul, 40 in the city and the others up to 300 km away."""
    random = np.random.default_rng(1)
    spread = np.where(np.arange(count) < 40, 0.1, 1.2)  # noqa: PLR2004 # Seoul has so many
    latitude, longitude = 37.55 + spread * random.normal(size=count), 127.0 + spread * random.normal(size=count)
    stations = [
        Station(f"station {place}", "", Point(float(at), float(by)), Network.URBAN)
        for place, (at, by) in enumerate(zip(latitude, longitude, strict=True))
    ]
    values = np.array(_USUAL) * np.exp(0.4 * random.normal(size=(count, _HOURS, len(_USUAL))))
    values[random.random((count, _HOURS)) < _GAPS] = math.nan
    weather = Weather(
        torch.from_numpy(random.normal(5, 3, (count, WINDOW_HOURS, OBSERVED)).astype(np.float32)),
        torch.from_numpy(random.normal(5, 3, (count, 72, FORESEEN)).astype(np.float32)),
    )
    return torch.from_numpy(values.astype(np.float32)), stations, weather
