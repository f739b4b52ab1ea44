"""Streaming: readings delivered to 1 and to 10 subscribers, from the database and from memory.

The peer is a bare grpc.aio server in a process of its own that streams the same messages, made before it is asked: what
the transport, and the client that reads, allow at best. To one subscriber messages are parsed; ten share one process,
so they take bytes, or it would be their parsing that is measured. What ten cost is the server's processor time.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import struct
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import grpc
import uvloop
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from pydantic import SecretStr

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from bench.figures import Figure
from cli.readiness import serving
from ingestion.reading import Measurement, Reading
from ingestion.service import FULL_NAME
from ingestion.settings import IngestionSettings
from ingestion.store.readings import ReadingStore
from ingestion.stream import READINGS_AN_ELEMENT
from mesh.database import Database, upgrade
from tests.backing.mesh_processes import MeshProcesses, mesh_processes
from tests.backing.ports import free_port
from tests.backing.postgres import PostgresServer, find_postgres

_STATIONS: Final = 672
_HOURS: Final = 90
_ROWS: Final = _STATIONS * _HOURS
_MESSAGES: Final = -(-_ROWS // READINGS_AN_ELEMENT)
_ROUNDS: Final = 15
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_MANY: Final = 10
_METHOD: Final = f"/{FULL_NAME}/StreamReadings"
_LENGTH: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a delivery took: time, and the server's processor time, in seconds."""

    seconds: float
    processor: float


def measure() -> Iterator[Figure]:
    """Measures with SQLite, then with PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        yield from asyncio.run(_measure(Path(folder), "SQLite", {}))
    if find_postgres() is None:
        return
    with PostgresServer.temporary() as server, tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        url = server.new_database()
        yield from asyncio.run(_measure(Path(folder), "PostgreSQL", {"CLEANAIR_DATABASE_URL": url}))


async def _measure(folder: Path, name: str, environment: Mapping[str, str]) -> list[Figure]:
    await _fill(folder, environment.get("CLEANAIR_DATABASE_URL"))
    with mesh_processes(folder, {"CLEANAIR_COLLECT_ON_SCHEDULE": "false", **environment}) as mesh:
        target = mesh.target("ingestion")
        # Each time on a server that has read nothing yet.
        cold = [
            await _deliver(target, await _start_anew(mesh), subscribers, parse=parse)
            for subscribers, parse in ((1, True), (1, False), (_MANY, False))
        ]
        pid, elements = _pid(mesh), await _elements(target)
        with _bare_server(folder, elements) as (bare_target, bare_pid):
            peers = (target, pid), (bare_target, bare_pid)
            warm, bare = await _in_turns(peers, 1, rounds=_ROUNDS, parse=True)
            warm_bytes, _ = await _in_turns(peers, 1, rounds=_ROUNDS, parse=False)
            warm_many, bare_many = await _in_turns(peers, _MANY, rounds=_ROUNDS // 3, parse=False)
        mesh.stop("ingestion")
    return _figures(
        name,
        f"{_ROWS:,} readings in {len(elements):,} messages of {len(elements[0]) / 1000:,.0f} kB",
        {
            "to one, from memory": (1, warm, bare),
            "to one, from the database": (1, cold[0], bare),
            f"to {_MANY}, from memory": (_MANY, warm_many, bare_many),
            f"to {_MANY}, from the database": (_MANY, cold[2], bare_many),
        },
        {
            "from the database": (cold[2], cold[1]),
            "from memory": (warm_many, warm_bytes),
        },
    )


def _figures(
    name: str, size: str, rates: Mapping[str, tuple[int, _Cost, _Cost]], costs: Mapping[str, tuple[_Cost, _Cost]]
) -> list[Figure]:
    delivered = [
        Figure(
            f"{name}: {what}",
            f"{times * _ROWS / cost.seconds:,.0f} readings/s",
            f"{peer.seconds / cost.seconds:.2f} × bare grpc.aio ({times * _ROWS / peer.seconds:,.0f} readings/s)",
            size,
        )
        for what, (times, cost, peer) in rates.items()
    ]
    spent = [
        Figure(
            f"{name}: cost of {_MANY}, {what}",
            f"{many.processor:.2f} s of the server's processor",
            f"{many.processor / one.processor:.1f} × one subscriber ({one.processor:.2f} s)",
            size,
        )
        for what, (many, one) in costs.items()
    ]
    return delivered + spent


async def _fill(folder: Path, url: str | None) -> None:
    """Hours of readings of which no two are the same."""
    settings = IngestionSettings(data_dir=folder, database_url=SecretStr(url) if url else None)
    await upgrade(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    try:
        store = ReadingStore(database)
        stations = [
            Station(f"station {number}", f"station {number}", Point(37.5, 127.0 + number / 1000), Network.URBAN)
            for number in range(_STATIONS)
        ]
        for hour in range(_HOURS):
            values = {pollutant: (hour % 50 + place) / 100 for place, pollutant in enumerate(Pollutant)}
            measurement = Measurement(values, (), air_quality_index=65, grade=Grade.MODERATE)
            await store.save([Reading(one, _START + timedelta(hours=hour), measurement) for one in stations], _START)
    finally:
        await database.close()


async def _start_anew(mesh: MeshProcesses) -> int:
    """Starts the server, again if it runs; its process."""
    if "ingestion" in mesh.processes:
        mesh.stop("ingestion")
    mesh.start("ingestion")
    await serving(mesh.target("ingestion"))
    return _pid(mesh)


def _pid(mesh: MeshProcesses) -> int:
    return mesh.processes["ingestion"].pid or 0


async def _elements(target: str) -> list[bytes]:
    """What a subscriber gets, up to the last reading."""
    async with grpc.aio.insecure_channel(target) as channel:
        stream: grpc.aio.UnaryStreamMultiCallable[wire.StreamReadingsRequest, bytes] = channel.unary_stream(
            _METHOD, request_serializer=wire.StreamReadingsRequest.SerializeToString
        )
        elements: list[bytes] = []
        count = 0
        async for element in stream(wire.StreamReadingsRequest()):
            elements.append(element)
            count += len(wire.StreamReadingsResponse.FromString(element).readings)
            if count == _ROWS:
                return elements
    raise AssertionError(f"the stream ended after {count} readings")


async def _in_turns(peers: Sequence[tuple[str, int]], subscribers: int, *, rounds: int, parse: bool) -> list[_Cost]:
    """The median of each peer's times, measured in turns, and its mean processor time."""
    costs: list[list[_Cost]] = [[] for _ in peers]
    for _ in range(rounds):
        for (target, pid), found in zip(peers, costs, strict=True):
            found.append(await _deliver(target, pid, subscribers, parse=parse))
    return [
        _Cost(statistics.median(cost.seconds for cost in found), statistics.fmean(cost.processor for cost in found))
        for found in costs
    ]


async def _deliver(target: str, pid: int, subscribers: int, *, parse: bool) -> _Cost:
    """All readings to so many subscribers at once."""
    async with grpc.aio.insecure_channel(target) as channel:
        await channel.channel_ready()
        stream: grpc.aio.UnaryStreamMultiCallable[wire.StreamReadingsRequest, object] = channel.unary_stream(
            _METHOD,
            request_serializer=wire.StreamReadingsRequest.SerializeToString,
            response_deserializer=wire.StreamReadingsResponse.FromString if parse else None,
        )

        async def subscribe() -> None:
            call, missing = stream(wire.StreamReadingsRequest()), _MESSAGES
            while missing:
                await call.read()
                missing -= 1
            call.cancel()

        busy, started = _processor_seconds(pid), time.perf_counter()
        await asyncio.gather(*(subscribe() for _ in range(subscribers)))
        return _Cost(time.perf_counter() - started, _processor_seconds(pid) - busy)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _bare_server(folder: Path, elements: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    """A process that streams these elements; its address and its id."""
    path, port = folder / "elements", free_port()
    path.write_bytes(b"".join(_LENGTH.pack(len(element)) + element for element in elements))
    process = multiprocessing.get_context("spawn").Process(target=_serve_bare, args=(path, port), daemon=True)
    process.start()
    try:
        yield f"127.0.0.1:{port}", int(process.pid or 0)
    finally:
        process.kill()
        process.join()


def _serve_bare(path: Path, port: int) -> None:
    packed, messages, place = path.read_bytes(), list[wire.StreamReadingsResponse](), 0
    while place < len(packed):
        (length,) = _LENGTH.unpack_from(packed, place)
        place += _LENGTH.size + length
        messages.append(wire.StreamReadingsResponse.FromString(packed[place - length : place]))
    uvloop.run(_bare(messages, port))


async def _bare(messages: Sequence[wire.StreamReadingsResponse], port: int) -> None:
    async def stream(_request: object, _context: object) -> AsyncIterator[wire.StreamReadingsResponse]:
        for message in messages:
            yield message

    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[bytes, wire.StreamReadingsResponse] = grpc.unary_stream_rpc_method_handler(
        stream, response_serializer=wire.StreamReadingsResponse.SerializeToString
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(FULL_NAME, {"StreamReadings": handler})])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()
