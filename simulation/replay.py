"""Answers like AirKorea with recorded answers, and with the faults that a test asks for."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, cast

from mesh.errors import InvalidInput
from simulation.airkorea_server import (
    BULLETINS,
    HISTORY,
    MEASUREMENTS,
    STATIONS,
    TERM_HOURS,
    WRONG_PARAMETER,
    AirKoreaServer,
    Reply,
    Request,
    WireRow,
    gateway_error,
    page_of,
)
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
    """Recorded answers.

    Attributes:
        stations: The station list.
        answers: What the stations measured, answer by answer.
        bulletins: What was forecast, newest first.
        histories: The past of stations by name; for others it is put together from the answers that were given.
    """

    stations: _Rows
    answers: Sequence[_Rows]
    bulletins: _Rows = ()
    histories: Mapping[str, _Rows] = field(default_factory=dict)

    @classmethod
    def read(cls, files: Sequence[Path]) -> Recording:
        """Reads whole responses or bare lists of their items; which is which is told by their fields.

        Several hours of one station are its history. Raises UnreadableRecording when a file is none of these, or when
        the list of stations or the measurements lack.
        """
        stations: list[WireRow] = []
        answers: list[_Rows] = []
        bulletins: list[WireRow] = []
        histories: dict[str, _Rows] = {}
        for file in files:
            rows = _rows(file)
            if "dmX" in rows[0]:
                stations += rows
            elif "informCode" in rows[0]:
                bulletins += rows
            elif "dataTime" not in rows[0]:
                raise UnreadableRecording(
                    f"{file}: neither stations (dmX) nor measurements (dataTime) nor bulletins (informCode)"
                )
            elif len(rows) > 1 and len({row.get("stationName") for row in rows}) == 1:
                histories[str(rows[0].get("stationName"))] = rows
            else:
                answers.append(rows)
        if not stations or not answers:
            lacking = "answer of getCtprvnRltmMesureDnsty" if stations else "answer of getMsrstnList"
            raise UnreadableRecording(f"no {lacking} among the files: both are needed")
        return cls(stations, answers, bulletins, histories)


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
            return self._true_answer(request)

    def _true_answer(self, request: Request) -> Reply:
        if request.operation == MEASUREMENTS:
            return page_of(self._measurements(request), request)
        if request.operation == HISTORY:
            hours = TERM_HOURS.get(request.query.get("dataTerm", ""))
            station = request.query.get("stationName", "")
            return page_of(self._history(station)[:hours], request) if hours else gateway_error(*WRONG_PARAMETER)
        if request.operation == BULLETINS:
            issued_on = request.query.get("searchDate", "")
            rows = [row for row in self._recording.bulletins if str(row["dataTime"]).startswith(issued_on)]
            return page_of(rows, request)
        if request.operation == STATIONS:
            return page_of(self._recording.stations, request)
        return gateway_error("12", "NO_OPENAPI_SERVICE_ERROR")

    def _measurements(self, request: Request) -> _Rows:
        answers = self._recording.answers
        if request.query.get("pageNo", "1") == "1":
            self._next += 1
        rows = answers[min(self._next, len(answers)) - 1]
        province = request.query.get("sidoName", _EVERYWHERE)
        return rows if province == _EVERYWHERE else [row for row in rows if row.get("sidoName") == province]

    def _history(self, station: str) -> _Rows:
        """Newest first; of an hour that was corrected, what was published last."""
        if station in self._recording.histories:
            return self._recording.histories[station]
        published = [row for rows in self._recording.answers[: self._next] for row in rows]
        rows = [row for row in published if row.get("stationName") == station and row.get("dataTime")]
        hours = {str(row["dataTime"]): row for row in rows}
        return [hours[hour] for hour in sorted(hours, reverse=True)]


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
