"""What is kept is one thing for all who ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from router.exposure.recent import Recent


def test_two_who_make_it_at_once_get_one_and_the_same() -> None:
    recent, both = Recent[str, object](2), threading.Barrier(2)

    def make() -> object:
        both.wait()
        return object()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: recent.get("noon", make), range(2))
    assert one is other
    assert recent.get("noon", object) is one


def test_the_least_recently_used_goes_first() -> None:
    recent = Recent[str, object](2)
    noon, evening = recent.get("noon", object), recent.get("evening", object)
    recent.get("noon", object)
    recent.get("night", object)
    assert recent.get("noon", object) is noon
    assert recent.get("evening", object) is not evening
