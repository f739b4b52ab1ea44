"""One attempt at a task: calls, says how it went, and asks for another attempt where that may help."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, cast

import grpc
import structlog
from prometheus_client import Counter

from ingestion.settings import WorkerSettings
from ingestion.slots import Slots
from ingestion.tasks.call import Answer, Ingestion
from mesh.interceptors.errors import reason_of

_log: Final = structlog.stdlib.get_logger("tasks")

_TASKS: Final = Counter("cleanair_tasks", "Attempts at tasks.", ["task", "outcome"])

_LONGEST_WAIT_SECONDS: Final = 120.0
# A call that was cut off may have been done all the same: that is seen by its slot when it is made again.
_AGAIN: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})
_NOT_COLLECTED: Final = "NOT_COLLECTED"


class TaskFailed(Exception):
    """A task is given up: the source refuses, or the time for its slot is over. The next slot catches up."""


class Request(Protocol):
    """What a message says of itself."""

    id: str
    retries: int


class BoundTask(Protocol):
    """Celery's task, as much of it as is used."""

    request: Request

    def retry(self, *, args: tuple[str, ...], countdown: float, expires: float) -> Exception:
        """Asks for another attempt; raises what ends this one."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a task is to do.

    Attributes:
        name: The task, and its feed where it has one, for the log.
        slots: When it is due.
        slot: The slot that the message names; the current one when it names none.
        arguments: Of another attempt, but for the slot.
    """

    name: str
    slots: Slots
    slot: str | None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """What all tasks of a worker share."""

    settings: WorkerSettings
    ingestion: Ingestion

    def attempt(self, task: BoundTask, work: Work, call: Callable[[datetime], Answer]) -> None:
        """Makes the call for the slot. Raises TaskFailed, or what ends an attempt that is followed by another."""
        now = self.settings.clock()()
        slot = work.slots.latest(now) if work.slot is None else datetime.fromisoformat(work.slot)
        try:
            answer = call(slot)
        except grpc.RpcError as error:
            # What a call raises is the call itself.
            self._failed(task, work, slot, cast(grpc.Call, error))
            return
        self._note(work, "SKIPPED" if answer.skipped else "DONE", slot)

    def _failed(self, task: BoundTask, work: Work, slot: datetime, call: grpc.Call) -> None:
        reason = reason_of(call) or call.code().name
        if reason == _NOT_COLLECTED:
            self._note(work, reason, slot)
            return
        now = self.settings.clock()()
        # Another attempt is good for as long as its slot is the last one.
        left = (work.slots.next(max(now, slot)) - now).total_seconds()
        pause = self._pause(task.request.retries)
        has_time = pause < left and task.request.retries + 1 < self.settings.worker_attempts
        if call.code() in _AGAIN and has_time:
            self._note(work, reason, slot, again_in_seconds=round(pause, 1))
            raise task.retry(args=(*work.arguments, slot.isoformat()), countdown=pause, expires=left)
        self._note(work, reason, slot, given_up=True)
        raise TaskFailed(f"{work.name} for {slot.isoformat()}: {reason}")

    def _pause(self, retries: int) -> float:
        longest = min(self.settings.worker_retry_seconds * 2.0 ** min(retries, 10), _LONGEST_WAIT_SECONDS)
        return random.uniform(longest / 2.0, longest)  # noqa: S311 - spreads attempts, guards nothing

    def _note(self, work: Work, outcome: str, slot: datetime, **more: float) -> None:
        _TASKS.labels(work.name, outcome).inc()
        write = _log.warning if more else _log.info
        write("task", task=work.name, slot=slot.isoformat(), outcome=outcome, **more)
