"""The values of simulated weather as KMA writes them: codes, whole numbers, and words for what falls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from simulation.weather import Weather

_CLEAR_BELOW: Final = 0.45
_OVERCAST_FROM: Final = 0.75
_SHOWER: Final = 4
_SHOWER_MM: Final = 5.0
_FEW: Final = {1: 5, 2: 6, 3: 7}
_FEW_MM: Final = 0.5
_RAIN_MM: Final = (1.0, 30.0, 50.0)
_SNOW_CM: Final = (1.0, 5.0)


def precipitation_code(weather: Weather, i: int, *, short: bool) -> str:
    """What falls in the hour `i`. Only a short forecast knows showers, and only the others know a few drops."""
    water, frozen = round(float(weather.water[i]), 1), float(weather.frozen[i])
    if not water:
        return "0"
    kind = 1 if frozen <= 0.0 else 3 if frozen >= 1.0 else 2
    if not short:
        return str(_FEW[kind] if water < _FEW_MM else kind)
    return str(_SHOWER if kind == 1 and water >= _SHOWER_MM else kind)


def sky_code(weather: Weather, i: int) -> str:
    """1 clear, 3 mostly cloudy, 4 overcast."""
    cloud = float(weather.cloud[i])
    if cloud >= _OVERCAST_FROM or weather.water[i] > 0:
        return "4"
    return "1" if cloud < _CLEAR_BELOW else "3"


def wind(weather: Weather, i: int) -> Mapping[str, str]:
    """The wind's components, where it comes from, and its speed."""
    east, north = float(weather.wind_east[i]), float(weather.wind_north[i])
    return {
        "UUU": tenths(east),
        "VVV": tenths(north),
        "VEC": whole((270.0 - np.degrees(np.arctan2(north, east))) % 360.0),
        "WSD": tenths(np.hypot(east, north)),
    }


def rain_words(mm: float) -> str:
    """How much falls within an hour, as water."""
    amount = round(float(mm), 1)
    little, much, most = _RAIN_MM
    if not amount:
        return "강수없음"
    if amount < little:
        return "1mm 미만"
    if amount < much:
        return f"{amount:.1f}mm"
    return "30.0~50.0mm" if amount < most else "50.0mm 이상"


def snow_words(cm: float) -> str:
    """How much snow falls within an hour."""
    amount = round(float(cm), 1)
    little, most = _SNOW_CM
    if not amount:
        return "적설없음"
    if amount < little:
        return "1cm 미만"
    return f"{amount:.1f}cm" if amount < most else "5.0cm 이상"


def tenths(value: float) -> str:
    """With one decimal, if it is not nought."""
    return f"{round(float(value), 1) + 0.0:g}"


def whole(value: float) -> str:
    """Without decimals."""
    return str(round(float(value)))


def in_steps(value: float, step: int) -> str:
    """The multiple of a step that is nearest."""
    return str(step * round(float(value) / step))
