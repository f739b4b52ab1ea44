"""Where the next page of a list starts: opaque to clients, and good for the same question only."""

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

_HEAD: Final = struct.Struct(">BIB")
_TIME: Final = struct.Struct(">q")
_CHECKSUM: Final = struct.Struct(">I")
_VERSION: Final = 2
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
    """Where a page ended: the key of its last item, as text and times, and whatever else the first page has fixed."""

    text: str
    times: tuple[datetime, ...] = ()

    def encode(self, question: int) -> str:
        """The token as clients carry it, bound to a question by its `fingerprint`."""
        times = b"".join(_TIME.pack((time - _EPOCH) // _MICROSECOND) for time in self.times)
        body = _HEAD.pack(_VERSION, question, len(self.times)) + times + self.text.encode()
        return base64.urlsafe_b64encode(body + _CHECKSUM.pack(zlib.crc32(body))).decode().rstrip("=")

    @classmethod
    def decode(cls, encoded: str, question: int) -> PageToken:
        """The token, which holds as many times as the question's tokens do. Raises InvalidPageToken."""
        try:
            packed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
            body, checksum = packed[: -_CHECKSUM.size], packed[-_CHECKSUM.size :]
            version, asked, count = _HEAD.unpack_from(body)
            if checksum != _CHECKSUM.pack(zlib.crc32(body)) or (version, asked) != (_VERSION, question):
                raise InvalidPageToken
            text = _HEAD.size + count * _TIME.size
            times = tuple(_time(microseconds) for (microseconds,) in _TIME.iter_unpack(body[_HEAD.size : text]))
            token = cls(body[text:].decode(), times)
        except (binascii.Error, struct.error, ValueError, OverflowError) as error:
            raise InvalidPageToken from error
        if token.encode(question) != encoded:
            raise InvalidPageToken
        return token


def fingerprint(*question: str | int | datetime | Collection[str] | None) -> int:
    """A number that differs, as good as always, for questions that differ; a collection's order makes no difference."""
    parts = [sorted(part) if isinstance(part, Collection) and not isinstance(part, str) else part for part in question]
    return zlib.crc32(repr(parts).encode())


def _time(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
