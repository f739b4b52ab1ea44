"""The hours ahead at which forecasts are compared with what came, and what lies between them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.models.axes import HORIZON_HOURS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEADS: Final = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36, 48, 60, 72)
"""The hours ahead at which forecasts are compared with what came; what is learnt is interpolated between them."""


def places_of(leads: Ints) -> Ints:
    """Their places among LEADS. Raises ValueError for others."""
    places = np.searchsorted(LEADS, leads).astype(np.int64)
    if (places >= len(LEADS)).any() or (np.array(LEADS)[places] != leads).any():
        raise ValueError(f"only {LEADS} hours ahead are compared")
    return places


def at_all_hours(values: Floats) -> Floats:
    """From (LEADS, ...) to (72, ...), on straight lines between the leads: sums and order along other axes are kept."""
    flat: Floats = _SHARES @ values.reshape(len(LEADS), -1)
    return flat.reshape(HORIZON_HOURS, *values.shape[1:])


def _shares() -> Floats:
    hours = np.arange(1, HORIZON_HOURS + 1)
    return np.stack([np.interp(hours, LEADS, unit) for unit in np.eye(len(LEADS))], axis=-1)


_SHARES: Final = _shares()
