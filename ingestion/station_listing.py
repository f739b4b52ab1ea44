"""Lists stations and the places where they have stood, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ingestion.station import StationPlace
from ingestion.store.stations import StationStore
from mesh.page_token import PageToken, fingerprint

DEFAULT_PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class StationQuestion:
    """Which stations to list; see `ListStationsRequest`."""

    station_ids: Sequence[str] = ()
    include_past: bool = False
    page_size: int = 0
    page_token: str = ""


@dataclass(frozen=True, slots=True)
class StationPage:
    """Places by station, then time; and the token of the next page, empty at the end."""

    places: Sequence[StationPlace]
    next_page_token: str


async def list_stations(store: StationStore, question: StationQuestion) -> StationPage:
    """The page that the question asks for. Raises InvalidPageToken."""
    mark = fingerprint("stations", question.station_ids, question.include_past)
    size = question.page_size or DEFAULT_PAGE_SIZE
    after = None
    if question.page_token:
        token = PageToken.decode(question.page_token, mark)
        after = token.text, token.times[0]
    found = await store.places(
        size + 1, station_ids=question.station_ids, include_past=question.include_past, after=after
    )
    page = found[:size]
    if len(found) == len(page):
        return StationPage(page, "")
    last = page[-1]
    return StationPage(page, PageToken(last.station.station_id, (last.valid_from,)).encode(mark))
