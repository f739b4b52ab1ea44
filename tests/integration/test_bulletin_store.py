"""Official forecasts are kept by issue, day and pollutant, over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from air.index import Grade
from air.pollutants import Pollutant
from ingestion.bulletin import Bulletin, RegionGrade
from ingestion.settings import IngestionSettings
from ingestion.store.bulletins import BulletinStore
from ingestion.store.readings import Saved
from mesh.database import Database
from tests.backing.tables import make_tables
from tests.ingestion.wire_rows import NOW

_ISSUED = datetime(2026, 3, 15, 20, tzinfo=UTC)
_DAY = date(2026, 3, 16)
_BULLETIN = Bulletin(
    issued_at=_ISSUED,
    target_date=_DAY,
    pollutant=Pollutant.PM25,
    grades=(RegionGrade("서울", Grade.MODERATE), RegionGrade("제주", None)),
    overall="전 권역이 '보통'으로 예상됩니다.",
    cause="대기 확산이 원활합니다.",
)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BulletinStore]:
    url = cast(str, request.getfixturevalue("postgres_ingestion_url")) if request.param == "postgres" else None
    settings = IngestionSettings.model_validate({"data_dir": tmp_path, "database_url": url})
    await make_tables(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    yield BulletinStore(database)
    await database.close()


async def test_what_is_stored_comes_back_and_a_rerun_changes_nothing(store: BulletinStore) -> None:
    assert await store.newest_issue() is None
    assert await store.save([_BULLETIN], NOW) == Saved(new=1)
    assert await store.save([_BULLETIN], NOW) == Saved(unchanged=1)
    assert await store.between(_DAY, _DAY) == [_BULLETIN]
    assert await store.newest_issue() == _ISSUED


async def test_a_bulletin_with_another_content_replaces_it(store: BulletinStore) -> None:
    await store.save([_BULLETIN], NOW)
    corrected = replace(_BULLETIN, grades=(RegionGrade("서울", Grade.UNHEALTHY),))
    assert await store.save([corrected], NOW) == Saved(corrected=1)
    assert await store.between(_DAY, _DAY, include_superseded=True) == [corrected]


async def test_of_doubles_in_one_answer_the_first_stands_as_answers_are_newest_first(store: BulletinStore) -> None:
    assert await store.save([_BULLETIN, replace(_BULLETIN, overall="old")], NOW) == Saved(new=1)
    assert await store.between(_DAY, _DAY) == [_BULLETIN]


async def test_the_newest_issue_supersedes_and_days_come_in_order(store: BulletinStore) -> None:
    later = replace(_BULLETIN, issued_at=_ISSUED + timedelta(hours=6))
    ozone = replace(_BULLETIN, pollutant=Pollutant.O3)
    tomorrow = replace(_BULLETIN, target_date=_DAY + timedelta(days=1))
    await store.save([tomorrow, _BULLETIN, later, ozone], NOW)
    assert await store.between(_DAY, _DAY) == [ozone, later]
    assert await store.between(_DAY, _DAY, include_superseded=True) == [ozone, later, _BULLETIN]
    assert await store.between(_DAY, tomorrow.target_date) == [ozone, later, tomorrow]
    assert await store.between(_DAY - timedelta(days=9), _DAY - timedelta(days=1)) == []


async def test_a_month_of_bulletins_is_stored_at_once(store: BulletinStore) -> None:
    many = [replace(_BULLETIN, issued_at=_ISSUED - timedelta(hours=6 * number)) for number in range(1200)]
    assert await store.save(many, NOW) == Saved(new=1200)
    assert await store.save(many, NOW) == Saved(unchanged=1200)
