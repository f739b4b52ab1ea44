"""The exact front of two costs, compiled: every way of which no other is better in one cost and no worse in the other.

BOA* (Hernández et al. 2020, 10.1609/icaps.v30i1.6655; 2023, 10.1016/j.artint.2022.103807). Labels are taken in the
order of their first cost to the end, the second deciding ties, so that at each node the least second cost seen tells in
one comparison whether a label is dominated. Searches backwards give the exact rest of either cost from each node, and
bound the front before it is begun: no way on it costs more in the first than the best in the second does, or the other
way round.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import numpy as np

from router.search.backwards import ARC, FIRST_COST, NODE, REST, SECOND_COST, SECOND_HALF, STATE, Streets
from router.search.compiled import compiled
from router.search.heap import NONE, Whole, pop, push
from router.search.kernel import Ints, Longs

_SECOND_BITS: Final = 38

LARGEST_SECOND: Final = (1 << _SECOND_BITS) - 1
"""A label of the front is ordered by one number, the first cost above the second: so neither cost may be larger."""

LARGEST_FIRST: Final = (1 << (62 - _SECOND_BITS)) - 1

TOO_MANY: Final = -1
"""In place of a number of ways: there was no room for all labels."""

# In a node's row: by which search it was last come to, and the least second cost that this came with.
_SEEN, _LEAST = 6, 7
# A label's columns: the label before it, or a negative number at the start; the arc by which, or the complement of an
# entry's row at the end.
_BEFORE, _BY = 0, 1
_START: Final = cast("int", np.int64(-1))


class Question(NamedTuple):
    """What a search is asked.

    Attributes:
        first: int32[m], the first cost of each arc; negative on closed arcs.
        second: int32[m], the second.
        seeds: int64[k, 4], how they start: node, first cost, second cost, arc.
        entries: int64[j, 4], how they end.
        direct: int64[2], both costs of the way that passes no node; UNREACHABLE where there is none.
    """

    first: Ints
    second: Ints
    seeds: Longs
    entries: Longs
    direct: Longs


class Room(NamedTuple):
    """What a search writes to.

    Attributes:
        rows: int64[n, ROW], kept between searches.
        keys: int64[r], the heap; r is at least as many as there are arcs and entries, and labels.
        items: int32[r], likewise.
        labels: int32[l, 2].
        found: int64[l, 3].
    """

    rows: Longs
    keys: Longs
    items: Ints
    labels: Ints
    found: Longs


@compiled
def _add(room: Room, made: int, size: int, before: Whole, by: Whole, first: int, second: int) -> tuple[int, int]:
    """Makes a label of these costs to the end; returns how many labels there are, and the heap's size."""
    room.labels[made, _BEFORE] = before
    room.labels[made, _BY] = by
    return made + 1, push(room.keys, room.items, size, (first << _SECOND_BITS) | second, np.int32(made))


@compiled
def _begin(question: Question, most_first: int, below: int, settled: int, room: Room) -> tuple[int, int]:
    """The labels of the starts; returns how many there are, and the heap's size."""
    made, size = NONE, NONE
    if question.direct[0] <= most_first and question.direct[1] < below:
        made, size = _add(room, made, size, _START, ~len(question.entries), question.direct[0], question.direct[1])
    for row in range(len(question.seeds)):
        node = question.seeds[row, NODE]
        if room.rows[node, STATE] != settled or room.rows[node, SECOND_HALF + STATE] != settled:
            continue
        first = question.seeds[row, FIRST_COST] + room.rows[node, REST]
        second = question.seeds[row, SECOND_COST] + room.rows[node, SECOND_HALF + REST]
        if first <= most_first and second < below:
            made, size = _add(room, made, size, _START, question.seeds[row, ARC], first, second)
    return made, size


@compiled
def _go_on(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    streets: Streets,
    question: Question,
    most_first: int,
    below: int,
    settled: int,
    stamp: int,
    room: Room,
    label: Whole,
    first: int,
    second: int,
    made: int,
    size: int,
) -> tuple[int, int]:
    """The labels that follow on one at a node that costs so much so far; returns as `_begin` does."""
    rows = room.rows
    node = streets.head[room.labels[label, _BY]]
    for row in range(len(question.entries)):
        if question.entries[row, NODE] == node:
            end_first = first + question.entries[row, FIRST_COST]
            end_second = second + question.entries[row, SECOND_COST]
            if end_first <= most_first and end_second < below:
                made, size = _add(room, made, size, label, ~row, end_first, end_second)
    for arc in range(streets.first_out[node], streets.first_out[node + 1]):
        if question.first[arc] < 0:
            continue
        after = streets.head[arc]
        if rows[after, STATE] != settled or rows[after, SECOND_HALF + STATE] != settled:
            continue
        after_second = second + question.second[arc]
        if rows[after, _SEEN] == stamp and after_second >= rows[after, _LEAST]:
            continue
        after_first = first + question.first[arc] + rows[after, REST]
        after_second += rows[after, SECOND_HALF + REST]
        if after_first <= most_first and after_second < below:
            made, size = _add(room, made, size, label, np.int64(arc), after_first, after_second)
    return made, size


@compiled
def search_front(  # noqa: PLR0913, PLR0917 - compiled code takes flat arrays
    streets: Streets,
    question: Question,
    most_first: int,
    most_second: int,
    tolerance: float,
    settled: int,
    stamp: int,
    room: Room,
) -> int:
    """Writes the front to `room.found`, rows of (first cost, second cost, label); returns how many, or TOO_MANY.

    Args:
        streets: The graph.
        question: What is asked.
        most_first: No way of the front has more of the first cost.
        most_second: Nor of the second. This bound is exact: the tolerance holds between ways that were found.
        tolerance: A way is left out when one found before has at most this share more of the second cost.
        settled: The stamp of the nodes that matter; their rows hold what is left from them.
        stamp: Above that of every search before on these rows.
        room: What to write to.
    """
    rows, found = room.rows, room.found
    below, count = most_second + 1, 0
    made, size = _begin(question, most_first, below, settled, room)
    while size > 0:
        key, label = room.keys[0], np.int64(room.items[0])
        size = pop(room.keys, room.items, size)
        first, second = key >> _SECOND_BITS, key & LARGEST_SECOND
        if second >= below:
            continue
        by = room.labels[label, _BY]
        if by < 0:
            found[count, 0], found[count, 1], found[count, 2] = first, second, label
            count += 1
            below = int(np.ceil(second / (1.0 + tolerance)))
            continue
        node = streets.head[by]
        first -= rows[node, REST]
        second -= rows[node, SECOND_HALF + REST]
        if rows[node, _SEEN] == stamp and second >= rows[node, _LEAST]:
            continue
        rows[node, _SEEN], rows[node, _LEAST] = stamp, second
        if made + streets.first_out[node + 1] - streets.first_out[node] + len(question.entries) > len(room.labels):
            return TOO_MANY
        made, size = _go_on(
            streets, question, most_first, below, settled, stamp, room, label, first, second, made, size
        )
    return count


@compiled
def unpack_front(labels: Ints, found: Longs, entries: Longs) -> tuple[Longs, Ints]:
    """The arcs of all ways found, int32[a], laid end to end, and where those of each begin, int64[k + 1].

    The way that passes no node is told as one arc, -1.
    """
    first = np.zeros(len(found) + 1, dtype=np.int64)
    for way in range(len(found)):
        label = found[way, 2]
        first[way + 1] = first[way]
        while label >= 0:
            first[way + 1] += 1
            label = labels[label, _BEFORE]
    arcs = np.full(first[-1], -1, dtype=np.int32)
    for way in range(len(found)):
        label = found[way, 2]
        place = first[way + 1]
        while label >= 0:
            place -= 1
            by = labels[label, _BY]
            if by >= 0:
                arcs[place] = by
            elif ~by < len(entries):
                arcs[place] = entries[~by, ARC]
            label = labels[label, _BEFORE]
    return first, arcs
