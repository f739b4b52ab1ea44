"""The requests that a day allows, and who counts them."""

from __future__ import annotations


class Unlimited:
    """Counts nothing: for a network that is our own, and for tests."""

    async def take(self, service: str) -> None:
        """Lets every request through."""
