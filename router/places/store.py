"""The places of a graph in one SQLite file, written once and only read from then on.

Beside the rows that are shown it holds what a search needs: for each gram (router/places/grams.py) the spellings that
have it, as one array, so that what a misspelt name still shares with every spelling is counted without a row being
read; and an R*Tree of places and of pieces of streets. Readers map the file: replicas on one machine share its pages.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from air.places import Point
from mesh.errors import InvalidInput
from router.graph.pieces import UNITS_PER_DEGREE
from router.places.gazetteer import Gazetteer, StreetLines
from router.places.grams import Ints, Longs, grams
from router.places.hangul import initials, keys
from router.places.place import Kind, Place

FORMAT_VERSION: Final = 1
"""Raised whenever a file of an older version would be misread."""

SUFFIX: Final = ".places"

_APPLICATION: Final = 0x43415250
"""Says in the file's header whose it is: CARP, CleanAir Route's places."""

_MAPPED_BYTES: Final = 2**31 - 2**16
_SCHEMA: Final = """
    CREATE TABLE place (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_en TEXT NOT NULL, address TEXT NOT NULL,
        kind INTEGER NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL
    );
    CREATE TABLE spelling (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
    CREATE TABLE gram (gram INTEGER PRIMARY KEY, spellings BLOB NOT NULL);
    CREATE TABLE whole (name TEXT PRIMARY KEY, numbers BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE street (id INTEGER PRIMARY KEY, name TEXT NOT NULL, line BLOB NOT NULL);
    CREATE VIRTUAL TABLE place_box USING rtree_i32(id, south, north, west, east);
    CREATE VIRTUAL TABLE street_box USING rtree_i32(id, south, north, west, east);
"""
_ASKED: Final = "SELECT value FROM json_each(?)"
_TOUCHING: Final = "south <= ? AND north >= ? AND west <= ? AND east >= ?"

_PlaceRow = tuple[int, str, str, str, int, float, float]


class NoSuchPlacesFile(InvalidInput):
    """There is no file of places at the path."""

    reason = "NO_SUCH_PLACES_FILE"


class DamagedPlacesFile(InvalidInput):
    """The file is no file of places, or is cut short."""

    reason = "DAMAGED_PLACES_FILE"


class UnknownPlacesFormat(InvalidInput):
    """The file has a format version that this release does not read."""

    reason = "UNKNOWN_PLACES_FORMAT"


@dataclass(frozen=True, slots=True)
class Columns:
    """What every search looks at, `s` spellings of `p` places.

    Attributes:
        place: int32[s], whose spelling it is.
        key_count: int32[s], how many keys type it, spaces left out.
        letter_count: int32[s], how many letters it has, a syllable being one.
        importance: float32[p], how likely the place is meant, 0 to 1.
        kind: int32[p], a Kind.
        latitude: float64[p], degrees.
        longitude: float64[p], degrees.
    """

    place: Ints
    key_count: Ints
    letter_count: Ints
    importance: NDArray[np.float32]
    kind: Ints
    latitude: Floats
    longitude: Floats


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of the map, in degrees."""

    south: float
    north: float
    west: float
    east: float

    def sides(self) -> tuple[int, int, int, int]:
        """What the south, north, west and east of a box that touches this one is held against, 1e-7 degrees."""
        north, south, east, west = (
            round(degrees * UNITS_PER_DEGREE) for degrees in (self.north, self.south, self.east, self.west)
        )
        return north, south, east, west


_DTYPES: Final[tuple[tuple[str, str], ...]] = (
    ("place", "<i4"),
    ("key_count", "<i4"),
    ("letter_count", "<i4"),
    ("importance", "<f4"),
    ("kind", "<i4"),
    ("latitude", "<f8"),
    ("longitude", "<f8"),
)


def places_path(graph: Path) -> Path:
    """Where the places of a graph are kept: beside it."""
    return graph.with_suffix(SUFFIX)


def save(gazetteer: Gazetteer, path: Path) -> None:
    """Writes the places; at no moment is there half a file under the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(descriptor)
    try:
        # The file has its name only when it is whole: a journal would guard nothing.
        with closing(sqlite3.connect(temporary, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
            database.execute("BEGIN")
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            _fill(database, gazetteer)
            database.execute("COMMIT")
        with Path(temporary).open("rb+") as written:
            os.fsync(written.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    # Whatever went wrong, the interrupt of a person too, no half a file is left; it is raised on.
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _fill(database: sqlite3.Connection, gazetteer: Gazetteer) -> None:
    spellings = [spelling for each in gazetteer.spellings for spelling in each]
    count = [len(each) for each in gazetteer.spellings]
    typed = [keys(spelling) for spelling in spellings]
    places = gazetteer.places
    columns = Columns(
        place=np.repeat(np.arange(len(count), dtype=np.int32), count),
        key_count=np.array([len(each) - each.count(" ") for each in typed], dtype=np.int32),
        letter_count=np.array([len(each) - each.count(" ") for each in spellings], dtype=np.int32),
        importance=np.array(gazetteer.importance, dtype=np.float32),
        kind=np.array([place.kind for place in places], dtype=np.int32),
        latitude=np.array([place.point.latitude for place in places], dtype=np.float64),
        longitude=np.array([place.point.longitude for place in places], dtype=np.float64),
    )
    database.executemany(
        "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (i, each.name, each.name_en, each.address, int(each.kind), each.point.latitude, each.point.longitude)
            for i, each in enumerate(places)
        ),
    )
    database.executemany("INSERT INTO spelling VALUES (?, ?)", enumerate(spellings))
    database.executemany("INSERT INTO gram VALUES (?, ?)", _by_gram(typed, [initials(each) for each in spellings]))
    database.executemany(
        "INSERT INTO whole VALUES (?, ?)",
        [(name, getattr(columns, name).astype(dtype).tobytes()) for name, dtype in _DTYPES],
    )
    # What is on a street is asked for by its own question.
    database.executemany("INSERT INTO place_box VALUES (?, ?, ?, ?, ?)", _boxes_of_places(columns))
    database.executemany(
        "INSERT INTO street VALUES (?, ?, ?)",
        _rows_of_streets(gazetteer.streets),
    )
    database.executemany("INSERT INTO street_box VALUES (?, ?, ?, ?, ?)", _boxes_of_streets(gazetteer.streets))


def _by_gram(typed: Sequence[str], of_initials: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """Each gram, and the spellings that have it, each once."""
    by_keys, by_initials = grams(typed), grams(of_initials, of_initials=True)
    gram = np.concatenate((by_keys[0], by_initials[0]))
    spelling = np.concatenate((by_keys[1], by_initials[1]))
    order = np.lexsort((spelling, gram))
    gram, spelling = gram[order], spelling[order]
    is_new = np.ones(len(gram), dtype=np.bool_)
    is_new[1:] = (gram[1:] != gram[:-1]) | (spelling[1:] != spelling[:-1])
    gram, spelling = gram[is_new], spelling[is_new].astype("<i4")
    value, first = np.unique(gram, return_index=True)
    for each, (start, end) in zip(value.tolist(), pairwise([*first.tolist(), len(gram)]), strict=True):
        yield each, spelling[start:end].tobytes()


def _boxes_of_places(columns: Columns) -> Iterable[tuple[int, int, int, int, int]]:
    asked = np.flatnonzero(columns.kind != Kind.STREET)
    y, x = (
        np.round(degrees[asked] * UNITS_PER_DEGREE).astype(np.int64).tolist()
        for degrees in (columns.latitude, columns.longitude)
    )
    return zip(asked.tolist(), y, y, x, x, strict=True)


def _rows_of_streets(streets: StreetLines) -> Iterator[tuple[int, str, bytes]]:
    points = streets.points.astype("<i4")
    for index, (name, (start, end)) in enumerate(zip(streets.names, pairwise(streets.first.tolist()), strict=True)):
        yield index, name, points[start:end].tobytes()


def _boxes_of_streets(streets: StreetLines) -> Iterable[tuple[int, int, int, int, int]]:
    if not streets.names:
        return ()
    (south, west), (north, east) = (
        of.reduceat(streets.points, streets.first[:-1], axis=0).T.tolist() for of in (np.minimum, np.maximum)
    )
    return zip(range(len(streets.names)), south, north, west, east, strict=True)


class PlacesFile:
    """A file of places, open to read; any number of threads may ask."""

    def __init__(self, database: sqlite3.Connection, columns: Columns) -> None:
        self._database = database
        self._one_at_a_time = threading.Lock()
        self.columns = columns

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the file.

        Raises:
            NoSuchPlacesFile: There is no such file.
            UnknownPlacesFormat: The file was written by a release with another format.
            DamagedPlacesFile: The file is something else, or cut short.
        """
        if not path.is_file():
            raise NoSuchPlacesFile(f"There is no file of places {path}; import the OpenStreetMap extract again.")
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        try:
            columns = _read(database, path)
        except (sqlite3.DatabaseError, ValueError, KeyError) as error:
            database.close()
            raise DamagedPlacesFile(
                f"{path.name} is no file of places, or it is damaged or cut short; import the OpenStreetMap extract"
                " again."
            ) from error
        # Whatever went wrong, the file is let go; it is raised on.
        except BaseException:
            database.close()
            raise
        return cls(database, columns)

    def close(self) -> None:
        """Lets go of the file."""
        with self._one_at_a_time:
            self._database.close()

    def spellings_with(self, gram: Longs) -> list[Ints]:
        """For each gram that is known, the spellings that have it."""
        statement = f"SELECT spellings FROM gram WHERE gram IN ({_ASKED})"  # noqa: S608 - a constant
        with self._one_at_a_time:
            rows: list[tuple[bytes]] = self._database.execute(statement, _asked(gram.tolist())).fetchall()
        return [np.frombuffer(blob, dtype="<i4") for (blob,) in rows]

    def words_of(self, spelling: Longs) -> dict[int, str]:
        """Spellings by their number: folded words with a space between them."""
        statement = f"SELECT id, words FROM spelling WHERE id IN ({_ASKED})"  # noqa: S608 - a constant
        with self._one_at_a_time:
            rows: list[tuple[int, str]] = self._database.execute(statement, _asked(spelling.tolist())).fetchall()
        return dict(rows)

    def places(self, numbers: Sequence[int]) -> list[Place]:
        """The places with these numbers, in their order."""
        statement = f"SELECT * FROM place WHERE id IN ({_ASKED})"  # noqa: S608 - a constant
        with self._one_at_a_time:
            rows: list[_PlaceRow] = self._database.execute(statement, _asked(numbers)).fetchall()
        known = {row[0]: _place(row) for row in rows}
        return [known[number] for number in numbers]

    def places_in(self, box: Box) -> Longs:
        """The places in a box but for streets, int64."""
        statement = f"SELECT id FROM place_box WHERE {_TOUCHING}"  # noqa: S608 - a constant
        with self._one_at_a_time:
            rows: list[tuple[int]] = self._database.execute(statement, box.sides()).fetchall()
        return np.array([number for (number,) in rows], dtype=np.int64)

    def streets_in(self, box: Box) -> list[tuple[str, Floats]]:
        """The pieces of streets that may touch a box: name, and points, float64[k, 2] of latitude and longitude."""
        statement = f"SELECT name, line FROM street_box JOIN street USING (id) WHERE {_TOUCHING}"  # noqa: S608 - likewise
        with self._one_at_a_time:
            rows: list[tuple[str, bytes]] = self._database.execute(statement, box.sides()).fetchall()
        return [(name, np.frombuffer(line, dtype="<i4").reshape(-1, 2) / UNITS_PER_DEGREE) for name, line in rows]


def _asked(numbers: Sequence[int]) -> tuple[str]:
    return (json.dumps(numbers),)


def _place(row: _PlaceRow) -> Place:
    _, name, name_en, address, kind, latitude, longitude = row
    return Place(name, name_en, address, Kind(kind), Point(latitude, longitude))


def _read(database: sqlite3.Connection, path: Path) -> Columns:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    if application != _APPLICATION:
        raise ValueError("Another application's file.")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != FORMAT_VERSION:
        raise UnknownPlacesFormat(
            f"{path.name} has places format {version}, and this release reads {FORMAT_VERSION}; import the"
            " OpenStreetMap extract again."
        )
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise ValueError(verdict)
    database.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}").fetchall()
    whole = dict(database.execute("SELECT name, numbers FROM whole").fetchall())
    return Columns(**{name: np.frombuffer(whole[name], dtype=dtype) for name, dtype in _DTYPES})
