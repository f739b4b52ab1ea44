"""Made-up recordings to train on: air that wanders, falls in rain, and is told with gaps."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from air.places import Network, Point, Station
from predictor.models.observed import NO_HOLIDAYS
from predictor.training.recordings import TEST, TRAIN, TUNE
from predictor.training.splits import Kind
from predictor.training.training_set import Neighbours, TrainingSet, inputs_of

FIRST_HOUR: Final = 484_768
"""In April 2025."""

_TRAINED, _TUNED = 1900, 150

_USUAL: Final = np.array([22.0, 45.0, 0.030, 0.022, 0.5, 0.004])
_SHARES: Final = {Kind.KOREA: 0.6, Kind.DOWNTOWN: 0.4}


def made_up_set(kind: Kind, *, stations: int = 3, hours: int = 2200, seed: int = 3) -> TrainingSet:
    """One network; first come hours to train on, then to tune, then to test; in Korea no weather is known."""
    random = np.random.default_rng(seed)
    rain = np.where(random.random(hours) < 0.05, random.exponential(3.0, hours), 0.0)
    z = np.zeros((hours, stations, 6))
    for hour in range(1, hours):
        z[hour] = 0.96 * z[hour - 1] + random.normal(0, 0.12, (stations, 6)) - 0.02 * rain[hour]
    values = (_USUAL * np.exp(z)).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    weather = random.normal([12, 60, 0, 0, 2.5, 0, 5], [8, 15, 2, 2, 1, 0, 3], (hours, 7)).astype(np.float32)
    weather[:, 5] = rain
    network = tuple(
        Station(f"{kind} {place}", "made up", Point(37.5 + 0.02 * place, 127.0), Network.URBAN)
        for place in range(stations)
    )
    return TrainingSet(
        kind=kind,
        stations=network,
        fitted=np.ones(stations, np.bool_),
        first_hour=FIRST_HOUR,
        values=values,
        inputs=inputs_of(values, network, Neighbours.NEAR if stations > 1 else Neighbours.NONE),
        weather=torch.from_numpy(weather) * (torch.nan if kind is Kind.KOREA else 1.0),
        holidays=NO_HOLIDAYS,
        part=np.select([np.arange(hours) < _TRAINED, np.arange(hours) < _TRAINED + _TUNED], [TRAIN, TUNE], TEST),
        share=_SHARES[kind],
    )


def made_up_sets() -> tuple[TrainingSet, ...]:
    """Three stations of Korea, and one on its own with weather."""
    return made_up_set(Kind.KOREA), made_up_set(Kind.DOWNTOWN, stations=1, seed=4)
