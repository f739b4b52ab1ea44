"""How far the stored readings can be trusted to be complete and current."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from air.status import DataStatus, State
from ingestion.account import Outage
from ingestion.store.readings import CURRENT, Coverage

LATEST: Final = timedelta(hours=2)
"""An hour's label appears up to 15 minutes after it, and is collected within the hour: older than this is late."""

ENOUGH_STATIONS: Final = 0.75
"""Less than this share of the stations heard from within a day, and a picture of the city is incomplete."""


def data_status(coverage: Coverage, outage: Outage | None, now: datetime) -> DataStatus:
    """STALE when the newest hour is late or collection fails, DEGRADED when too many stations are silent."""
    newest = coverage.newest_measured_at
    status = DataStatus(newest_measured_at=newest, simulated=coverage.simulated)
    if outage is not None:
        since = outage.since.isoformat(timespec="seconds")
        status = status.worsened(State.STALE, f"Collection has been failing since {since} with code {outage.code}.")
    if newest is None:
        return status.worsened(State.STALE, "No reading has been collected yet.")
    if now - newest > LATEST:
        status = status.worsened(State.STALE, f"The newest reading is of {newest.isoformat(timespec='seconds')}.")
    if coverage.current_stations < ENOUGH_STATIONS * coverage.stations:
        silent = coverage.stations - coverage.current_stations
        hours = CURRENT // timedelta(hours=1)
        reason = f"{silent} of {coverage.stations} stations have been silent for {hours} hours or more."
        status = status.worsened(State.DEGRADED, reason)
    return status
