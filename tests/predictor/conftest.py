"""A predictor without a left neighbour: tests hand it readings themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import torch

from predictor.settings import PredictorSettings
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import NOON, plain_model_file
from tests.predictor.assembly import Predictor, open_predictor, predictor_settings


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """As it serves; and threads that wait for each other on busy cores take seconds for nothing."""
    torch.set_num_threads(1)


@pytest.fixture
def settings(tmp_path: Path) -> PredictorSettings:
    return predictor_settings(tmp_path, model_path=plain_model_file(tmp_path))


@pytest.fixture
async def predictor(settings: PredictorSettings) -> AsyncIterator[Predictor]:
    async with open_predictor(settings, SettableClock(NOON), follow=False) as parts:
        yield parts
