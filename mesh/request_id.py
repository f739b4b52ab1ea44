"""The id that follows a request through the mesh: taken from the caller, or given here."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Final

METADATA_KEY: Final = "x-request-id"
_SOUND: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")

current: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""The id of the request that this task serves; empty outside one."""


def of_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The caller's id when it brought a sound one, else a new one."""
    for key, value in metadata:
        if key == METADATA_KEY and isinstance(value, str) and _SOUND.fullmatch(value):
            return value
    return str(uuid.uuid4())
