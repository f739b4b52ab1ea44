"""The pool takes what it can, and says so when it cannot."""

from __future__ import annotations

import asyncio
import threading

import pytest

from router.workers import Overloaded, Workers


async def test_work_is_done_off_the_event_loop() -> None:
    workers = Workers(1, 0)
    assert await workers.run(threading.get_ident) != threading.get_ident()
    workers.close()


async def test_what_goes_wrong_is_told() -> None:
    workers = Workers(1, 0)

    def divide() -> float:
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        await workers.run(divide)
    assert await workers.run(lambda: 42) == 42
    workers.close()


async def test_a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() -> None:
    workers, gate = Workers(1, 1), threading.Event()
    taken = [asyncio.create_task(workers.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await workers.run(gate.wait)
    gate.set()
    assert await asyncio.gather(*taken) == [True, True]
    assert await workers.run(lambda: 42) == 42
    workers.close()
