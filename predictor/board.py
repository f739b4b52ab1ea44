"""The newest forecast of every station, in memory: what questions and streams are answered from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from predictor.forecast import Forecast, IssuedForecast


class ForecastBoard:
    """The newest forecast of each station, as far as the log of forecasts has been read.

    Attributes:
        epoch: The name of the log.
        sequence: How far it has been read.
    """

    def __init__(self, epoch: str, sequence: int, issued: Iterable[IssuedForecast]) -> None:
        self.epoch = epoch
        # What was issued after `sequence` was read, and before `issued` was, counts as read: put() goes by the newest.
        self.sequence = sequence
        self._newest: dict[str, IssuedForecast] = {}
        self.put(issued)

    def put(self, issued: Iterable[IssuedForecast]) -> None:
        """Takes what follows in the log."""
        for one in issued:
            self._newest[one.station.station_id] = one
            self.sequence = max(self.sequence, one.sequence)

    def drop_before(self, issue_time: datetime) -> None:
        """Forgets forecasts that were issued before this."""
        self._newest = {k: one for k, one in self._newest.items() if one.forecast.issue_time >= issue_time}

    @property
    def newest(self) -> Mapping[str, Forecast]:
        """The newest forecast by station_id."""
        return {station_id: one.forecast for station_id, one in self._newest.items()}

    @property
    def issued(self) -> Sequence[IssuedForecast]:
        """The newest forecasts, without order."""
        return tuple(self._newest.values())

    @property
    def newest_issue_time(self) -> datetime | None:
        """The newest issue time of any station."""
        return max((one.forecast.issue_time for one in self._newest.values()), default=None)

    @property
    def newest_measured_at(self) -> datetime | None:
        """The newest hour in which any station measured anything."""
        measured = (one.forecast.newest_measured_at for one in self._newest.values())
        return max((time for time in measured if time is not None), default=None)

    @property
    def simulated(self) -> bool:
        """True when any station is simulated."""
        return any(one.station.simulated for one in self._newest.values())

    def after(self, sequence: int) -> Sequence[IssuedForecast]:
        """The newest forecasts with a place in the log after this, in the log's order."""
        later = (one for one in self._newest.values() if one.sequence > sequence)
        return sorted(later, key=lambda one: one.sequence)
