"""The shelf in the process; tests/integration holds Redis to the same."""

from __future__ import annotations

from mesh.shelf import InProcessShelf


async def test_what_is_put_there_is_found_until_its_time_is_up() -> None:
    shelf = InProcessShelf(room=10)
    await shelf.put({"a": b"1", "b": b"2"}, ttl_seconds=60)
    await shelf.put({"gone": b"3"}, ttl_seconds=-1)
    assert await shelf.get(["b", "gone", "never", "a"]) == [b"2", None, None, b"1"]
    assert sorted(await shelf.names()) == ["a", "b"]


async def test_when_it_is_full_what_ends_first_goes_first() -> None:
    shelf = InProcessShelf(room=2)
    await shelf.put({"late": b"1"}, ttl_seconds=60)
    await shelf.put({"soon": b"2"}, ttl_seconds=30)
    await shelf.put({"later": b"3"}, ttl_seconds=90)
    assert sorted(await shelf.names()) == ["late", "later"]


async def test_what_is_put_again_counts_once_and_lasts_anew() -> None:
    shelf = InProcessShelf(room=2)
    for value in (b"1", b"2"):
        await shelf.put({"a": value, "b": b"0"}, ttl_seconds=60)
    assert await shelf.get(["a", "b"]) == [b"2", b"0"]
