"""The processes of a mesh on one machine: started together, watched, and stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cli.failure import CommandFailed
from cli.first_of import first_of

_STOP_SECONDS: Final = 10.0
_LINES_SHOWN: Final = 12


class Children:
    """Owns child processes; each writes to a log file of its own."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def log(self, name: str) -> Path:
        """Where a child writes."""
        return self._logs / f"{name}.log"

    async def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts a child. It has a session of its own, so that Ctrl-C reaches it through us, in order."""
        with self.log(name).open("wb") as output:
            self._processes[name] = await asyncio.create_subprocess_exec(
                *command,
                env={**os.environ, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def fail_when_one_ends(self) -> None:
        """Waits until a child ends by itself, and raises CommandFailed with the end of its log."""

        async def ended(name: str, process: asyncio.subprocess.Process) -> None:
            await process.wait()
            raise CommandFailed(self._obituary(name, process.returncode))

        await first_of(*(ended(name, process) for name, process in self._processes.items()))

    def _obituary(self, name: str, code: int | None) -> str:
        last = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES_SHOWN:]
        said = "\n".join(last) or "(it wrote nothing)"
        return f"{name} ended with code {code}. The end of {self.log(name)}:\n{said}"

    async def stop(self) -> None:
        """Stops all at once with SIGTERM, those that do not end in time with SIGKILL; returns when all have ended."""
        running = [process for process in self._processes.values() if process.returncode is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in running]
        if waits:
            _, late = await asyncio.wait(waits, timeout=_STOP_SECONDS)
            for process in running if late else ():
                if process.returncode is None:
                    process.kill()
            await asyncio.gather(*waits)
