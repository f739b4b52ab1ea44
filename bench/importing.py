"""The import of an extract by the command that people use: CPU time and peak memory of its process.

The extract is that of many cities where the real data is (CLEANAIR_REAL_DATA), else the simulated city's. Machine code
is there by then, as at all imports but the first on a machine: a smaller extract comes first. What the first one takes
longer is told beside it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.city import real_roads
from bench.figures import Figure

_BYTES_A_BLOCK: Final = 1024
_MEGABYTE: Final = 1e6


def measure() -> Iterator[Figure]:
    """Imports a small extract twice, of which the first compiles, then the one that is measured."""
    with tempfile.TemporaryDirectory(prefix="cleanair-bench-") as name:
        folder = Path(name)
        small, large = _extracts(folder)
        compiling = _seconds(_import(small, folder)) - _seconds(_import(small, folder))
        usage = _import(large, folder)
        made = sum(file.stat().st_size for file in folder.glob("measured.*"))
        size = f"{large.name}, {large.stat().st_size / _MEGABYTE:.1f} MB; written: {made / _MEGABYTE:.0f} MB"
    yield Figure(
        "import an extract",
        f"{_seconds(usage):.1f} s CPU, {usage.ru_maxrss * _BYTES_A_BLOCK / _MEGABYTE:.0f} MB at most",
        "",
        size,
    )
    yield Figure("the first import on a machine, which compiles", f"{compiling:.1f} s CPU more", "", small.name)


def _seconds(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def _extracts(folder: Path) -> tuple[Path, Path]:
    roads = real_roads()
    if roads is not None:
        return roads / "monaco.osm.pbf", roads / "bench_multi_city_merged.osm.pbf"
    from simulation.city import ensure_city

    city = ensure_city(folder)
    return city, city


def _import(extract: Path, folder: Path) -> resource.struct_rusage:
    """What the process took, whose time is waited for; raises CalledProcessError when it fails."""
    command = [sys.executable, "-m", "cli", "graph", "import", str(extract), "--out", str(folder / "measured.graph")]
    environment = {"CLEANAIR_DATA_DIR": str(folder), "NUMBA_CACHE_DIR": str(folder / "numba")}
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage
