"""Readers wait for nobody and never see half a value; rooms are filled once for all who ask, and used again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from router.rooms import Rooms

Value = list[str]


def rooms(most: int) -> Rooms[str, Value]:
    return Rooms(list, most, built=1)


def ask(of: Rooms[str, Value], key: str) -> Value:
    with of.read(key, lambda value: put(value, key)) as value:
        return list(value)


def put(value: Value, key: str) -> None:
    value[:] = [key]


def refuse(_value: Value) -> None:
    raise ValueError("no field")


def test_what_is_there_is_not_filled_again() -> None:
    of = rooms(2)
    assert ask(of, "noon") == ["noon"]
    with of.read("noon", refuse) as value:
        assert value == ["noon"]


def test_the_room_least_recently_read_is_filled_next() -> None:
    of = rooms(2)
    for key in ("one", "two", "one", "three"):
        assert ask(of, key) == [key]
    with of.read("one", refuse) as value:
        assert value == ["one"]
    with pytest.raises(ValueError, match="no field"), of.read("two", refuse):
        pass


def test_a_room_that_is_read_is_not_filled_and_nobody_waits_to_read_another() -> None:
    of = rooms(2)
    with of.read("old", lambda value: put(value, "old")) as old:
        assert ask(of, "new") == ["new"]
        assert ask(of, "newer") == ["newer"]
        assert old == ["old"]
        assert ask(of, "old") == ["old"]


def test_a_room_that_is_held_stays_even_when_others_are_asked_for_more_often() -> None:
    of = rooms(2)
    ask(of, "now")
    of.hold(frozenset({"now"}))
    for key in ("one", "two", "three"):
        ask(of, key)
    with of.read("now", refuse) as value:
        assert value == ["now"]
    with pytest.raises(ValueError, match="one must be free"):
        of.hold(frozenset({"now", "next"}))


def test_many_who_ask_at_once_have_it_filled_once() -> None:
    of, fills = rooms(2), list[str]()

    def fill(value: Value) -> None:
        fills.append("noon")
        put(value, "noon")

    def one() -> Value:
        with of.read("noon", fill) as value:
            return list(value)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: one(), range(64))) == [["noon"]] * 64
    assert fills == ["noon"]


def test_who_finds_all_rooms_in_use_waits_until_one_is_left() -> None:
    of = rooms(1)
    with ThreadPoolExecutor(1) as pool:
        with of.read("one", lambda value: put(value, "one")) as value:
            waiting = pool.submit(ask, of, "two")
            assert value == ["one"]
            assert not waiting.done()
        assert waiting.result() == ["two"]


def test_what_fails_to_be_filled_is_tried_again_by_who_waits() -> None:
    of, begun, fail = rooms(1), threading.Event(), threading.Event()

    def late(_value: Value) -> None:
        begun.set()
        fail.wait()
        raise ValueError("no field")

    def first() -> None:
        with of.read("noon", late):
            pass

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(first)
        begun.wait()
        waiting = pool.submit(ask, of, "noon")
        fail.set()
        with pytest.raises(ValueError, match="no field"):
            failing.result()
        assert waiting.result() == ["noon"]
