"""`cleanair backfill`: the files one after the other, with a bar, a summary, and a word on how to go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import grpc
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.progress import ProgressColumn as Column
from rich.text import Text

from cli.backfill.history import Batch, History, Options, prepare
from cli.backfill.places import read_places
from cli.backfill.upload import Patience, Tally, Upload
from cli.failure import CommandFailed
from cli.settings import CommandSettings
from mesh.channel import open_channel

_BATCHES_A_CALL: Final = 4
_PATIENCE_SECONDS: Final = 300.0
_REASONS_SHOWN: Final = 5

INTERRUPTED: Final = 130
"""The exit code of a command that was stopped by Ctrl-C, as shells have it."""


def backfill(
    settings: CommandSettings,
    files: Sequence[Path],
    *,
    target: str | None,
    stations: Path | None,
    station: str | None,
    feed: str,
    correct: bool,
) -> int:
    """Loads files, all looked over before the first is sent. Returns the exit code: 1 when rows were not loaded.

    Raises CommandFailed.
    """
    key = settings.operator_key()
    if key is None:
        raise CommandFailed("Loading is for operators: set CLEANAIR_OPERATOR_API_KEY to the mesh's operator key.")
    places = {} if stations is None else read_places(stations)
    if station is not None and station not in places:
        raise CommandFailed(f"Where does {station} stand? Give a list that has it with --stations.")
    options = Options(places, stations, feed, correct, station)
    console = Console(soft_wrap=True, highlight=False)
    with console.status("Looking the files over …"):
        histories = [prepare(file, options) for file in files]
    loader = _Loader(settings, target or settings.ingestion_target, key, options, console)
    try:
        return max([asyncio.run(loader.load(history)) for history in histories], default=0)
    except KeyboardInterrupt:
        console.print("Interrupted. What was sent is stored: run the same command again to go on from there.")
        return INTERRUPTED


class _Loader:
    def __init__(
        self, settings: CommandSettings, target: str, key: SecretStr, options: Options, console: Console
    ) -> None:
        self._settings = settings
        self._target = target
        self._key = key
        self._options = options
        self._console = console

    async def load(self, history: History) -> int:
        """Loads one file; 0 when all of it is loaded, else 1."""
        started = time.monotonic()
        async with open_channel(self._target, self._settings) as channel:
            progress = self._progress()
            upload = self._upload(channel, history, progress)
            try:
                with progress:
                    task = progress.add_task(history.path.name, total=history.rows)
                    await self._send(history, upload, progress, progress.tasks[task])
                    progress.update(task, completed=history.rows)
            except CommandFailed as error:
                raise CommandFailed(
                    f"{history.path.name} is not loaded to its end. {self._target}: {error}. What was sent is stored:"
                    " run the same command again to go on from there."
                ) from error
        self._console.print(_summary(history, upload.tally, time.monotonic() - started), markup=False)
        return 1 if history.left_out.unreadable or upload.tally.refused else 0

    def _upload(self, channel: grpc.aio.Channel, history: History, progress: Progress) -> Upload:
        return Upload(
            channel,
            self._key,
            upload_id=history.upload_id,
            feed=self._options.feed,
            correct=self._options.correct,
            patience=Patience(_PATIENCE_SECONDS, self._settings.reconnect_seconds),
            tell=progress.console.print,
        )

    async def _send(self, history: History, upload: Upload, progress: Progress, task: Task) -> None:
        stored = await upload.begin()
        batches = history.batches()
        # The next batches are read while the server stores the last ones.
        ahead = asyncio.create_task(_taken(batches))
        try:
            while several := await ahead:
                ahead = asyncio.create_task(_taken(batches))
                upload.tally.earlier += sum(len(batch.readings) for batch in several if batch.sequence <= stored)
                await upload.deliver(several)
                progress.update(task.id, completed=several[-1].rows)
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    def _progress(self) -> Progress:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            _RowsPerSecond(),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)


class _RowsPerSecond(Column):
    """How fast rows are stored."""

    def render(self, task: Task) -> Text:
        """The rate, once there is one."""
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")


async def _taken(batches: Iterable[Batch]) -> Sequence[Batch]:
    """The next batches, as many as go in one call; none at the end."""
    return await asyncio.to_thread(lambda: list(islice(batches, _BATCHES_A_CALL)))


def _summary(history: History, tally: Tally, seconds: float) -> str:
    left_out = history.left_out
    rejected = tally.refused + left_out.unreadable
    counts = f"{tally.new:,} new, {tally.corrected:,} corrected, {tally.unchanged:,} unchanged, {rejected:,} rejected"
    rate = f"{history.rows:,} rows in {seconds:.1f} s, {(tally.sent + tally.untold) / seconds:,.0f} readings/s"
    lines = [f"{history.path.name}: {counts}; {rate}."]
    if tally.earlier:
        lines.append(f"{tally.earlier:,} readings had been stored by an earlier run.")
    if tally.untold:
        lines.append(f"{tally.untold:,} readings were stored in calls that broke before they told what became of them.")
    if left_out.empty:
        lines.append(f"{left_out.empty:,} rows hold no value.")
    reasons = [
        f"row {row}: {reason}" + (f" ({n:,} rows)" if n > 1 else "") for reason, (row, n) in left_out.reasons.items()
    ]
    lines += [f"Rejected: {reason}" for reason in [*reasons, *tally.refusals][:_REASONS_SHOWN]]
    return "\n".join(lines)
