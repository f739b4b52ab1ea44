"""Korea's time: networks label hours by it, and their days of allowances and forecasts begin at its midnight."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Final

KST: Final = timezone(timedelta(hours=9), "KST")
