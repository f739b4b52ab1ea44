"""Where machine code is kept between starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from mesh.settings import MeshSettings

_FOLDER: Final = "numba"
_VARIABLE: Final = "NUMBA_CACHE_DIR"


def keep_machine_code(settings: MeshSettings) -> Path:
    """Has compiled kernels kept in the data folder; to be called before anything that imports numba. Says where.

    A package may be installed where it cannot be written to, and compiling takes half a minute at each start.
    """
    return Path(os.environ.setdefault(_VARIABLE, str(settings.data_dir.resolve() / _FOLDER)))
