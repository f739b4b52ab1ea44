"""The axes that all forecasts share: how far ahead, and which quantiles."""

from __future__ import annotations

from typing import Final

HORIZON_HOURS: Final = 72
"""How far every model looks ahead."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""What is expected of each hour, in the order of every quantile axis."""

MEDIAN: Final = 1
"""The place of the 50 % quantile on that axis."""

SWANSON: Final = (0.3, 0.4, 0.3)
"""What each of these quantiles counts in a mean worked out from them (Swanson's rule; Keefer and Bodily 1983)."""
