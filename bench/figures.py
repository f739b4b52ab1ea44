"""What a bench finds, and the table that it is printed in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        what: What was measured.
        value: The figure with its unit.
        against: The same of a peer, measured in the same run, and the ratio; empty where there is no peer.
        size: On what: graph, rows, requests.
    """

    what: str
    value: str
    against: str = ""
    size: str = ""


def milliseconds(seconds: Sequence[float]) -> str:
    """The median and the 99th percentile of times."""
    p50, p99 = np.percentile(np.asarray(seconds) * 1000, [50, 99])
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def machine() -> str:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        lines = cpu.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def print_table(title: str, figures: Iterable[Figure]) -> None:
    """Prints the figures with the machine under them."""
    table = Table(title=title, title_justify="left", caption=machine(), caption_justify="left")
    for heading in ("what", "figure", "against a peer in the same run", "size"):
        table.add_column(heading, overflow="fold")
    for figure in figures:
        table.add_row(figure.what, figure.value, figure.against, figure.size)
    Console(width=None if Console().is_terminal else 160).print(table)
