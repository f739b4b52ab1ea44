"""The folder where a running Envoy has its sockets: readable by this user alone, and gone when Envoy is."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Final

ADMIN_SOCKET: Final = "admin.sock"

_PREFIX: Final = "cleanair-gateway-"
# An Envoy that starts has a socket before it listens there.
_START_SECONDS: Final = 60.0


def make_socket_folder() -> Path:
    """A new folder. Removes what a gateway that was killed could not: folders whose socket nobody answers."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def _is_left(folder: Path) -> bool:
    try:
        state = folder.stat()
        if state.st_uid != os.getuid() or time.time() - state.st_mtime < _START_SECONDS:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(folder / ADMIN_SOCKET))
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
