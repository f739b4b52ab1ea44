"""What is done on schedule, or because an operator asks: the same functions, whoever calls them and from wherever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from ingestion.bulletin_collection import CollectedBulletins
from ingestion.intake import TakenIn
from ingestion.quality.validation import Validated
from ingestion.run import Fence
from ingestion.running import Brought, Runner
from ingestion.schedule import Due
from ingestion.slots import Slots
from ingestion.store.readings import Saved
from ingestion.weather_collection import CollectedWeather
from mesh.errors import FailedPrecondition

_Brought = TypeVar("_Brought", bound=Brought)


class NotCollected(FailedPrecondition):
    """Nothing is collected here under that name."""

    reason = "NOT_COLLECTED"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not collected here: the settings name no such feed, or lack what it needs")


@dataclass(frozen=True, slots=True)
class Job(Generic[_Brought]):
    """Something that is done for a slot, or at once.

    Attributes:
        name: The feed that it collects, or what else it does: under this name its runs are kept.
        slots: When it is due.
        work: Does it, and has the store refuse what comes after the fence.
        then: Called after each success.
    """

    name: str
    slots: Slots
    work: Callable[[Fence | None], Awaitable[_Brought]]
    then: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one server. Their methods raise LockTaken, DatabaseUnavailable, Fenced, and what the job itself does.

    Attributes:
        runner: Runs them, one of a name at a time, each slot once.
        readings: Those that collect readings, a feed each.
        bulletins: Those that collect bulletins.
        weather: Those that collect weather.
        validation: Those that judge again.
    """

    runner: Runner
    readings: Sequence[Job[TakenIn]] = ()
    bulletins: Sequence[Job[CollectedBulletins]] = ()
    weather: Sequence[Job[CollectedWeather]] = ()
    validation: Sequence[Job[Validated]] = ()

    async def collect_readings(self, feed: str = "", slot: datetime | None = None) -> TakenIn | None:
        """Collects one feed of readings, or all when none is named; None when that has been done for the slot."""
        jobs = [job for job in self.readings if feed in {"", job.name}]
        taken = await self._do_all(jobs, slot, feed or "air quality")
        newest = max((one.newest_measured_at for one in taken if one.newest_measured_at is not None), default=None)
        return TakenIn(_sum(taken), sum(one.rejected for one in taken), newest) if taken else None

    async def collect_bulletins(self, slot: datetime | None = None) -> CollectedBulletins | None:
        """Collects bulletins; None when that has been done for the slot."""
        brought = await self._do_all(self.bulletins, slot, "bulletins")
        return CollectedBulletins(_sum(brought), sum(one.rejected for one in brought)) if brought else None

    async def collect_weather(self, slot: datetime | None = None) -> CollectedWeather | None:
        """Collects weather; None when that has been done for the slot."""
        brought = await self._do_all(self.weather, slot, "weather")
        newest = max((one.newest_observed_at for one in brought if one.newest_observed_at is not None), default=None)
        rejected, failed = sum(one.rejected for one in brought), sum(one.failed_cells for one in brought)
        return CollectedWeather(_sum(brought), rejected, failed, newest) if brought else None

    async def validate(self, slot: datetime | None = None) -> Validated | None:
        """Judges the last day again; None when that has been done for the slot."""
        brought = await self._do_all(self.validation, slot, "quality")
        return Validated(sum(one.judged for one in brought), _sum(brought)) if brought else None

    def due(self) -> list[Due]:
        """All of them, for a schedule."""
        return [
            *(Due(job.name, job.slots, partial(self._do, job)) for job in self.readings),
            *(Due(job.name, job.slots, partial(self._do, job)) for job in self.bulletins),
            *(Due(job.name, job.slots, partial(self._do, job)) for job in self.weather),
            *(Due(job.name, job.slots, partial(self._do, job)) for job in self.validation),
        ]

    async def _do_all(self, jobs: Sequence[Job[_Brought]], slot: datetime | None, what: str) -> list[_Brought]:
        if not jobs:
            raise NotCollected(what)
        return [brought for job in jobs if (brought := await self._do(job, slot)) is not None]

    async def _do(self, job: Job[_Brought], slot: datetime | None) -> _Brought | None:
        brought = await self.runner.run(job.name, slot, job.work)
        if brought is not None:
            job.then()
        return brought


def _sum(brought: Sequence[Brought]) -> Saved:
    return Saved(
        sum(one.saved.new for one in brought),
        sum(one.saved.corrected for one in brought),
        sum(one.saved.unchanged for one in brought),
    )
