"""One row of AirKorea's getMinuDustFrcstDspth: from its words to a bulletin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from air.index import Grade
from air.korea import KST
from air.pollutants import Pollutant
from ingestion.bulletin import Bulletin, RegionGrade
from ingestion.source import RejectedRow, Rows
from ingestion.sources.data_go_kr_answer import Json, Row
from ingestion.sources.fields import SIMULATED, UnreadableRow, text_of

_POLLUTANTS: Final = {"PM10": Pollutant.PM10, "PM25": Pollutant.PM25, "O3": Pollutant.O3}
_GRADES: Final = {
    "좋음": Grade.GOOD,
    "보통": Grade.MODERATE,
    "나쁨": Grade.UNHEALTHY,
    "매우나쁨": Grade.VERY_UNHEALTHY,
    "예보없음": None,
}
# `2023-06-03 23시 발표`; the last word is not always there.
_ISSUED: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{1,2})시(?: *발표)?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LAST_HOUR: Final = 24
_LONGEST_REGION: Final = 20
_LONGEST_TEXT: Final = 4000


def read_bulletins(rows: Iterable[Row]) -> Rows[Bulletin]:
    """The bulletins in rows of getMinuDustFrcstDspth."""
    bulletins: list[Bulletin] = []
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            bulletins.append(read_bulletin(row))
        except UnreadableRow as error:
            subject = f"{text_of(row.get('informCode'))} {text_of(row.get('informData'))}".strip()
            rejected.append(RejectedRow(subject, str(error)))
    return Rows(tuple(bulletins), tuple(rejected))


def read_bulletin(row: Row) -> Bulletin:
    """One row. Raises UnreadableRow."""
    pollutant = _POLLUTANTS.get(text_of(row.get("informCode")))
    if pollutant is None:
        raise UnreadableRow("no pollutant that is forecast")
    grades = _grades(row.get("informGrade"))
    return Bulletin(
        issued_at=_issued_at(row.get("dataTime")),
        target_date=_day(text_of(row.get("informData"))),
        pollutant=pollutant,
        grades=grades,
        # One description of the service spells it with an n.
        overall=_sentences(row.get("informOverall")) or _sentences(row.get("infornOverall")),
        cause=_sentences(row.get("informCause")),
        simulated=all(grade.region.startswith(SIMULATED) for grade in grades),
    )


def _grades(value: Json) -> tuple[RegionGrade, ...]:
    """`서울 : 보통,제주 : 보통,…`, in 19 regions."""
    parts = [part for part in _sentences(value).split(",") if part.strip()]
    if not parts:
        raise UnreadableRow("no grades")
    return tuple(_grade(part) for part in parts)


def _grade(part: str) -> RegionGrade:
    region, _, word = part.partition(":")
    region, word = region.strip(), word.replace(" ", "")
    if not region or len(region) > _LONGEST_REGION or word not in _GRADES:
        raise UnreadableRow("unreadable grades")
    return RegionGrade(region, _GRADES[word])


def _issued_at(value: Json) -> datetime:
    match = _ISSUED.fullmatch(text_of(value))
    if match is None or int(match[2]) > _LAST_HOUR:
        raise UnreadableRow("unreadable time of issue")
    try:
        return (datetime.combine(_day(match[1]), time(), tzinfo=KST) + timedelta(hours=int(match[2]))).astimezone(UTC)
    except OverflowError as error:
        raise UnreadableRow("unreadable time of issue") from error


def _day(text: str) -> date:
    try:
        # fromisoformat alone also takes weeks and bare digits.
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError as error:
        raise UnreadableRow("unreadable day") from error


def _sentences(value: Json) -> str:
    """The text of a field that may go over several lines, on one, free of what no database or message takes."""
    if not isinstance(value, str):
        return ""
    words = ("".join(filter(str.isprintable, word)) for word in value[:_LONGEST_TEXT].split())
    return " ".join(filter(None, words))
