"""A PostgreSQL with PostGIS of the tests' own: on a free port, in a folder of its own, gone when the tests are done."""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from mesh.database import upgrade
from mesh.settings import MeshSettings
from tests.backing.ports import free_port

_OLDEST: Final = 15
# What all databases of a session fit into by far, and what shared memory has where it is not kept small.
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
_ROOM_BYTES: Final = 4 << 30
_START_SECONDS: Final = 30
# The tests' data need not outlive the machine: no flushing to disk. But a commit is written before it is told (so
# synchronous_commit stays on), for tests kill the server. Connections come over TCP only.
_OPTIONS: Final = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=200",
)


def find_postgres() -> Path | None:
    """The programs of the newest installed PostgreSQL (15 or later) that has PostGIS; None when there is none."""
    found = {
        int(share.name): Path("/usr/lib/postgresql", share.name, "bin")
        for share in Path("/usr/share/postgresql").glob("*")
        if share.name.isdigit() and (share / "extension/postgis.control").exists()
    }
    usable = {version: programs for version, programs in found.items() if (programs / "initdb").exists()}
    newest = max(usable, default=0)
    return usable[newest] if newest >= _OLDEST else None


class PostgresServer:
    """A running server, to be stopped, killed and started by tests of faults. Keeps its port and its data throughout.

    Runs as the user `postgres` when the tests run as root, which PostgreSQL refuses to be.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._names = itertools.count(1)
        self._migrated: set[str] = set()
        self.port: Final = free_port()
        self._run("initdb", "--pgdata", self._data, "--username=postgres", "--auth=trust", "--encoding=UTF8",
                  "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        self.start()
        self._sql("postgres", "CREATE DATABASE with_postgis")
        self._sql("with_postgis", "CREATE EXTENSION postgis")

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[PostgresServer]:
        """A server in a new folder, stopped and removed at the end. Raises FileNotFoundError when none is installed."""
        programs = find_postgres()
        if programs is None:
            raise FileNotFoundError("no PostgreSQL with PostGIS: run tools/install_test_services.sh")
        folder = Path(tempfile.mkdtemp(prefix="cleanair-postgres-", dir=_roomy_memory()))
        user = _user()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        try:
            server = cls(programs, folder)
            try:
                yield server
            finally:
                server.kill()
        finally:
            shutil.rmtree(folder)

    def start(self) -> None:
        """Starts the server unless it runs; returns when it takes connections."""
        if not self.is_running:
            options = " ".join(f"-c {option}" for option in (f"port={self.port}", *_OPTIONS))
            self._control(
                "start", "--wait", f"--timeout={_START_SECONDS}", f"--log={self._log}", f"--options={options}"
            )

    def stop(self) -> None:
        """Stops the server in good order: connections are told, data are written."""
        if self.is_running:
            self._control("stop", "--wait", "--mode=fast")

    def kill(self) -> None:
        """Stops the server as a crash would: the next start recovers what was committed."""
        if self.is_running:
            self._control("stop", "--wait", "--mode=immediate")

    @property
    def is_running(self) -> bool:
        """Whether the server runs."""
        return (self._data / "postmaster.pid").exists()

    def new_database(self, service: str | None = None) -> str:
        """The URL of a new database with PostGIS, and with the newest tables of a service where one is named.

        Their log is known by the same epoch in each: a test of a store that is replaced migrates its own.
        """
        self.start()
        template = "with_postgis" if service is None else self._with_tables(service)
        return self._copy(template, f"cleanair_{next(self._names)}")

    def _with_tables(self, service: str) -> str:
        name = f"with_{service}"
        if service not in self._migrated:
            self._migrate(self._copy("with_postgis", name), service)
            self._migrated.add(service)
        return name

    def _copy(self, template: str, name: str) -> str:
        # A template's files copied are an order of magnitude faster than an extension or tables made.
        self._sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    def _migrate(self, url: str, service: str) -> None:
        settings = MeshSettings.model_validate({"database_url": url})
        # In a thread, for whoever asks may have a loop of its own that runs.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, upgrade(settings, service)).result()

    def _control(self, action: Literal["start", "stop"], *arguments: str) -> None:
        self._run("pg_ctl", action, "--silent", "--pgdata", self._data, *arguments)

    def _sql(self, database: str, statement: str) -> None:
        self._run("psql", "--quiet", "--no-psqlrc", "--host=127.0.0.1", f"--port={self.port}", "--username=postgres",
                  "--set=ON_ERROR_STOP=1", f"--command={statement}", database)  # fmt: skip

    def _run(self, program: str, *arguments: str | Path) -> None:
        user = _user()
        # The server inherits the output: a file, for a pipe would stay open as long as the server runs.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [*_as(user), self._programs / program, *arguments],
                check=False,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            if done.returncode:
                output.seek(0)
                log = self._log.read_text() if self._log.exists() else ""
                raise RuntimeError(f"{program} failed:\n{output.read()}{log}")


def _roomy_memory() -> Path | None:
    """Where files are made and removed without a disk, where there is room for that: each database has hundreds."""
    try:
        return _IN_MEMORY if shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES else None
    except OSError:
        return None


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as, when not as the user of the tests."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _as(user: pwd.struct_passwd | None) -> list[str]:
    """What makes a command run as the user.

    Not subprocess's own `user`: with it Python forks the whole process, which gRPC's threads do not always survive.
    """
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
