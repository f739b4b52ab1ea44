"""Where on a line somebody is who follows it, from positions that err."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from air.geodesy import Floats
from air.places import Point
from router.plane import on_plane, stretch

NOISE_M: Final = 30.0
"""Between houses a position may be this far beside the street, whatever accuracy it claims."""

_BACK_M: Final = 20.0
"""One is not taken to have turned round for less than this, and twice the accuracy."""

_AHEAD_M: Final = 100.0
"""How far ahead one is looked for in any case."""


@dataclass(frozen=True, slots=True)
class Match:
    """A place on a line.

    Attributes:
        along_m: Metres from its start.
        off_m: How far the position is from there, metres.
    """

    along_m: float
    off_m: float


class Track:
    """A line that is followed."""

    def __init__(self, points: Floats, along_m: Floats) -> None:
        """Of points (float64[p, 2], degrees), and how far along each is (float64[p], metres); p is at least 2."""
        self._at = on_plane(points)
        self._along_m = along_m

    @property
    def length_m(self) -> float:
        """Metres."""
        return float(self._along_m[-1])

    def find(self, point: Point, progress_m: float, accuracy_m: float, moved_m: float) -> Match:
        """Where somebody is who was at `progress_m`, and has moved no more than `moved_m` since.

        The nearest place is not always the right one: a line may cross itself, or come back on the other side of the
        street. So first the part is looked at that one can have come to; only where that is too far off, all of it.
        """
        back, ahead = _turned_round_m(accuracy_m), _AHEAD_M + 2 * accuracy_m + moved_m
        likely = self._nearest(point, progress_m - back, progress_m + ahead)
        if likely.off_m <= NOISE_M + accuracy_m:
            return likely
        anywhere = self._nearest(point, 0.0, self.length_m)
        return anywhere if anywhere.off_m <= NOISE_M + accuracy_m else likely

    def _nearest(self, point: Point, start_m: float, end_m: float) -> Match:
        """The nearest place between two distances from the start; the first of several."""
        first = max(int(np.searchsorted(self._along_m, start_m, side="right")) - 1, 0)
        last = min(max(int(np.searchsorted(self._along_m, end_m)), first + 1), len(self._along_m) - 1)
        first = min(first, last - 1)
        at, along_m = self._at[first : last + 1], self._along_m[first : last + 1]
        here = on_plane(np.array([[point.latitude, point.longitude]]))[0]
        step = np.diff(at, axis=0)
        square = np.maximum(np.sum(step**2, axis=1), np.finfo(float).tiny)
        length_m = np.diff(along_m)
        # No place outside of what was asked for, though the lines that hold its ends go on.
        low, high = (np.clip((bound - along_m[:-1]) / np.maximum(length_m, 1e-9), 0, 1) for bound in (start_m, end_m))
        share = np.clip(np.sum((here - at[:-1]) * step, axis=1) / square, low, high)
        off = np.hypot(*(at[:-1] + share[:, None] * step - here).T)
        nearest = int(np.argmin(off))
        metre = float(stretch(np.array(point.latitude)))
        return Match(float(along_m[nearest] + share[nearest] * length_m[nearest]), float(off[nearest]) / metre)


def progress(before_m: float, match: Match, accuracy_m: float) -> float:
    """How far along one is: noise takes nobody back, a walk back does."""
    turned_round = before_m - match.along_m >= _turned_round_m(accuracy_m)
    return match.along_m if turned_round else max(before_m, match.along_m)


def _turned_round_m(accuracy_m: float) -> float:
    return _BACK_M + 2 * accuracy_m
