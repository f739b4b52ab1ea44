"""Runs the beat: one process that says when what is due. Workers do it."""

from __future__ import annotations

from typing import Final

from prometheus_client import start_http_server

from ingestion.settings import WorkerSettings
from ingestion.tasks.app import make_app
from mesh.logs import configure_logs

_FILE: Final = "beat-schedule"


def start() -> None:
    """Runs the beat until it is told to stop. What was due while it was away is sent at its start. Raises NoBroker."""
    settings = WorkerSettings()
    configure_logs(settings, "beat")
    app = make_app(settings)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.Beat(schedule=str(settings.data_dir / _FILE), loglevel=settings.log_level, quiet=True).run()
