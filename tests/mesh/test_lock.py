"""A lock has one holder at a time, whose token is greater than that of every holder before."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mesh.lock import InProcessLocks, Lease, LockTaken, holding

_TTL = 10.0


class LockMachine(RuleBasedStateMachine):
    """Takes, keeps and lets go of one lock in any order while time passes, beside a model that is told by the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.loop = asyncio.Runner()
        self.locks = InProcessLocks(lambda: self.now)
        self.leases: list[Lease] = []
        self.holder: Lease | None = None
        self.expires = 0.0

    def teardown(self) -> None:
        self.loop.close()

    @property
    def held(self) -> bool:
        return self.holder is not None and self.expires > self.now

    @rule()
    def acquire(self) -> None:
        lease = self.loop.run(self.locks.acquire("lock", _TTL))
        assert (lease is None) == self.held
        if lease is not None:
            assert all(lease.token > earlier.token for earlier in self.leases)
            self.leases.append(lease)
            self.holder, self.expires = lease, self.now + _TTL

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        was_held = self.held and lease == self.holder
        assert self.loop.run(self.locks.extend(lease, _TTL)) == was_held
        if was_held:
            self.expires = self.now + _TTL

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        was_held = self.held and lease == self.holder
        assert self.loop.run(self.locks.release(lease)) == was_held
        if was_held:
            self.holder = None

    @rule(seconds=st.sampled_from((1.0, 4.0, 11.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def another_lock_is_free(self) -> None:
        lease = self.loop.run(self.locks.acquire("another", _TTL))
        assert lease is not None
        self.loop.run(self.locks.release(lease))


TestLockMachine = LockMachine.TestCase
TestLockMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@pytest.fixture
def locks() -> InProcessLocks:
    return InProcessLocks()


async def test_a_lock_is_kept_for_longer_than_it_lives_and_then_free(locks: InProcessLocks) -> None:
    async with holding(locks, "lock", ttl_seconds=0.1):
        await asyncio.sleep(0.25)
        with pytest.raises(LockTaken):
            async with holding(locks, "lock", ttl_seconds=0.1):
                pytest.fail("two hold it")
    async with holding(locks, "lock", ttl_seconds=0.1):
        pass


async def test_those_who_wait_get_it_one_after_the_other(locks: InProcessLocks) -> None:
    inside, tokens = 0, []

    async def enter() -> None:
        nonlocal inside
        async with holding(locks, "lock", ttl_seconds=5.0, wait_seconds=10.0) as lease:
            inside += 1
            assert inside == 1
            tokens.append(lease.token)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(enter() for _ in range(4)))
    assert tokens == sorted(set(tokens))


async def test_an_error_within_lets_go_of_it(locks: InProcessLocks) -> None:
    with pytest.raises(ZeroDivisionError):
        async with holding(locks, "lock", ttl_seconds=60.0):
            raise ZeroDivisionError
    assert await locks.acquire("lock", 1.0) is not None


async def test_a_holder_that_is_cancelled_while_it_lets_go_is_cancelled_and_has_let_go(locks: InProcessLocks) -> None:
    leaving = asyncio.Event()

    async def hold() -> None:
        async with holding(locks, "lock", ttl_seconds=60.0):
            leaving.set()
        await asyncio.sleep(60.0)

    task = asyncio.create_task(hold())
    await leaving.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await locks.acquire("lock", 1.0) is not None
