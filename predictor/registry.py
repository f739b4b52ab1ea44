"""Which models there are, and which of them is champion and challenger: the same for all replicas, kept over restarts.

The champion is the file that the settings name until an operator names another; from then on it is that one, whatever
the settings say. A replica that does not have the file of the champion serves what its own settings name, and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from mesh.clock import Clock
from mesh.errors import FailedPrecondition, InvalidInput, NotFound
from predictor.models.model_file import LoadedModel, ModelUnusable
from predictor.models.model_files import Candidate, Found, ModelFiles, baseline, passing, sound
from predictor.registry_entry import Alias, Named, RegisteredModel
from predictor.store.registry import RegistryStore

_log: Final = structlog.stdlib.get_logger("registry")


class UnknownModel(NotFound):
    """No model is called so."""

    reason = "UNKNOWN_MODEL"

    def __init__(self, name: str, known: Sequence[str], *, field: str) -> None:
        super().__init__(f"no model is called {name!r}; there are {', '.join(known) or 'none'}", field=field)


class ModelInService(FailedPrecondition):
    """What is asked for cannot be done with a model that serves."""

    reason = "MODEL_IN_SERVICE"


class SomeModelsUnusable(FailedPrecondition):
    """Some of the model files cannot be used."""

    reason = ModelUnusable.reason

    def __init__(self, refused: Sequence[ModelUnusable]) -> None:
        files = ",".join(error.metadata["file"] for error in refused)
        super().__init__("; ".join(error.message for error in refused), metadata={"file": files})


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which models are to serve: one that forecasts, and one in shadow or none."""

    champion: LoadedModel
    challenger: LoadedModel | None

    @property
    def names(self) -> tuple[str, str | None]:
        """The SHA-256 of both."""
        return self.champion.sha256, None if self.challenger is None else self.challenger.sha256


class Registry:
    """The models of all replicas, and the files of this one. `open` it before use."""

    def __init__(self, store: RegistryStore, files: ModelFiles, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._turn = asyncio.Lock()
        self._here: dict[str, Candidate] = {}
        self._configured: Candidate | None = None
        self._missed: dict[Alias, str] = {}
        self._refused: tuple[str, ...] = ()

    async def open(self) -> None:
        """Looks at all files. Raises ModelUnusable when the one that the settings name must never serve."""
        async with self._turn:
            found = await asyncio.to_thread(self._files.look)
            own = found.configured
            if own is None:
                own = await asyncio.to_thread(sound, self._files.configured)
            self._configured = own
            await self._take_in(found.passed if own in found.passed else (own, *found.passed))
            self._complain(found)
            await self._follow_settings()

    @property
    def alerts(self) -> tuple[str, ...]:
        """What an operator should look at."""
        return (*self._refused, *(self._missing(alias, sha256) for alias, sha256 in self._missed.items()))

    @property
    def baseline(self) -> LoadedModel:
        """What all models are held against."""
        return baseline()

    @property
    def loaded(self) -> Sequence[LoadedModel]:
        """Every model whose file has been read here."""
        return [candidate.loaded for candidate in self._here.values()]

    async def models(self) -> list[RegisteredModel]:
        """All that have ever passed their checks, newest first."""
        return await self._store.models()

    async def aliases(self) -> dict[Alias, Named]:
        """Which model is what."""
        return await self._store.aliases()

    async def chosen(self) -> Chosen:
        """Which models are to serve by now, with what stands in for one whose file is not here."""
        async with self._turn:
            aliases = await self._store.aliases()
            if any(self._is_news(alias, named) for alias, named in aliases.items()):
                # Another replica has named it: its file may have come here since the last look.
                found = await asyncio.to_thread(self._files.look)
                await self._take_in(found.passed)
            for alias in Alias:
                self._note(alias, aliases.get(alias))
            champion, challenger = (self._candidate(aliases.get(alias)) for alias in Alias)
            return Chosen((champion or self._own).loaded, None if challenger is None else challenger.loaded)

    async def reload(self) -> Sequence[str]:
        """Looks at all files anew, and takes in those that pass; returns their versions.

        The champion becomes the file that the settings name as it is now, where no operator has named another.
        Raises SomeModelsUnusable, and then the champion stays.
        """
        async with self._turn:
            found = await asyncio.to_thread(self._files.look)
            await self._take_in(found.passed)
            if found.configured is not None and not found.refused:
                self._configured = found.configured
            self._complain(found)
            if found.refused:
                raise SomeModelsUnusable(found.refused)
            await self._follow_settings()
            await self._forget_all_but(found.passed)
            return [candidate.loaded.version for candidate in found.passed]

    async def name(self, alias: Alias, version: str) -> None:
        """Makes a registered model champion or challenger; with no version, there is no challenger any more.

        Raises UnknownModel, ModelUnusable when its file does not pass, or ModelInService.
        """
        async with self._turn:
            if not version:
                if alias is Alias.CHAMPION:
                    raise InvalidInput("a champion there must be: say which version", field="version")
                await self._store.name({}, empty=[alias])
                return
            candidate = await self._examined(version)
            aliases = await self._store.aliases()
            sha256 = candidate.loaded.sha256
            others = [other for other, named in aliases.items() if other is not alias and named.sha256 == sha256]
            if alias is Alias.CHALLENGER and others:
                raise ModelInService(f"{version} is the champion: it cannot challenge itself")
            await self._store.name({alias: Named(sha256, self._clock(), pinned=True)}, empty=others)
        _log.info("model named", alias=alias.value, version=version)

    async def load(self, name: str) -> None:
        """Reads and examines one file, by its name or its model's version, and takes it in.

        Raises UnknownModel, or ModelUnusable.
        """
        async with self._turn:
            known = {model.version: model.file for model in await self._store.models()}
            path = self._files.named(known.get(name, name))
            if path is None:
                files = [path.stem for path in self._files.paths()]
                raise UnknownModel(name, files, field="model_name")
            candidate = await asyncio.to_thread(passing, path)
            await self._take_in((candidate,))

    async def unload(self, version: str) -> None:
        """Forgets a model until its file is read again. Raises UnknownModel, or ModelInService."""
        async with self._turn:
            versions = {candidate.loaded.version: sha256 for sha256, candidate in self._here.items()}
            sha256 = versions.get(version)
            if sha256 is None:
                raise UnknownModel(version, list(versions), field="model_name")
            named = {one.sha256: alias.value for alias, one in (await self._store.aliases()).items()}
            named |= {self.baseline.sha256: "baseline", self._own.loaded.sha256: "model that the settings name"}
            if sha256 in named:
                raise ModelInService(f"{version} is the {named[sha256]}: it stays")
            del self._here[sha256]

    @property
    def _own(self) -> Candidate:
        if self._configured is None:
            raise RuntimeError("the registry has not been opened")
        return self._configured

    def _candidate(self, named: Named | None) -> Candidate | None:
        return None if named is None else self._here.get(named.sha256)

    def _is_news(self, alias: Alias, named: Named) -> bool:
        return named.sha256 not in self._here and self._missed.get(alias) != named.sha256

    def _note(self, alias: Alias, named: Named | None) -> None:
        """Keeps in mind whether the file of an alias is not here, and says so once."""
        if named is None or named.sha256 in self._here:
            self._missed.pop(alias, None)
        elif self._missed.get(alias) != named.sha256:
            self._missed[alias] = named.sha256
            _log.warning("model missing", alias=alias.value, sha256=named.sha256)

    def _missing(self, alias: Alias, sha256: str) -> str:
        instead = f"{self._own.loaded.version} serves instead" if alias is Alias.CHAMPION else "there is none"
        return f"the file of the {alias.value}, SHA-256 {sha256[:8]}, is not here, or is refused: {instead}"

    def _complain(self, found: Found) -> None:
        weak = f"{self._own.file} serves, and should not: {'; '.join(self._own.weak)}" if self._own.weak else ""
        others = [error for error in found.refused if error.metadata["file"] != self._own.file or not weak]
        self._refused = (*((weak,) if weak else ()), *(error.message for error in others))
        for message in self._refused:
            _log.warning("model refused", why=message)

    async def _follow_settings(self) -> None:
        """Makes the configured model champion, unless an operator has named another."""
        aliases, own = await self._store.aliases(), self._own.loaded.sha256
        champion, challenger = (aliases.get(alias) for alias in Alias)
        if champion is not None and (champion.pinned or champion.sha256 == own):
            return
        same = challenger is not None and challenger.sha256 == own
        named = {Alias.CHAMPION: Named(own, self._clock(), pinned=False)}
        await self._store.name(named, empty=[Alias.CHALLENGER] if same else [])

    async def _take_in(self, candidates: Sequence[Candidate]) -> None:
        now = self._clock()
        await self._store.register(
            [
                RegisteredModel(
                    one.loaded.sha256, one.loaded.version, one.loaded.model.name, one.file, one.metrics, now
                )
                for one in candidates
            ]
        )
        self._here |= {one.loaded.sha256: one for one in candidates}

    async def _forget_all_but(self, passed: Sequence[Candidate]) -> None:
        """Lets go of models whose files are gone and that nobody has named, lest each reload add to the memory."""
        kept = {named.sha256 for named in (await self._store.aliases()).values()}
        kept |= {self._own.loaded.sha256, *(one.loaded.sha256 for one in passed)}
        self._here = {sha256: one for sha256, one in self._here.items() if sha256 in kept}

    async def _examined(self, version: str) -> Candidate:
        """A registered model, its file read anew. Raises UnknownModel or ModelUnusable."""
        known = {model.version: model for model in await self._store.models()}
        if version not in known:
            raise UnknownModel(version, list(known), field="version")
        path = self._files.named(known[version].file)
        if path is None:
            raise ModelUnusable(self._files.configured.with_name(known[version].file), "it is not here any more")
        candidate = await asyncio.to_thread(passing, path)
        if candidate.loaded.sha256 != known[version].sha256:
            raise ModelUnusable(path, f"it is {candidate.loaded.version} now, and no longer {version}")
        await self._take_in((candidate,))
        return candidate
