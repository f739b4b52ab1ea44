"""The task `data_validation`: has the readings of the last day judged again."""

from __future__ import annotations

from typing import Final

from celery import Celery

from ingestion.slots import VALIDATION
from ingestion.tasks.attempt import BoundTask, TaskFailed, Work, Worker

NAME: Final = "data_validation"


def register(app: Celery, worker: Worker) -> None:
    """Has the app's workers know the task."""

    def data_validation(task: BoundTask, slot: str | None = None) -> None:
        """Has the last day judged again, for a slot (RFC 3339) or the current one."""
        work = Work(NAME, VALIDATION, slot)
        worker.attempt(task, work, lambda at: worker.ingestion.validate(at, task.request.id))

    app.task(data_validation, name=NAME, bind=True, throws=(TaskFailed,))
