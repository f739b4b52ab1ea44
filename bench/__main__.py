"""`make bench`: every measurement, or those named: `make bench ARGS="engine gateway"`."""

from __future__ import annotations

import importlib
import sys
from typing import Final

from bench.figures import print_table

MEASUREMENTS: Final = (
    *("engine", "exact", "routes", "front", "stops", "valhalla", "hours", "importing", "locations"),
    *("ingest", "stream", "index", "quality", "gateway"),
    *("forecast", "fresh", "interpolation", "street", "confidence"),
)


def main() -> None:
    """Measures, and prints a table for each."""
    names = sys.argv[1:] or MEASUREMENTS
    unknown = sorted(set(names) - set(MEASUREMENTS))
    if unknown:
        sys.exit(f"There is no measurement {', '.join(unknown)}: choose from {', '.join(MEASUREMENTS)}.")
    for name in names:
        module = importlib.import_module(f"bench.{name}")
        print_table((module.__doc__ or name).splitlines()[0], module.measure())


main()
