"""The shipped model on one thread: 72 hours of four pollutants for a whole network of stations, and where time goes."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import torch

from air.places import Network, Point, Station
from bench.figures import Figure, milliseconds
from predictor.models.channels import WINDOW_HOURS
from predictor.models.ensemble import Ensemble
from predictor.models.field import known_of
from predictor.models.model_file import BASELINE, SHIPPED, load
from predictor.models.observed import Observed
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather

_COUNTS: Final = (40, 664)
_RUNS: Final = 100
_HOURS: Final = 336
_GAPS: Final = 0.25
_ISSUE: Final = 492_000
_USUAL: Final = (20.0, 40.0, 0.03, 0.02, 0.5, 0.004)


def measure() -> Iterator[Figure]:
    """Measures CPU time on made-up air with a quarter of the hours missing."""
    torch.set_num_threads(1)
    # As it serves: off the main thread, where memory that is free is kept.
    with ThreadPoolExecutor(1) as worker:
        for count in _COUNTS:
            yield from worker.submit(list, _network(count)).result()
    for count in _COUNTS:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            megabytes = process.submit(_megabytes, count).result()
        yield Figure("memory of a process that forecasts", f"{megabytes} MB", "", f"{count} stations")


def _network(count: int) -> Iterator[Figure]:
    size = f"{count} stations × 72 h × 4 pollutants, with CO, SO2 and weather"
    runs = _RUNS if count < 100 else _RUNS // 10  # noqa: PLR2004 # a whole country takes longer
    observed, plain, quick, baseline = _observed(count), _shipped(), _shipped(), load(BASELINE).model
    quick.quicken()
    by_torch, by_onnx = _in_turns([lambda: plain.forecast(observed), lambda: quick.forecast(observed)], runs)
    ratio = f"by torch alone: {milliseconds(by_torch)}, {np.median(by_onnx) / np.median(by_torch):.2f} of it"
    yield Figure("what each member expects, of all stations", milliseconds(by_onnx), ratio, size)
    known = known_of(quick.nets, observed)
    read, said = quick.nets.features(known), quick.forecast(observed)
    parts: dict[str, Callable[[], object]] = {
        "history and surroundings": lambda: known_of(quick.nets, observed),
        "what the nets read": lambda: quick.nets.features(known),
        "both nets, by torch": lambda: plain.nets.told(read),
        "damped persistence": lambda: baseline.forecast(observed),
        "what is told of it": lambda: quick.prior.apply(said),
    }
    for name, times in zip(parts, _in_turns(list(parts.values()), runs), strict=True):
        yield Figure(f"  {name}", milliseconds(times), "", f"{count} stations")


def _shipped() -> Ensemble:
    model = load(SHIPPED).model
    assert isinstance(model, Ensemble)
    return model


def _megabytes(count: int) -> int:
    """The most memory that this process has had after some forecasts."""
    torch.set_num_threads(1)
    model, observed = _shipped(), _observed(count)
    model.quicken()
    for _ in range(3):
        model.prior.apply(model.forecast(observed))
    # Not from getrusage, where a child begins with what its parent had.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


@torch.inference_mode()
def _in_turns(peers: Sequence[Callable[[], object]], runs: int) -> list[list[float]]:
    """CPU seconds of each run of each, in turns, after two that warm up."""
    seconds: list[list[float]] = [[] for _ in peers]
    for run in range(runs + 2):
        for work, found in zip(peers, seconds, strict=True):
            start = time.thread_time()
            work()
            if run > 1:
                found.append(time.thread_time() - start)
    return seconds


def _observed(count: int) -> Observed:
    """Stations around Seoul, 40 in the city and the others up to 300 km away."""
    random = np.random.default_rng(1)
    spread = np.where(np.arange(count) < 40, 0.1, 1.2)  # noqa: PLR2004 # Seoul has so many
    latitude, longitude = 37.55 + spread * random.normal(size=count), 127.0 + spread * random.normal(size=count)
    stations = [
        Station(f"station {place}", "", Point(float(at), float(by)), Network.URBAN)
        for place, (at, by) in enumerate(zip(latitude, longitude, strict=True))
    ]
    values = np.array(_USUAL) * np.exp(0.4 * random.normal(size=(count, _HOURS, len(_USUAL))))
    values[random.random((count, _HOURS)) < _GAPS] = math.nan
    weather = Weather(
        torch.from_numpy(random.normal(5, 3, (count, WINDOW_HOURS, OBSERVED)).astype(np.float32)),
        torch.from_numpy(random.normal(5, 3, (count, 72, FORESEEN)).astype(np.float32)),
    )
    return Observed(stations, _ISSUE, values.astype(np.float32), weather)
