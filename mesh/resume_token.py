"""Where a follower of a stream stands: the token that it gives back to go on from there."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass
from typing import ClassVar

from mesh.errors import FailedPrecondition, InvalidInput

_LAYOUT = struct.Struct(">B8sQ")
_CHECKSUM = struct.Struct(">I")
_VERSION = 1
EPOCH_HEX_DIGITS = 16


class InvalidResumeToken(InvalidInput):
    """The text is no token of ours."""

    reason: ClassVar[str] = "INVALID_RESUME_TOKEN"

    def __init__(self) -> None:
        super().__init__(
            "resume_token is not one that this stream gave out: send the last one received, or leave it empty to"
            " start over",
            field="resume_token",
        )


class UnknownResumeToken(FailedPrecondition):
    """A sound token of another log: the store behind the stream was replaced."""

    reason: ClassVar[str] = "RESUME_TOKEN_UNKNOWN"

    def __init__(self) -> None:
        super().__init__(
            "resume_token belongs to a store that is no longer here: leave it empty to start over",
            field="resume_token",
        )


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """A place in a log: all elements up to `sequence`, of the log named `epoch` (16 hexadecimal digits)."""

    epoch: str
    sequence: int

    def encode(self) -> str:
        """The token as clients carry it: opaque, safe in a URL."""
        body = _LAYOUT.pack(_VERSION, bytes.fromhex(self.epoch), self.sequence)
        return base64.urlsafe_b64encode(body + _CHECKSUM.pack(zlib.crc32(body))).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> ResumeToken:
        """The token in `text`; raises InvalidResumeToken."""
        try:
            # Not urlsafe_b64decode: it passes over letters outside the alphabet.
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidResumeToken from error
        body, checksum = packed[: _LAYOUT.size], packed[_LAYOUT.size :]
        if len(packed) != _LAYOUT.size + _CHECKSUM.size or _CHECKSUM.unpack(checksum)[0] != zlib.crc32(body):
            raise InvalidResumeToken
        version, epoch, sequence = _LAYOUT.unpack(body)
        token = cls(epoch.hex(), sequence)
        if version != _VERSION or token.encode() != text:
            raise InvalidResumeToken
        return token

    @classmethod
    def position(cls, text: str, epoch: str) -> int:
        """The sequence to go on after in the log `epoch`: 0 for an empty text.

        Raises InvalidResumeToken, or UnknownResumeToken when the token belongs to another log.
        """
        if not text:
            return 0
        token = cls.decode(text)
        if token.epoch != epoch:
            raise UnknownResumeToken
        return token.sequence
