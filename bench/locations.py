"""Places by name: searches of each kind among 100,000 places, what is at a point, and the index of an extract.

CPU time of one thread. The peer is SQLite's own full-text index (FTS5) of the same names as keys, with its trigrams:
of the name itself as a phrase, of a misspelt one any of its trigrams, ranked by BM25.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from air.places import Point
from bench.city import real_roads
from bench.figures import Figure, milliseconds
from router.places.gazetteer import Gazetteer, StreetLines, gather
from router.places.hangul import initials, keys, on_other_keyboard
from router.places.index import PlaceIndex
from router.places.place import Kind, Place
from router.places.store import PlacesFile, save

_PLACES: Final = 100_000
_SEARCHES: Final = 300
_MOST: Final = 10
_SYLLABLES: Final = (
    "강남역서울대학교병원신촌로길동부산구청공초등고아파트마을회관도시경찰장한국은행약카페김박이최정조윤임오송황안홍전"
)
_FIRST: Final = ("Han", "Seo", "Gang", "Dong", "Jong", "Yeon", "Song", "Bong", "Hwa", "Myeong", "Nam", "Buk")
_SECOND: Final = ("gang", "nam", "cheon", "ro", "dae", "mun", "san", "ha", "ri", "jin", "won", "seong")
_LAST: Final = ("Station", "Park", "School", "Hospital", "Museum", "Market", "Tower", "Library", "Cafe", "Center")


@dataclass(frozen=True, slots=True)
class _Sample:
    """The places, and dice that fall alike in each run."""

    places: Sequence[Place]
    dice: random.Random

    def place(self) -> Place:
        """Any of them."""
        return self.dice.choice(self.places)

    def point(self) -> Point:
        """Anywhere in the city."""
        return _point(self.dice)

    def misspelt(self, name: str, letters: str) -> str:
        """The name with one letter that is another."""
        at = self.dice.randrange(len(name))
        return name[:at] + self.dice.choice(letters) + name[at + 1 :]


def measure() -> Iterator[Figure]:
    """Measures on made names, and the import on the real extract under CLEANAIR_REAL_DATA."""
    dice = random.Random(20260501)  # noqa: S311 - a sample, not a secret
    sample = _Sample([_made(dice) for _ in range(_PLACES)], dice)
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as folder:
        path = Path(folder) / "made.places"
        save(_gazetteer(sample.places), path)
        with closing(PlaceIndex(PlacesFile.open(path))) as index:
            yield from _searches(index, sample)
        roads = real_roads()
        if roads is not None:
            yield _import(roads / "bench_multi_city_merged.osm.pbf", Path(folder) / "real.places")


def _searches(index: PlaceIndex, sample: _Sample) -> Iterator[Figure]:
    asked: dict[str, Callable[[], str]] = {
        "a whole name": lambda: sample.place().name,
        "the first two syllables": lambda: sample.place().name[:2],
        "one syllable": lambda: sample.place().name[:1],
        "initial consonants": lambda: initials(sample.place().name),
        "one syllable wrong": lambda: sample.misspelt(sample.place().name, _SYLLABLES),
        "an English name": lambda: sample.place().name_en,
        "one letter wrong in English": lambda: sample.misspelt(sample.place().name_en, "aeiounstr"),
        "Korean typed on the English keyboard": lambda: on_other_keyboard(sample.place().name),
    }
    peers = _peers([place.name for place in sample.places])
    for kind, ask in asked.items():
        texts = [ask() for _ in range(_SEARCHES)]
        points = [sample.point() if number % 2 else None for number in range(_SEARCHES)]
        ours = [_seconds(partial(index.search, text, near, _MOST)) for text, near in zip(texts, points, strict=True)]
        against = ""
        if kind in peers:
            theirs = [_seconds(partial(peers[kind], text)) for text in texts]
            ratio = float(np.median(theirs) / np.median(ours))
            against = f"{ratio:.1f} × as fast as FTS5 at the median ({milliseconds(theirs)})"
        yield Figure(f"search: {kind}", milliseconds(ours), against, f"{_PLACES:,} places, two names each")
    ours = [_seconds(partial(index.nearby, sample.point())) for _ in range(_SEARCHES)]
    yield Figure("the five nearest places", milliseconds(ours), "", f"{_PLACES:,} places")


def _peers(names: Sequence[str]) -> dict[str, Callable[[str], object]]:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE names USING fts5(keys, tokenize = 'trigram')")
    database.executemany("INSERT INTO names(rowid, keys) VALUES (?, ?)", enumerate(map(keys, names)))

    def ask(match: str) -> object:
        statement = "SELECT rowid FROM names WHERE names MATCH ? ORDER BY rank LIMIT ?"
        return database.execute(statement, (match, _MOST)).fetchall()

    def misspelt(name: str) -> object:
        typed = keys(name)
        return ask(" OR ".join(f'"{typed[at : at + 3]}"' for at in range(len(typed) - 2)))

    return {"a whole name": lambda name: ask(f'"{keys(name)}"'), "one syllable wrong": misspelt}


def _import(extract: Path, path: Path) -> Figure:
    started = time.process_time()
    places = gather(extract)
    save(places, path)
    return Figure(
        "index of places made of an extract",
        f"{time.process_time() - started:.1f} s CPU, {path.stat().st_size / 1e6:.0f} MB",
        "",
        f"{extract.stat().st_size / 1e6:.0f} MB pbf, {len(places.places):,} places",
    )


def _made(dice: random.Random) -> Place:
    name = "".join(dice.choices(_SYLLABLES, k=dice.randint(2, 8)))
    word = dice.choice(_FIRST) + "".join(dice.choices(_SECOND, k=2))
    english = f"{word} {dice.choice(_LAST)} {dice.randint(1, 99)}"
    return Place(name, english, "", Kind(dice.randint(1, 10)), _point(dice))


def _point(dice: random.Random) -> Point:
    return Point(dice.uniform(37.43, 37.69), dice.uniform(126.80, 127.18))


def _gazetteer(places: Sequence[Place]) -> Gazetteer:
    return Gazetteer(
        places=tuple(places),
        importance=tuple(0.2 + 0.06 * place.kind for place in places),
        spellings=tuple((place.name, place.name_en.lower()) for place in places),
        streets=StreetLines((), np.zeros(1, dtype=np.int64), np.empty((0, 2), dtype=np.int32)),
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
