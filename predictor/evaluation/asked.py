"""What an evaluation is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Asked:
    """What to score, and when.

    Attributes:
        every_hours: Issue hours are those whose number since 1970-01-01T00 (Korea's clock) it divides.
        since: The first issue hour, with its zone; else the first that has a window before it.
        train_until: LightGBM is fitted to hours up to this one, with its zone, and all are scored after it; without it,
            and where LightGBM is not installed, it is left out.
        weather: A file of weather, for `known_weather`.
        weather_as_forecast: Whether weather that was observed later may stand in for forecasts, made as wrong as they.
        models: More model files to score, each named by its file.
    """

    every_hours: int = 1
    since: datetime | None = None
    train_until: datetime | None = None
    weather: Path | None = None
    weather_as_forecast: bool = False
    models: tuple[Path, ...] = ()
