"""`cleanair serve` and `cleanair replay`: one server in this process."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_MODULES: Final = {
    "ingestion": "ingestion.server",
    "predictor": "predictor.server",
    "router": "router.server",
    "gateway": "gateway.server",
    "feed": "simulation.feed",
    "worker": "ingestion.tasks.worker",
    "beat": "ingestion.tasks.beat",
}


def serve(server: str) -> None:
    """Runs the server until it is told to stop. Only its own extra needs to be installed."""
    importlib.import_module(_MODULES[server]).start()


def replay(files: Sequence[Path], port: int) -> None:
    """Serves recorded answers until it is told to stop."""
    from simulation.replay import serve_replay

    serve_replay(files, port)
