"""What the nets see of one hour at one station: its own values, its neighbours' and those of the sectors around."""

from __future__ import annotations

from typing import Final

from air.pollutants import FORECAST_POLLUTANTS
from predictor.models.scale import INPUT_POLLUTANTS

WINDOW_HOURS: Final = 168
"""The hours that are looked at one by one; of the week before them only the mean counts."""

HISTORY_HOURS: Final = 2 * WINDOW_HOURS
"""The hours that are of use in all."""

SECTORS: Final = (
    (30.0, 100.0, 135.0, 225.0),
    (30.0, 100.0, 225.0, 337.5),
    (30.0, 100.0, 337.5, 135.0),
    (100.0, 250.0, 135.0, 225.0),
    (100.0, 250.0, 225.0, 337.5),
    (100.0, 250.0, 337.5, 135.0),
)
"""Rings and bearings around a station: above and up to so many km, from and below so many degrees clockwise of north.

South, west, and the rest: what comes to Seoul from afar comes by the west and the south.
"""

SECTOR_POLLUTANTS: Final = 3
"""Of the sectors only the first of FORECAST_POLLUTANTS are looked at: NO2 does not live long enough to come so far."""

FORECAST: Final = len(FORECAST_POLLUTANTS)
OWN: Final = slice(0, len(INPUT_POLLUTANTS))
NEAR: Final = slice(OWN.stop, OWN.stop + FORECAST)
SECTOR: Final = slice(NEAR.stop, NEAR.stop + len(SECTORS) * SECTOR_POLLUTANTS)
"""Sector by sector, the pollutants of each together."""

CHANNELS: Final = SECTOR.stop
AROUND: Final = CHANNELS - OWN.stop
"""How many are of the surroundings."""
