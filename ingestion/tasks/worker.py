"""Runs a worker."""

from __future__ import annotations

import logging
import sys

from prometheus_client import start_http_server

from ingestion.settings import WorkerSettings
from ingestion.tasks import data_collection, data_validation
from ingestion.tasks.app import make_app
from ingestion.tasks.attempt import Worker
from ingestion.tasks.call import Ingestion
from mesh.logs import configure_logs


def start() -> None:
    """Runs a worker process until it is told to stop; tasks under way are brought to their end first.

    Raises NoBroker, or NoOperatorKey.
    """
    settings = WorkerSettings()
    configure_logs(settings, "worker")
    # Celery tells of each message three times; what became of it is told by the task.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.ERROR)
    app, worker = make_app(settings), Worker(settings, Ingestion.open(settings))
    for task in (data_collection, data_validation):
        task.register(app, worker)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    # Tasks wait for answers, nearly all of their time: threads do, and unlike forks they may share a channel.
    process = app.Worker(
        pool_cls="threads",
        concurrency=settings.worker_concurrency,
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    process.start()
    sys.exit(process.exitcode)
