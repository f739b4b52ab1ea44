"""Rows as KMA writes them, for tests to change one thing in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingestion.sources.data_go_kr_answer import Json, Row

OBSERVED: Final[Mapping[str, Json]] = {
    "PTY": "0",
    "REH": "34",
    "RN1": "0",
    "T1H": "-8.1",
    "UUU": "3.2",
    "VEC": "272",
    "VVV": "-0.1",
    "WSD": "3.2",
}
SHORT: Final[Mapping[str, Json]] = {
    "TMP": "14",
    "UUU": "0.8",
    "VVV": "-0.8",
    "VEC": "318",
    "WSD": "1.2",
    "SKY": "1",
    "PTY": "0",
    "POP": "0",
    "WAV": "0",
    "PCP": "강수없음",
    "REH": "55",
    "SNO": "적설없음",
}
ULTRA_SHORT: Final[Mapping[str, Json]] = {
    "LGT": "0",
    "PTY": "1",
    "RN1": "1mm 미만",
    "SKY": "4",
    "T1H": "15",
    "REH": "85",
    "UUU": "0.4",
    "VVV": "-2.6",
    "VEC": "352",
    "WSD": "3",
}


def observation_rows(
    values: Mapping[str, Json] | None = None, base: tuple[Json, Json] = ("20260122", "1100"), **fields: Json
) -> list[Row]:
    """Rows of getUltraSrtNcst: `values` in place of, or beside, one hour without rain; `fields` in every row."""
    return [
        {"baseDate": base[0], "baseTime": base[1], "category": name, "nx": 60, "ny": 127, "obsrValue": value, **fields}
        for name, value in {**OBSERVED, **(values or {})}.items()
    ]


def forecast_rows(
    usual: Mapping[str, Json],
    values: Mapping[str, Json] | None = None,
    valid: tuple[Json, Json] = ("20260123", "0600"),
    base: tuple[Json, Json] = ("20260122", "2300"),
    **fields: Json,
) -> list[Row]:
    """Rows of getVilageFcst or getUltraSrtFcst, likewise."""
    return [
        {
            "baseDate": base[0],
            "baseTime": base[1],
            "category": name,
            "fcstDate": valid[0],
            "fcstTime": valid[1],
            "fcstValue": value,
            "nx": 60,
            "ny": 127,
            **fields,
        }
        for name, value in {**usual, **(values or {})}.items()
    ]
