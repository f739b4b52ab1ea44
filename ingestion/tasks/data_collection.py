"""The task `data_collection`: has a feed collected for a slot."""

from __future__ import annotations

from typing import Final

from celery import Celery

from ingestion.slots import COLLECTIONS, READINGS
from ingestion.tasks.attempt import BoundTask, TaskFailed, Work, Worker

NAME: Final = "data_collection"


def register(app: Celery, worker: Worker) -> None:
    """Has the app's workers know the task."""

    def data_collection(task: BoundTask, feed: str, slot: str | None = None) -> None:
        """Has a feed collected, for a slot (RFC 3339) or the current one."""
        work = Work(f"{NAME}:{feed}", COLLECTIONS.get(feed, READINGS), slot, (feed,))
        worker.attempt(task, work, lambda at: worker.ingestion.collect(feed, at, task.request.id))

    app.task(data_collection, name=NAME, bind=True, throws=(TaskFailed,))
