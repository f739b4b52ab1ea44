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


REGIONS = (
    *("서울", "제주", "전남", "전북", "광주", "경남", "경북", "울산", "대구", "부산"),
    *("충남", "충북", "세종", "대전", "영동", "영서", "경기남부", "경기북부", "인천"),
)
"""The 19 regions of a bulletin, in its order."""


def bulletin_row(**fields: str | None) -> dict[str, object]:
    """A row of getMinuDustFrcstDspth."""
    row: dict[str, object] = {
        "informCode": "PM10",
        "informData": "2026-03-16",
        "informGrade": ",".join(f"{region} : 보통" for region in REGIONS),
        "dataTime": "2026-03-16 05시 발표",
        "informCause": "○ [미세먼지] 대기 확산이 원활합니다.",
        "informOverall": "○ [미세먼지] 전 권역이 '보통'으로 예상됩니다.",
        "actionKnack": None,
        **{f"imageUrl{number}": None for number in range(1, 7)},
    }
    return {**row, **fields}


def measurement_row_1_3(station: str = "중구", hour: str = HOUR) -> dict[str, object]:
    """A row of version 1.3: with the network and the 24 h values, without flags."""
    row = {name: value for name, value in measurement_row(station, hour).items() if not name.endswith("Flag")}
    more = {"mangName": "도시대기", "pm10Value24": "42", "pm25Value24": "19", "pm10Grade1h": "1", "pm25Grade1h": "1"}
    return {**row, **more}


def measurement_row_1_5(station: str = "중구", hour: str = HOUR) -> dict[str, object]:
    """A row of version 1.5: the fields of 1.3, flags, a code, and gases to one more decimal."""
    gases = {"so2Value": "0.0027", "coValue": "0.43", "o3Value": "0.0212", "no2Value": "0.0292"}
    return {**measurement_row(station, hour), **measurement_row_1_3(station, hour), **gases, "stationCode": "111121"}


def recording(*answers: Sequence[Mapping[str, object]], stations: tuple[str, ...] = ("중구", "종로구")) -> Recording:
    """A recording with these answers, of these stations."""
    return Recording([station_row(station) for station in stations], list(answers))
