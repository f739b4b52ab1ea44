"""Rows as AirKorea writes them, for tests to change one thing in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from simulation.replay import Recording

NOW = datetime(2026, 3, 16, 0, 16, tzinfo=UTC)
"""09:16 in Seoul."""

HOUR = "2026-03-16 09:00"
MEASURED_AT = datetime(2026, 3, 16, 0, tzinfo=UTC)


def measurement_row(station: str = "중구", hour: str | None = HOUR, **fields: str | None) -> dict[str, object]:
    """A row of getCtprvnRltmMesureDnsty, version 1.0, with nothing missing."""
    row: dict[str, object] = {
        "so2Grade": "1",
        "coFlag": None,
        "khaiValue": "65",
        "so2Value": "0.003",
        "coValue": "0.3",
        "pm25Flag": None,
        "pm10Flag": None,
        "o3Grade": "2",
        "pm10Value": "10",
        "khaiGrade": "2",
        "pm25Value": "7",
        "sidoName": "서울",
        "no2Flag": None,
        "no2Grade": "1",
        "o3Flag": None,
        "pm25Grade": "1",
        "so2Flag": None,
        "dataTime": hour,
        "coGrade": "1",
        "no2Value": "0.015",
        "stationName": station,
        "pm10Grade": "1",
        "o3Value": "0.047",
    }
    unknown = set(fields) - set(row)
    assert not unknown, f"AirKorea has no field {unknown}"
    return {**row, **fields}


def station_row(station: str = "중구", **fields: str | None) -> dict[str, object]:
    """A row of getMsrstnList."""
    row: dict[str, object] = {
        "dmX": "37.564639",
        "item": "SO2, CO, O3, NO2, PM10, PM2.5",
        "mangName": "도시대기",
        "year": "1995",
        "addr": "서울 중구 덕수궁길 15",
        "stationName": station,
        "dmY": "126.975961",
    }
    return {**row, **fields}


def recording(*answers: Sequence[Mapping[str, object]], stations: tuple[str, ...] = ("중구", "종로구")) -> Recording:
    """A recording with these answers, of these stations."""
    return Recording([station_row(station) for station in stations], list(answers))
