"""Has those models serve that the registry names: on request here, and soon after a request to another replica."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

import structlog

from mesh.errors import Unavailable
from predictor.models.model_file import LoadedModel
from predictor.registry import Chosen, Registry, UnknownModel
from predictor.registry_entry import Alias

_log: Final = structlog.stdlib.get_logger("succession")

Serve = Callable[[LoadedModel, LoadedModel | None], Awaitable[None]]
"""Makes the first the model that forecasts, and the second, if any, the one in shadow."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload led to: whether the champion is another one, and the versions of the models found."""

    changed: bool
    versions: Sequence[str]


class Succession:
    """Keeps what serves in step with what the registry says.

    Args:
        registry: Says which models are to serve.
        serve: Has them serve.
        serving: Those that do to begin with.
    """

    def __init__(self, registry: Registry, serve: Serve, serving: Chosen) -> None:
        self.registry: Final = registry
        self._serve = serve
        self._turn = asyncio.Lock()
        self.serving = serving

    def called(self, name: str, version: str = "") -> LoadedModel:
        """The model called so: `champion`, `challenger`, `damped-persistence` for the baseline, or by its version.

        Raises registry.UnknownModel, also where it is not of this version.
        """
        champion, challenger, baseline = self.serving.champion, self.serving.challenger, self.registry.baseline
        known = {one.version: one for one in self.registry.loaded}
        known |= {Alias.CHAMPION: champion, baseline.model.name: baseline}
        if challenger is not None:
            known[Alias.CHALLENGER] = challenger
        found = known.get(name)
        if found is None:
            raise UnknownModel(name, list(known), field="model_name")
        if version not in {"", found.version}:
            raise UnknownModel(f"{name} {version}", [found.version], field="model_version")
        return found

    async def reload(self) -> Reloaded:
        """Reads all model files anew. Raises registry.SomeModelsUnusable, and then the champion serves on."""
        before = self.serving.champion.sha256
        versions = await self.registry.reload()
        await self.follow_once()
        return Reloaded(self.serving.champion.sha256 != before, versions)

    async def name(self, alias: Alias, version: str) -> Chosen:
        """See `Registry.name`; what it says serves on return."""
        await self.registry.name(alias, version)
        await self.follow_once()
        return self.serving

    async def follow_once(self) -> None:
        """Has what the registry names serve, if it does not yet."""
        async with self._turn:
            chosen = await self.registry.chosen()
            if chosen.names == self.serving.names:
                return
            await self._serve(chosen.champion, chosen.challenger)
            self.serving = chosen
        challenger = chosen.challenger
        _log.info(
            "models changed",
            champion=chosen.champion.version,
            challenger=None if challenger is None else challenger.version,
        )

    async def follow(self, seconds: float) -> NoReturn:
        """Looks every so many seconds whether another replica has been told otherwise; until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.follow_once()
            except Unavailable as error:
                # The database is away: health says so, and what serves, serves on.
                _log.warning("registry not read", cause=repr(error.__cause__))
