"""An AirKorea that replays what a test gives it, and the ingestion service that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ingestion.settings import IngestionSettings
from simulation.replay import ReplayServer
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import measurement_row, recording


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    """Two stations that measured once."""
    with ReplayServer(recording([measurement_row("중구"), measurement_row("종로구")])) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, replay: ReplayServer) -> IngestionSettings:
    return quick_settings(tmp_path, replay.url)


@pytest.fixture
async def ingestion(settings: IngestionSettings) -> AsyncIterator[Assembly]:
    async with assembled(settings) as parts:
        yield parts
