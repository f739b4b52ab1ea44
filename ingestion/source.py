"""Where readings come from, as the rest of the service sees it, and how a source can fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from ingestion.bulletin import Bulletin
from ingestion.reading import RawMeasurement
from ingestion.station import ListedStation
from ingestion.weather import Cell, Product, WeatherForecast, WeatherObservation
from mesh.errors import CleanAirError, FailedPrecondition, OutOfRange, ResourceExhausted, Unavailable

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be used: what it is about, as far as one can tell, and why."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row_co]):
    """What an answer held."""

    readable: tuple[Row_co, ...]
    rejected: tuple[RejectedRow, ...] = ()


class Source(Protocol):
    """A network that publishes hourly measurements."""

    async def stations(self) -> Rows[ListedStation]:
        """The network's list of stations. Raises SourceError."""

    async def measurements(self) -> Rows[RawMeasurement]:
        """What the network publishes now; its rows may be of different hours. Raises SourceError."""


class HistorySource(Protocol):
    """A network that can be asked for what its stations measured before."""

    @property
    def history_service(self) -> str:
        """The service whose quota such questions are counted against."""

    async def history(self, station_id: str, since: datetime) -> Rows[RawMeasurement]:
        """What one station measured at `since` and later, as far as the network reaches back. Raises SourceError."""


class BulletinSource(Protocol):
    """An agency that issues forecasts of its own."""

    async def bulletins(self, day: date) -> Rows[Bulletin]:
        """What was issued on a day of Korea so far; none when nothing was. Raises SourceError."""


class WeatherSource(Protocol):
    """A weather service that is asked cell by cell, and only for what is not held yet.

    Both answers are None, without the service being asked, when nothing newer than what is held can be there yet.
    """

    async def observations(self, cell: Cell, after: datetime | None) -> Rows[WeatherObservation] | None:
        """What was observed after an hour, as far back as the service reaches; the newest when None.

        Raises SourceError.
        """

    async def forecasts(self, cell: Cell, product: Product, after: datetime | None) -> Rows[WeatherForecast] | None:
        """The newest issue of a product after the one that is held. Raises SourceError."""


class Quota(Protocol):
    """Counts what is asked of services that allow so many requests a day."""

    async def take(self, service: str) -> None:
        """Counts one request of today's (KST) to a service, such as `ArpltnInforInqireSvc`, before it is sent.

        Raises SourceQuotaExceeded when none is left.
        """


class SourceError(CleanAirError):
    """A source did not give what it was asked for.

    Attributes:
        code: The source's own code where it gave one, such as `30`; else a word such as `TIMEOUT` or `HTTP_503`.
        retryable: True when asking again soon may help.
    """

    retryable = False

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, metadata={"source_code": code})
        self.code = code


class SourceUnavailable(SourceError, Unavailable):
    """The source does not answer, or says that it cannot at the moment."""

    reason = "SOURCE_UNAVAILABLE"
    retryable = True


class SourceEmpty(SourceError, Unavailable):
    """The source answered without an error and without a row."""

    reason = "SOURCE_EMPTY"


class SourceUnreadable(SourceError, Unavailable):
    """The source answered with something that is no answer of its kind."""

    reason = "SOURCE_UNREADABLE"


class SourceRefused(SourceError, FailedPrecondition):
    """The source refuses us: a wrong key, a wrong parameter, a service not subscribed to."""

    reason = "SOURCE_REFUSED"


class SourceQuotaExceeded(SourceError, ResourceExhausted):
    """The day's requests are used up."""

    reason = "SOURCE_QUOTA_EXCEEDED"


class SourceTooOld(SourceError, OutOfRange):
    """The source no longer has what it was asked for."""

    reason = "SOURCE_TOO_OLD"
