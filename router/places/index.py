"""Finds places by what people type, and by where they are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from air.geodesy import EARTH_RADIUS_M, Floats, distance_m
from air.places import Point
from router.places.grams import LETTERS, Ints, Longs, grams
from router.places.hangul import initials
from router.places.place import FoundPlace, Kind
from router.places.scoring import Query, match_score, misspelt_score, read, read_on_other_keyboard
from router.places.store import Box, PlacesFile
from router.plane import EDGE_DEGREES

OWN: Final = "cleanair"
"""The source of what the map itself knows."""

GOOD_MATCH: Final = 0.6
"""A match below this may well not be what was meant: the other keyboard is tried, and a geocoder asked."""

NEAR_PLACE_M: Final = 1_000.0
NEAR_STREET_M: Final = 500.0
MOST_NEAR: Final = 5

_LOOKED_AT: Final = (64, 1.0)
"""How many spellings are compared letter by letter, and what weighs that they share grams with what was typed."""

_LOOKED_AT_IF_MISSPELT: Final = (32, 3.0)

_FEW: Final = 3
"""With fewer than these, and none the name itself, what is like the text but for errors is looked for as well."""

_MOST_ALIKE: Final = 4_000
"""How many spellings are weighed by importance and nearness, if not more are alike to the same degree."""

_IMPORTANCE_WEIGHT: Final = 0.25
_NEARNESS_WEIGHT: Final = 0.3
_COVER_WEIGHT: Final = 0.2
_HALF_AS_NEAR_M: Final = 2_000.0
_RINGS: Final = (0.15, 0.4, 1.0)
"""Shares of a reach that are searched one after the other: most places have a neighbour."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """Places with how well each matches."""

    place: Longs
    score: Floats

    @property
    def best(self) -> float:
        return float(self.score.max(initial=0.0))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for beside a name: to be near a point, and of certain kinds, of all where none is given."""

    near: Point | None
    kinds: Ints


@dataclass(frozen=True, slots=True)
class _Alike:
    """Spellings that share grams with what was typed: which share of those, and what share of the name was typed."""

    spelling: Longs
    shared: Floats
    cover: Floats


_NOTHING: Final = _Scored(np.empty(0, dtype=np.int64), np.empty(0))


class PlaceIndex:
    """Searches one file of places; any number of threads may ask at once."""

    def __init__(self, file: PlacesFile) -> None:
        self._file = file

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def search(self, text: str, near: Point | None, most: int, kinds: Collection[Kind] = ()) -> list[FoundPlace]:
        """The places whose name is like the text, the best first: by match, importance, and nearness to a point.

        Where nothing matches well, what the same keys type with the keyboard switched is looked for; where little does,
        what is like the text but for typing errors.
        """
        asked = _Asked(near, np.array(list(kinds), dtype=np.int32))
        best = self._best(read(text), read_on_other_keyboard(text), asked)
        rank = best.score + self._bonus(near, best.place)
        order = np.argsort(-rank, kind="stable")[:most]
        places = best.place[order]
        distances = [None] * len(places) if near is None else self._distance(near, places).tolist()
        return [
            FoundPlace(place, score, distance, OWN, value)
            for place, score, distance, value in zip(
                self._file.places(places.tolist()),
                best.score[order].tolist(),
                distances,
                rank[order].tolist(),
                strict=True,
            )
        ]

    def nearby(self, point: Point) -> list[FoundPlace]:
        """The nearest places with a name within NEAR_PLACE_M but for streets, the nearest first; at most MOST_NEAR."""
        found, distance = np.empty(0, dtype=np.int64), np.empty(0)
        for share in _RINGS:
            inside = self._file.places_in(_box(point, share * NEAR_PLACE_M))
            off = self._distance(point, inside)
            near = off <= share * NEAR_PLACE_M
            found, distance = inside[near], off[near]
            if len(found) >= MOST_NEAR:
                break
        order = np.lexsort((found, distance))[:MOST_NEAR]
        places = self._file.places(found[order].tolist())
        return [
            FoundPlace(place, None, metres, OWN) for place, metres in zip(places, distance[order].tolist(), strict=True)
        ]

    def street_at(self, point: Point) -> tuple[str, float] | None:
        """The nearest street with a name and how far it is in metres; None where none is within NEAR_STREET_M."""
        for share in _RINGS:
            pieces = self._file.streets_in(_box(point, share * NEAR_STREET_M))
            nearest = min(((_distance_to_line(point, line), name) for name, line in pieces), default=None)
            if nearest is not None and nearest[0] <= share * NEAR_STREET_M:
                return nearest[1], nearest[0]
        return None

    def _best(self, typed: Query | None, switched: Query | None, asked: _Asked) -> _Scored:
        alike = self._alike(typed, asked)
        best = self._scored(typed, match_score, self._likeliest(alike, asked))
        if best.best < GOOD_MATCH:
            other = self._scored(switched, match_score, self._likeliest(self._alike(switched, asked), asked))
            best = max(best, other, key=lambda scored: scored.best)
        if best.best < GOOD_MATCH or (best.best < 1.0 and len(best.place) < _FEW):
            misspelt = self._scored(typed, misspelt_score, self._likeliest(alike, asked, is_misspelt=True))
            best = _each_once(
                np.concatenate((best.place, misspelt.place)), np.concatenate((best.score, misspelt.score))
            )
        return best

    def _scored(self, query: Query | None, score_of: Callable[[Query, str], float], spellings: Longs) -> _Scored:
        """The places of the spellings that match, each with the score of the best of its spellings."""
        if query is None:
            return _NOTHING
        words = self._file.words_of(spellings)
        score = np.array([score_of(query, words[each]) for each in spellings.tolist()], dtype=np.float64)
        return _each_once(self._file.columns.place[spellings].astype(np.int64), score)

    def _alike(self, query: Query | None, asked: _Asked) -> _Alike:
        """The spellings of the kinds asked for that share enough grams with what was typed."""
        columns = self._file.columns
        wanted, length = (np.empty(0, dtype=np.int64), 0) if query is None else _grams_of(query)
        having = self._file.spellings_with(wanted)
        if query is None or not having:
            return _Alike(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        shared = np.bincount(np.concatenate(having), minlength=len(columns.place))
        # An error spoils three grams at most, and a piece from the middle of a word does not begin as the word does.
        beginnings = 2 * len(query.words)
        found = np.flatnonzero(shared >= max(1, len(wanted) - LETTERS * query.errors_allowed - beginnings))
        if len(asked.kinds):
            found = found[np.isin(columns.kind[columns.place[found]], asked.kinds)]
        if len(found) > _MOST_ALIKE:
            # Those that share as much as the last of them stay, however many: which of them is near is not known yet.
            found = found[shared[found] >= np.partition(shared[found], -_MOST_ALIKE)[-_MOST_ALIKE]]
        count = (columns.letter_count if query.is_of_initials else columns.key_count)[found]
        return _Alike(found, shared[found] / len(wanted), np.minimum(length / count, 1.0))

    def _likeliest(self, alike: _Alike, asked: _Asked, *, is_misspelt: bool = False) -> Longs:
        """The spellings that are worth to be compared letter by letter; of a misspelt name its grams say most."""
        most, weight = _LOOKED_AT_IF_MISSPELT if is_misspelt else _LOOKED_AT
        if len(alike.spelling) <= most:
            return alike.spelling
        value = weight * alike.shared + _COVER_WEIGHT * alike.cover
        value += self._bonus(asked.near, self._file.columns.place[alike.spelling])
        return alike.spelling[np.argpartition(-value, most)[:most]]

    def _bonus(self, near: Point | None, places: Longs | Ints) -> Floats:
        """What places get beside their match: for their importance, and for being near."""
        columns = self._file.columns
        bonus = _IMPORTANCE_WEIGHT * columns.importance[places].astype(np.float64)
        if near is not None:
            bonus += nearness(_roughly_m(near, columns.latitude[places], columns.longitude[places]))
        return bonus

    def _distance(self, point: Point, places: Longs) -> Floats:
        columns = self._file.columns
        here = np.array(point.latitude), np.array(point.longitude)
        return distance_m(*here, columns.latitude[places], columns.longitude[places])


def nearness(distance: Floats) -> Floats:
    """What being so many metres from the point asked about adds to a match."""
    added: Floats = _NEARNESS_WEIGHT / (1.0 + distance / _HALF_AS_NEAR_M)
    return added


def _each_once(place: Longs, score: Floats) -> _Scored:
    """The places that match, each with the best of its scores."""
    order = np.lexsort((-score, place))
    place, score = place[order], score[order]
    matches = score > 0
    matches[1:] &= place[1:] != place[:-1]
    return _Scored(place[matches], score[matches])


def _grams_of(query: Query) -> tuple[Longs, int]:
    """The grams of what was typed, and how many letters it has."""
    if query.is_of_initials:
        of_initials = initials(query.pattern)
        return np.unique(grams([of_initials], of_initials=True)[0]), len(of_initials)
    return np.unique(grams(query.typed_words)[0]), len(query.typed)


def _roughly_m(point: Point, latitude: Floats, longitude: Floats) -> Floats:
    """Metres on a plane that touches the point: right nearby, where it matters."""
    east = (longitude - point.longitude + 180.0) % 360.0 - 180.0
    east *= np.cos(np.radians(point.latitude))
    metres: Floats = np.hypot(east, latitude - point.latitude) * np.radians(EARTH_RADIUS_M)
    return metres


def _box(point: Point, reach_m: float) -> Box:
    north = float(np.degrees(reach_m / EARTH_RADIUS_M))
    east = north / float(np.cos(np.radians(min(abs(point.latitude), EDGE_DEGREES))))
    return Box(point.latitude - north, point.latitude + north, point.longitude - east, point.longitude + east)


def _distance_to_line(point: Point, line: Floats) -> float:
    """Metres from a point to the nearest place on a line, float64[k, 2] of latitude and longitude, on a plane."""
    shrink = np.array([1.0, np.cos(np.radians(point.latitude))])
    corners = (line - np.array([point.latitude, point.longitude])) * shrink
    start, along = corners[:-1], np.diff(corners, axis=0)
    if not len(along):
        start, along = corners, np.zeros_like(corners)
    length = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip(-(start * along).sum(axis=1) / length, 0.0, 1.0)
    nearest = start + share[:, None] * along
    return float(np.hypot(nearest[:, 0], nearest[:, 1]).min() * np.radians(EARTH_RADIUS_M))
