"""Gaps: hours that a station lacks, between one before and one after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing is known of a station after one hour, and until another; both are known."""

    station_id: str
    after: datetime
    until: datetime
