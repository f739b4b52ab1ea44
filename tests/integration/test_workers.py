"""Three workers, three replicas, one PostgreSQL, one Redis: each slot is collected once, and none is lost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from ingestion.run import Outcome
from ingestion.service import FULL_NAME, OPERATOR_METHODS, add_to_server
from ingestion.settings import IngestionSettings, WorkerSettings
from ingestion.tasks.app import make_app
from mesh.health import HealthBoard
from mesh.server import GrpcServer, serving
from simulation.airkorea_server import MEASUREMENTS
from simulation.replay import Fault, ReplayServer
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import measurement_row, recording

_WORKERS = 3
_SLOT = datetime(2026, 3, 16, 0, 15, tzinfo=UTC)


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    with ReplayServer(recording([measurement_row("중구"), measurement_row("종로구")])) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, replay: ReplayServer, postgres_ingestion_url: str, redis_url: str) -> IngestionSettings:
    quick = {"lame_duck_seconds": 0, "stop_grace_seconds": 1, "operator_api_key": OPERATOR_KEY}
    return quick_settings(tmp_path, replay.url, database_url=postgres_ingestion_url, redis_url=redis_url, **quick)


@pytest.fixture
async def replicas(settings: IngestionSettings) -> AsyncIterator[dict[int, Assembly]]:
    """Servers by port."""
    async with AsyncExitStack() as stack:
        servers = {}
        for _ in range(_WORKERS):
            parts = await stack.enter_async_context(assembled(settings))
            board = HealthBoard("ingestion")
            server = GrpcServer(settings, port=0, board=board, operator_methods=OPERATOR_METHODS)
            server.add(add_to_server, parts.service, FULL_NAME)
            servers[await stack.enter_async_context(serving(server))] = parts
        yield servers


@pytest.fixture
def workers(replicas: dict[int, Assembly], redis_url: str, tmp_path: Path) -> Iterator[list[MeshProcesses]]:
    """A worker for each server."""
    with ExitStack() as stack:
        processes = []
        for number, port in enumerate(replicas):
            folder = tmp_path / f"worker{number}"
            folder.mkdir()
            told = {"CLEANAIR_REDIS_URL": redis_url, "CLEANAIR_INGESTION_TARGET": f"127.0.0.1:{port}"}
            processes.append(stack.enter_context(mesh_processes(folder, told)))
            processes[-1].start("worker")
        yield processes


class Beat:
    """Sends what the beat would, when a test wants it."""

    def __init__(self, redis_url: str) -> None:
        self._app = make_app(WorkerSettings(redis_url=SecretStr(redis_url)))

    def send(self, feed: str, slot: datetime, times: int = 1) -> None:
        # A connection of its own: one from the pool would outlive the test.
        with self._app.connection_for_write() as connection:
            for _ in range(times):
                self._app.send_task("data_collection", args=(feed, slot.isoformat()), connection=connection)


@pytest.fixture
def beat(redis_url: str) -> Beat:
    return Beat(redis_url)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not is_so():  # noqa: ASYNC110 - other processes set no events
            await asyncio.sleep(0.02)


def _outcomes(workers: list[MeshProcesses]) -> Counter[str]:
    """What the workers have said of their tasks."""
    logs = [log for worker in workers if (log := worker.log("worker")).exists()]
    lines = [line for log in logs for line in log.read_text().splitlines() if line[:1] == "{"]
    return Counter(entry["outcome"] for line in lines if (entry := json.loads(line))["event"] == "task")


def _asked(replay: ReplayServer) -> int:
    return sum(request.operation == MEASUREMENTS for request in replay.requests)


async def test_a_slot_that_is_sent_to_all_is_collected_once(
    replicas: dict[int, Assembly], workers: list[MeshProcesses], beat: Beat, replay: ReplayServer, redis_url: str
) -> None:
    slots = [_SLOT, _SLOT + timedelta(minutes=10)]
    for slot in slots:
        beat.send("airkorea", slot, times=2 * _WORKERS)
        beat.send("openaq", slot)
    await _until(lambda: _outcomes(workers).total() == 2 * (2 * _WORKERS + 1))
    assert _outcomes(workers) == {"DONE": 2, "SKIPPED": 2 * (2 * _WORKERS - 1), "NOT_COLLECTED": 2}
    parts = next(iter(replicas.values()))
    runs = await parts.runs.of_feed("airkorea")
    assert {run.slot for run in runs} == set(slots)
    assert [run.outcome for run in runs] == [Outcome.COLLECTED] * 2
    assert sorted(run.counts.new for run in runs) == [0, 2]
    assert _asked(replay) == 2
    assert [one.revision for one in await parts.store.changes(0, 10)] == [1, 1]
    with redis.Redis.from_url(redis_url) as broker:
        await _until(lambda: not broker.exists("cleanair:celery:tasks", "cleanair:celery:unacked"))
    for worker in workers:
        assert worker.stop("worker") == 0
        assert OPERATOR_KEY not in worker.log("worker").read_text()


async def test_what_a_lost_worker_left_is_made_up_for_in_the_next_slot(
    replicas: dict[int, Assembly], workers: list[MeshProcesses], beat: Beat, replay: ReplayServer
) -> None:
    replay.fail_next(Fault(delay_seconds=30.0))
    beat.send("airkorea", _SLOT)
    await _until(lambda: bool(replay.requests))
    for worker in workers:
        worker.kill("worker")
    workers[0].start("worker")
    beat.send("airkorea", _SLOT + timedelta(minutes=10))
    await _until(lambda: _outcomes(workers)["DONE"] == 1)
    parts = next(iter(replicas.values()))
    runs = await parts.runs.of_feed("airkorea")
    assert [run.outcome for run in runs] == [Outcome.COLLECTED, Outcome.ABANDONED]
    assert len(await parts.store.changes(0, 10)) == 2


async def test_an_ingestion_that_is_away_is_called_again(
    replicas: dict[int, Assembly], beat: Beat, replay: ReplayServer, settings: IngestionSettings, tmp_path: Path
) -> None:
    assert settings.redis_url is not None
    told = {
        "CLEANAIR_REDIS_URL": settings.redis_url.get_secret_value(),
        "CLEANAIR_WORKER_RETRY_SECONDS": "0.5",
        "CLEANAIR_NOW": "2026-03-16T00:16:00Z",
    }
    parts = next(iter(replicas.values()))
    with mesh_processes(tmp_path, told) as worker:
        # Nobody listens there yet.
        worker.start("worker")
        beat.send("airkorea", _SLOT)
        await _until(lambda: _outcomes([worker])["UNAVAILABLE"] > 0)
        server = GrpcServer(
            settings, port=worker.ports["ingestion"], board=HealthBoard("again"), operator_methods=OPERATOR_METHODS
        )
        server.add(add_to_server, parts.service, FULL_NAME)
        async with serving(server):
            await _until(lambda: _outcomes([worker])["DONE"] == 1)
    assert [run.slot for run in await parts.runs.of_feed("airkorea")] == [_SLOT]
