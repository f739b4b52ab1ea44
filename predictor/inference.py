"""Asks models what others give them to look at: one at a time, in a thread of its own, with few waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from mesh.errors import ResourceExhausted
from predictor.models.calibration import Calibration
from predictor.models.members import FieldForecast, MemberForecasts
from predictor.models.model_file import LoadedModel
from predictor.models.observed import Observed

MOST_WAITING: Final = 16
"""So many questions may be in hand at once; a whole country takes some tenths of a second each."""


class TooManyQuestions(ResourceExhausted):
    """More questions wait already than will be answered soon."""

    reason = "TOO_MANY_INFERENCES"

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} questions wait already: try again a little later")


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a model says: its members each for itself, and put together."""

    told: FieldForecast
    members: MemberForecasts


class Inference:
    """Asks models. Used as a context: its thread ends with it.

    Args:
        calibration_of: How a model's members are put together.
    """

    def __init__(self, calibration_of: Callable[[LoadedModel], Calibration]) -> None:
        self._calibration_of = calibration_of
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")
        self._in_hand = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    async def ask(self, loaded: LoadedModel, observed: Observed) -> Answer:
        """What the model says. Who stops waiting before their turn costs nothing. Raises TooManyQuestions."""
        if self._in_hand >= MOST_WAITING:
            raise TooManyQuestions
        calibration, loop = self._calibration_of(loaded), asyncio.get_running_loop()
        future = self._thread.submit(_answer, loaded, calibration, observed)
        self._in_hand += 1
        future.add_done_callback(lambda _: self._leave(loop))
        return await asyncio.wrap_future(future)

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called in whichever thread a question ended in."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_down)

    def _count_down(self) -> None:
        self._in_hand -= 1


def _answer(loaded: LoadedModel, calibration: Calibration, observed: Observed) -> Answer:
    said = loaded.model.forecast(observed)
    return Answer(calibration.apply(said), said)
