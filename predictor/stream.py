"""The stream of forecasts: the newest of every station, then each new one as it is issued."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.bell import Bell
from mesh.resume_token import ResumeToken, UnknownResumeToken
from predictor.forecast import Forecast
from predictor.issuing import Issuer

_FORECASTS_AN_ELEMENT: Final = 50


@dataclass(frozen=True, slots=True)
class Element:
    """Forecasts, or none in a heartbeat; the token stands for all that came up to here."""

    token: ResumeToken
    forecasts: Sequence[Forecast]


async def follow(issuer: Issuer, bell: Bell, token: str, heartbeat_seconds: float) -> AsyncIterator[Element]:
    """What has been issued after the token, of each station only the newest, and so on without end.

    The first element comes at once, if only as a heartbeat. Raises InvalidResumeToken, or UnknownResumeToken when the
    token belongs to another log or a later state of it.
    """
    epoch = issuer.board.epoch
    position = ResumeToken.position(token, epoch)
    if position > issuer.board.sequence:
        # The database was set back, say from a backup: the numbers ahead will be given to other forecasts.
        raise UnknownResumeToken
    while not bell.closed:
        rings, board = bell.rings, issuer.board
        if board.epoch != epoch:
            raise UnknownResumeToken
        issued = board.after(position)
        for start in range(0, max(len(issued), 1), _FORECASTS_AN_ELEMENT):
            part = issued[start : start + _FORECASTS_AN_ELEMENT]
            position = part[-1].sequence if part else position
            yield Element(ResumeToken(epoch, position), [one.forecast for one in part])
        await bell.wait(rings, heartbeat_seconds)
