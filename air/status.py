"""What an answer rests on: fresh, stale or degraded, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class State(IntEnum):
    """How far data can be trusted to be complete and current; the higher the worse."""

    FRESH = 1
    STALE = 2
    DEGRADED = 3


@dataclass(frozen=True, slots=True)
class DataStatus:
    """The state of the data behind an answer, with a short sentence for each thing that is late or missing."""

    state: State = State.FRESH
    reasons: tuple[str, ...] = ()
    newest_measured_at: datetime | None = None
    simulated: bool = False

    def worsened(self, state: State, reason: str) -> DataStatus:
        """This status with one more thing that is late or missing."""
        reasons = self.reasons if reason in self.reasons else (*self.reasons, reason)
        return DataStatus(max(self.state, state), reasons, self.newest_measured_at, self.simulated)
