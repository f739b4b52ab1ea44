"""The Celery application that beat and workers share: the broker, and how tasks travel."""

from __future__ import annotations

from typing import Final

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging

from air.korea import KST
from ingestion.settings import WorkerSettings
from ingestion.slots import COLLECTIONS, VALIDATION, Slots
from ingestion.tasks import data_collection, data_validation
from mesh.errors import FailedPrecondition

QUEUE: Final = "tasks"

# A message that its worker has not acknowledged by then is given to another: longer than a call and its retries' waits.
_VISIBILITY_SECONDS: Final = 900
_BEFORE_THE_NEXT_SECONDS: Final = 30


class NoBroker(FailedPrecondition):
    """Workers hear of tasks through Redis."""

    reason = "NO_BROKER"

    def __init__(self) -> None:
        super().__init__("workers and beat need a broker: set CLEANAIR_REDIS_URL, or let the servers keep the schedule")


def make_app(settings: WorkerSettings) -> Celery:
    """An application with the beat's schedule and, so far, no tasks. Raises NoBroker."""
    if settings.redis_url is None:
        raise NoBroker
    app = Celery("cleanair", broker=settings.redis_url.get_secret_value())
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        # What a task brought is on record where it was done.
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        # For ever: a worker that gave up would have to be started again when the broker is back.
        broker_connection_max_retries=None,
        # Through Redis, who waits for tasks waits for ever for a broker that went without a word, unless it is asked.
        broker_transport_options={
            "global_keyprefix": "cleanair:celery:",
            "visibility_timeout": _VISIBILITY_SECONDS,
            "health_check_interval": 10,
            "socket_keepalive": True,
        },
        timezone=KST,
        beat_schedule={
            **{f"collect {feed}": _entry(data_collection.NAME, slots, feed) for feed, slots in COLLECTIONS.items()},
            "validate": _entry(data_validation.NAME, VALIDATION),
        },
    )
    # Celery leaves logs alone where it finds that somebody else sets them up.
    setup_logging.connect(_leave_logs_alone)
    return app


def _entry(task: str, slots: Slots, *arguments: str) -> dict[str, object]:
    """One line of the beat's schedule; what waits until the next slot is dropped, for that brings the same and more."""
    return {
        "task": task,
        "schedule": crontab(minute=_listed(slots.minutes), hour=_listed(slots.hours)),
        "args": arguments,
        "options": {"expires": slots.shortest.total_seconds() - _BEFORE_THE_NEXT_SECONDS},
    }


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _leave_logs_alone(**_: object) -> None:
    """Their form is set before the app is made."""
