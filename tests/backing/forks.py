"""The `cleanair` command in processes of its own, forked from one that has imported everything.

Most of what a command or a server costs at its start is imports, and tests start hundreds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "__main__",
        "cli.main",
        "gateway.server",
        "ingestion.server",
        "predictor.server",
        "router.planner",
        "router.server",
    ]
)


def start_command(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdout: Path, stderr: Path
) -> BaseProcess:
    """Starts `cleanair ARGUMENTS` with this environment and no more; what it says is added to the files."""
    for file in (stdout, stderr):
        file.touch()
    process = _FORKS.Process(target=_become, args=(tuple(arguments), dict(environment), stdout, stderr), daemon=True)
    process.start()
    return process


def _become(arguments: Sequence[str], environment: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """Becomes the command as a shell would start it: with an environment, an output and a session of its own."""
    os.setsid()
    # Ctrl-C reaches it, even where the tests were started in a background that does not hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, stdout), (2, stderr)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    from cli.main import main

    sys.argv = ["cleanair", *arguments]
    main()
