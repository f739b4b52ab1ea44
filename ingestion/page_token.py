"""Where the next page of a list of readings starts: opaque to clients, and good for the same question only."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from mesh.errors import InvalidInput

_LAYOUT: Final = struct.Struct(">BIqqq")
_CHECKSUM: Final = struct.Struct(">I")
_VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class InvalidPageToken(InvalidInput):
    """The text is no token of ours, or one of another question."""

    reason = "INVALID_PAGE_TOKEN"

    def __init__(self) -> None:
        super().__init__(
            "page_token is not the next_page_token of this question: leave it empty to start with the first page",
            field="page_token",
        )


@dataclass(frozen=True, slots=True)
class PageToken:
    """The last hour and station of a page, and the time range that the first page was asked for with.

    A range that was left open is fixed by the first page: later pages must not slide with the clock.
    """

    start: datetime
    end: datetime
    measured_at: datetime
    station_id: str

    def encode(self, question: int) -> str:
        """The token as clients carry it, bound to a question by its `fingerprint`."""
        times = ((time - _EPOCH) // _MICROSECOND for time in (self.start, self.end, self.measured_at))
        body = _LAYOUT.pack(_VERSION, question, *times) + self.station_id.encode()
        return base64.urlsafe_b64encode(body + _CHECKSUM.pack(zlib.crc32(body))).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, question: int) -> PageToken:
        """The token in `text`. Raises InvalidPageToken."""
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            body, checksum = packed[: -_CHECKSUM.size], packed[-_CHECKSUM.size :]
            version, asked, start, end, measured_at = _LAYOUT.unpack_from(body)
            station_id = body[_LAYOUT.size :].decode()
            if checksum != _CHECKSUM.pack(zlib.crc32(body)) or (version, asked) != (_VERSION, question):
                raise InvalidPageToken
            token = cls(_time(start), _time(end), _time(measured_at), station_id)
        except (binascii.Error, struct.error, ValueError, OverflowError) as error:
            raise InvalidPageToken from error
        if token.encode(question) != text:
            raise InvalidPageToken
        return token


def fingerprint(station_ids: Collection[str], start: datetime | None, end: datetime | None) -> int:
    """A number that differs, as good as always, for questions that differ."""
    question = (sorted(station_ids), start and start.isoformat(), end and end.isoformat())
    return zlib.crc32(repr(question).encode())


def _time(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
