"""`cleanair up`: the whole mesh on this machine, with nothing installed beside it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.children import Children
from cli.failure import CommandFailed
from cli.first_of import first_of
from cli.ports import free_port, require_free
from cli.readiness import serving, whole
from cli.settings import OPERATOR_KEY_FILE, CommandSettings
from gateway.settings import GatewaySettings
from ingestion.settings import IngestionSettings
from predictor.settings import PredictorSettings
from router.machine_code import keep_machine_code
from router.settings import RouterSettings
from simulation.city import ensure_city
from simulation.feed import FeedSettings

_READY_SECONDS: Final = 180.0
"""Far beyond what a start takes, be it the first on a busy machine."""

_T = TypeVar("_T")


def up(settings: CommandSettings) -> None:
    """Starts everything, says how to use it, and stops everything at Ctrl-C."""
    asyncio.run(_up(settings, Console(soft_wrap=True)))


async def _up(settings: CommandSettings, console: Console) -> None:
    started = time.monotonic()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    mesh = _Mesh(settings)
    mesh.require_ports()
    children = Children(settings.data_dir / "logs")
    try:
        with _progress(console) as progress:
            await first_of(mesh.start(children, progress), stopped.wait())
        if not stopped.is_set():
            console.print(mesh.welcome(time.monotonic() - started), highlight=False, markup=False)
            await first_of(children.fail_when_one_ends(), stopped.wait())
    finally:
        with console.status("Stopping …"):
            await children.stop()
        console.print("Stopped.")


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
    )


class _Mesh:
    """What runs, where, and with which environment."""

    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings
        self._ingestion = IngestionSettings()
        self._predictor = PredictorSettings()
        self._router = RouterSettings()
        self._gateway = GatewaySettings()
        self._feed = FeedSettings()
        self._simulated_air = "CLEANAIR_AIRKOREA_URL" not in os.environ
        self._simulated_city = "CLEANAIR_GRAPH_PATH" not in os.environ

    def require_ports(self) -> None:
        """Raises CommandFailed when a port is taken."""
        require_free(
            self._settings.host,
            {
                "CLEANAIR_GATEWAY_PORT": self._gateway.gateway_port,
                "CLEANAIR_INGESTION_PORT": self._ingestion.ingestion_port,
                "CLEANAIR_PREDICTOR_PORT": self._predictor.predictor_port,
                "CLEANAIR_ROUTER_PORT": self._router.router_port,
            },
        )

    async def start(self, children: Children, progress: Progress) -> None:
        """Makes what is missing, starts all at once, and returns when the whole mesh answers."""
        environment = self._environment()
        if self._simulated_air:
            port = free_port(self._settings.host)
            environment |= {"CLEANAIR_FEED_PORT": str(port)}
            feed = f"http://{self._settings.host}:{port}"
            environment |= {"CLEANAIR_AIRKOREA_URL": feed, "CLEANAIR_KMA_URL": os.environ.get("CLEANAIR_KMA_URL", feed)}
            await children.start("feed", _command("feed"), environment)
        # Ingestion and predictor can begin while the city is still being built.
        for name in ("ingestion", "predictor"):
            await children.start(name, _command(name), environment)
        graph, _ = await asyncio.gather(self._graph(progress), self._rehearsal(progress, environment))
        environment["CLEANAIR_GRAPH_PATH"] = str(graph)
        for name in ("router", "gateway"):
            await children.start(name, _command(name), environment)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await first_of(self._until_ready(progress), children.fail_when_one_ends())
        except TimeoutError as error:
            raise CommandFailed(f"Not ready after {_READY_SECONDS:g} s; the logs are in {children.log('*')}") from error

    def welcome(self, seconds: float) -> str:
        """What to do now."""
        host, data = self._settings.host, self._settings.data_dir
        url = f"http://{host}:{self._gateway.gateway_port}"
        ports = (self._ingestion.ingestion_port, self._predictor.predictor_port, self._router.router_port)
        servers = ", ".join(
            f"{n} {host}:{port}" for n, port in zip(("ingestion", "predictor", "router"), ports, strict=True)
        )
        body = _example_body("36.335,127.880", "36.365,127.920")
        lines = [
            f"Ready in {seconds:.1f} s. REST, gRPC and gRPC-Web at {url}",
            f"For debugging, by reflection: {servers}",
            f"Operator key in {data / OPERATOR_KEY_FILE}, logs in {data / 'logs'}",
            *(["The city is simulated: no such place exists."] if self._simulated_city else []),
            *(["Its air and weather are simulated as well."] if self._simulated_air else []),
            "Try:",
            "",
            f"  curl -s {url}/api/v1/routes/calculate -H 'content-type: application/json' -d '{body}'",
            "",
            "Ctrl-C stops everything.",
        ]
        return "\n".join(lines)

    def _environment(self) -> dict[str, str]:
        """What the children are told beside what we were told ourselves."""
        host = self._settings.host
        key = self._settings.operator_api_key
        value = key.get_secret_value() if key is not None else secrets.token_urlsafe(32)
        file = self._settings.data_dir / OPERATOR_KEY_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(value + "\n", encoding="utf-8")
        return {
            "CLEANAIR_DATA_DIR": str(self._settings.data_dir.resolve()),
            "CLEANAIR_OPERATOR_API_KEY": value,
            "CLEANAIR_INGESTION_TARGET": f"{host}:{self._ingestion.ingestion_port}",
            "CLEANAIR_PREDICTOR_TARGET": f"{host}:{self._predictor.predictor_port}",
            "CLEANAIR_ROUTER_TARGET": f"{host}:{self._router.router_port}",
            # Nobody balances over a single machine: a stop need not wait for balancers.
            "CLEANAIR_LAME_DUCK_SECONDS": "0",
        }

    async def _graph(self, progress: Progress) -> Path:
        """The graph to serve: the one asked for, or the simulated city's, made once."""
        if not self._simulated_city:
            return Path(os.environ["CLEANAIR_GRAPH_PATH"])
        from router.importing import import_file
        from router.places.store import places_path

        def make() -> Path:
            extract = ensure_city(self._settings.data_dir, self._feed.simulation_seed)
            graph = extract.with_suffix("").with_suffix(".graph")
            if not (graph.is_file() and places_path(graph).is_file()):
                import_file(extract, graph)
            return graph.resolve()

        return await _shown(progress, "Simulated city", asyncio.to_thread(make))

    async def _rehearsal(self, progress: Progress, environment: dict[str, str]) -> None:
        """Compiles what the router runs while the city is being made, at the first start in a data folder.

        If that fails, so will the router, whose log says why.
        """
        if keep_machine_code(self._settings).exists():
            return
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router.rehearsal"),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _shown(progress, "Machine code", process.wait())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _until_ready(self, progress: Progress) -> None:
        host = self._settings.host
        servers = {
            "Ingestion": self._ingestion.ingestion_port,
            "Predictor": self._predictor.predictor_port,
            "Router": self._router.router_port,
        }
        async with asyncio.TaskGroup() as group:
            for name, port in servers.items():
                group.create_task(_shown(progress, name, serving(f"{host}:{port}")))
        await _shown(progress, "Whole mesh", whole(f"{host}:{self._gateway.gateway_port}"))


def _command(server: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "cli", "serve", server)


async def _shown(progress: Progress, name: str, step: Awaitable[_T]) -> _T:
    """Awaits a step, with a line that turns until it is done."""
    task = progress.add_task(name, total=None)
    outcome = await step
    progress.update(task, total=1, completed=1)
    return outcome


def _example_body(origin: str, destination: str) -> str:
    ends = []
    for name, text in (("origin", origin), ("destination", destination)):
        latitude, longitude = text.split(",")
        ends.append(f'"{name}":{{"latitude":{latitude},"longitude":{longitude}}}')
    return "{" + ",".join(ends) + "}"
