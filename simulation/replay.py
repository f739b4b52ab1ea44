"""Answers like AirKorea with recorded answers, and with the faults that a test asks for."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

from mesh.errors import InvalidInput
from simulation.airkorea_server import MEASUREMENTS, AirKoreaServer, Reply, Request, WireRow, page_of
from simulation.foreground import until_interrupted

_EVERYWHERE: Final = "전국"

_Rows: TypeAlias = Sequence[WireRow]


class UnreadableRecording(InvalidInput):
    """A file holds no recorded answer of AirKorea."""

    reason = "UNREADABLE_RECORDING"


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do instead of answering: first wait, then send this, or the true answer when there is none."""

    reply: Reply | None = None
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded answers: the station list, and what the stations measured, answer by answer."""

    stations: _Rows
    answers: Sequence[_Rows]

    @classmethod
    def read(cls, files: Sequence[Path]) -> Recording:
        """Reads whole responses or bare lists of their items; which is which is told by their fields.

        Raises UnreadableRecording when a file is neither, or when the list of stations or the measurements lack.
        """
        stations: list[WireRow] = []
        answers: list[_Rows] = []
        for file in files:
            rows = _rows(file)
            if "dmX" in rows[0]:
                stations += rows
            elif "dataTime" in rows[0]:
                answers.append(rows)
            else:
                raise UnreadableRecording(f"{file}: neither stations (dmX) nor measurements (dataTime)")
        if not stations or not answers:
            lacking = "answer of getCtprvnRltmMesureDnsty" if stations else "answer of getMsrstnList"
            raise UnreadableRecording(f"no {lacking} among the files: both are needed")
        return cls(stations, answers)


class ReplayServer(AirKoreaServer):
    """Each question for measurements gets the next recorded answer; the last one repeats.

    Attributes:
        requests: What was asked so far.
    """

    def __init__(self, recording: Recording, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(self._answer, host, port)
        self.requests: list[Request] = []
        self._recording = recording
        self._next = 0
        self._faults: deque[Fault] = deque()
        self._lasting_fault: Fault | None = None
        self._turn = threading.Lock()
        self._stopping = threading.Event()

    def fail_next(self, *faults: Fault) -> None:
        """The next requests meet these faults, one each."""
        self._faults.extend(faults)

    def fail(self, fault: Fault | None) -> None:
        """Every request meets this fault from now on; none with None."""
        self._lasting_fault = fault

    def replace(self, recording: Recording) -> None:
        """Answers from another recording from now on."""
        with self._turn:
            self._recording, self._next = recording, 0

    def stop(self) -> None:
        """Stops, delayed answers included."""
        self._stopping.set()
        super().stop()

    def _answer(self, request: Request) -> Reply:
        with self._turn:
            self.requests.append(request)
            fault = self._faults.popleft() if self._faults else self._lasting_fault
        if fault is not None:
            self._stopping.wait(fault.delay_seconds)
            if fault.reply is not None:
                return fault.reply
        with self._turn:
            return page_of(self._rows(request), request)

    def _rows(self, request: Request) -> _Rows:
        if request.operation != MEASUREMENTS:
            return self._recording.stations
        answers = self._recording.answers
        if request.query.get("pageNo", "1") == "1":
            self._next += 1
        rows = answers[min(self._next, len(answers)) - 1]
        province = request.query.get("sidoName", _EVERYWHERE)
        return rows if province == _EVERYWHERE else [row for row in rows if row.get("sidoName") == province]


def serve_replay(files: Sequence[Path], port: int) -> None:
    """Serves recorded answers until the process is told to stop. Raises UnreadableRecording."""
    with ReplayServer(Recording.read(files), port=port) as server:
        until_interrupted(f"CLEANAIR_AIRKOREA_URL={server.url}")


def _rows(file: Path) -> list[WireRow]:
    try:
        content: object = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UnreadableRecording(f"{file}: not a JSON file that can be read") from error
    for name in ("response", "body", "items", "item"):
        if isinstance(content, dict) and name in content:
            content = content[name]
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return cast(list[WireRow], content)
    raise UnreadableRecording(f"{file}: no recorded answer of AirKorea, nor the list of its items")
