"""Tensors by name, as the Open Inference Protocol brings them: from bytes to what a model is shown, and back."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from air.places import Network, Point, Station
from mesh.errors import InvalidInput
from predictor.holidays import holidays_around
from predictor.models.axes import HORIZON_HOURS, QUANTILES
from predictor.models.channels import FORECAST, WINDOW_HOURS
from predictor.models.observed import Observed
from predictor.models.scale import INPUT_POLLUTANTS
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int64]
Content = bytes | Numbers | tuple[bytes, ...]
"""What is in a tensor: as bytes; or the numbers, or the texts, that stand in the field of its data type."""

MOST_STATIONS: Final = 1000
MOST_HOURS: Final = 2160
_LATEST_HOUR: Final = 2_000_000
_LONGEST_TEXT: Final = 100
_FP32, _FP64, _INT64, _BYTES = "FP32", "FP64", "INT64", "BYTES"
_BYTES_EACH: Final = {_FP32: 4, _FP64: 8, _INT64: 8}
_LENGTH: Final = struct.Struct("<I")
_ANY: Final = -1
_POLLUTANTS: Final = (FORECAST, len(INPUT_POLLUTANTS))
_NOWHERE: Final = math.nan
"""Of a place that is not known; such a station is near to nobody."""


class BadTensor(InvalidInput):
    """A tensor is not what a model can be shown."""

    reason = "BAD_TENSOR"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a tensor is to be: its name, its data type, and its length in each direction, -1 for any."""

    name: str
    datatype: str
    shape: tuple[int, ...]


VALUES: Final = Kind("values", _FP32, (_ANY, _ANY, _ANY))
"""What was measured: stations, hours up to the issue hour, 4 or 6 pollutants; NaN in gaps."""
ISSUE_HOUR: Final = Kind("issue_hour", _INT64, (1,))
"""The last hour, since 1970-01-01T00Z."""
LATITUDE: Final = Kind("latitude", _FP64, (_ANY,))
LONGITUDE: Final = Kind("longitude", _FP64, (_ANY,))
"""Where the stations stand; without both, each is forecast as if it were alone."""
STATION_ID: Final = Kind("station_id", _BYTES, (_ANY,))
"""What the stations are called; without, nobody knows them."""
NETWORK: Final = Kind("network", _BYTES, (_ANY,))
"""What they are there for, for instance URBAN."""
WEATHER_OBSERVED: Final = Kind("weather_observed", _FP32, (_ANY, WINDOW_HOURS, OBSERVED))
WEATHER_FORESEEN: Final = Kind("weather_foreseen", _FP32, (_ANY, HORIZON_HOURS, FORESEEN))
"""The weather, see `models.weather_input`; NaN where it is not known."""

INPUTS: Final = (
    *(VALUES, ISSUE_HOUR),
    *(LATITUDE, LONGITUDE, STATION_ID, NETWORK, WEATHER_OBSERVED, WEATHER_FORESEEN),
)
REQUIRED: Final = (VALUES, ISSUE_HOUR)

MEAN: Final = Kind("mean", _FP32, (_ANY, HORIZON_HOURS, FORECAST))
QUANTILE: Final = Kind("quantiles", _FP32, (_ANY, HORIZON_HOURS, FORECAST, len(QUANTILES)))
MEMBERS: Final = Kind("members", _FP32, (_ANY, _ANY, HORIZON_HOURS, FORECAST, 1 + len(QUANTILES)))
"""What each member of the model says, its mean, then its quantiles."""

ALWAYS: Final = (MEAN, QUANTILE)
OUTPUTS: Final = (*ALWAYS, MEMBERS)


@dataclass(frozen=True, slots=True)
class Given:
    """A tensor as a caller gives it."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    content: Content


def question(given: Sequence[Given]) -> Observed:
    """What a model is to be shown. Raises BadTensor, with the field of the tensor at fault."""
    by_name = _by_name(given)
    values = _array(by_name[VALUES.name], VALUES).astype(np.float32)
    stations, hours, pollutants = values.shape
    if not (1 <= stations <= MOST_STATIONS and 1 <= hours <= MOST_HOURS and pollutants in _POLLUTANTS):
        raise _bad(
            by_name[VALUES.name],
            f"must be of 1 to {MOST_STATIONS} stations, 1 to {MOST_HOURS} hours, and 4 or 6 pollutants, and is"
            f" {list(values.shape)}",
        )
    if np.isinf(values).any():
        raise _bad(by_name[VALUES.name], "must be finite, or NaN in gaps")
    issue_hour = int(_array(by_name[ISSUE_HOUR.name], ISSUE_HOUR)[0])
    if not 0 <= issue_hour <= _LATEST_HOUR:
        raise _bad(by_name[ISSUE_HOUR.name], f"must be hours since 1970-01-01T00Z, 0 to {_LATEST_HOUR}")
    return Observed(
        stations=_stations(by_name, stations),
        issue_hour=issue_hour,
        values=values,
        weather=Weather(
            torch.from_numpy(_weather(by_name, WEATHER_OBSERVED, stations)),
            torch.from_numpy(_weather(by_name, WEATHER_FORESEEN, stations)),
        ),
        holidays=holidays_around(issue_hour),
    )


def asked_for(names: Sequence[str]) -> tuple[Kind, ...]:
    """The tensors that a caller asks for; those that every model gives when none is named. Raises BadTensor."""
    if not names:
        return ALWAYS
    known = {kind.name: kind for kind in OUTPUTS}
    for place, name in enumerate(names):
        if name not in known:
            message = f"no output is called {name!r}; there are {', '.join(known)}"
            raise BadTensor(message, field=f"outputs[{place}]")
    return tuple(known[name] for name in dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A tensor, and its place in the request."""

    given: Given
    place: int


def _bad(placed: _Placed, why: str) -> BadTensor:
    return BadTensor(f"{placed.given.name} {why}", field=f"inputs[{placed.place}]")


def _by_name(given: Sequence[Given]) -> Mapping[str, _Placed]:
    kinds = {kind.name: kind for kind in INPUTS}
    found: dict[str, _Placed] = {}
    for place, one in enumerate(given):
        placed = _Placed(one, place)
        if one.name not in kinds:
            message = f"no input is called {one.name!r}; there are {', '.join(kinds)}"
            raise BadTensor(message, field=f"inputs[{place}]")
        if one.name in found:
            raise _bad(placed, "is given twice")
        if one.datatype != kinds[one.name].datatype:
            raise _bad(placed, f"must be {kinds[one.name].datatype}, and is {one.datatype or 'of no data type'}")
        found[one.name] = placed
    for kind in REQUIRED:
        if kind.name not in found:
            raise BadTensor(f"{kind.name} is missing: {kind.datatype} of shape {list(kind.shape)}", field="inputs")
    return found


def _fits(placed: _Placed, kind: Kind, stations: int | None) -> int:
    """How many values a tensor has. Raises BadTensor where it is not as long as it must be."""
    wanted = kind.shape if stations is None else (stations, *kind.shape[1:])
    shape = placed.given.shape
    same = len(shape) == len(wanted) and all(
        length >= 0 and must in {_ANY, length} for length, must in zip(shape, wanted, strict=True)
    )
    if not same:
        raise _bad(placed, f"must be of shape {list(wanted)}, -1 for any, and is {list(shape)}")
    return math.prod(shape)


def _array(placed: _Placed, kind: Kind, stations: int | None = None) -> Numbers:
    """A tensor of numbers. Raises BadTensor."""
    count, content = _fits(placed, kind, stations), placed.given.content
    if isinstance(content, tuple):
        raise _bad(placed, f"must be {kind.datatype}, and is text")
    if isinstance(content, bytes):
        size = count * _BYTES_EACH[kind.datatype]
        if len(content) != size:
            raise _bad(placed, f"must be of {size} bytes by its shape, and is of {len(content)}")
        content = _numbers(content, kind.datatype)
    if len(content) != count:
        raise _bad(placed, f"must be of {count} values by its shape, and is of {len(content)}")
    return content.reshape(placed.given.shape)


def _numbers(content: bytes, datatype: str) -> Numbers:
    """Little-endian numbers as this machine has them."""
    if datatype == _FP32:
        return np.frombuffer(content, dtype="<f4").astype(np.float32)
    if datatype == _FP64:
        return np.frombuffer(content, dtype="<f8").astype(np.float64)
    return np.frombuffer(content, dtype="<i8").astype(np.int64)


def _weather(by_name: Mapping[str, _Placed], kind: Kind, stations: int) -> Floats:
    placed = by_name.get(kind.name)
    if placed is None:
        return np.full((stations, *kind.shape[1:]), np.nan, dtype=np.float32)
    weather = _array(placed, kind, stations).astype(np.float32)
    if np.isinf(weather).any():
        raise _bad(placed, "must be finite, or NaN where it is not known")
    return weather


def _stations(by_name: Mapping[str, _Placed], count: int) -> list[Station]:
    latitude, longitude = (_degrees(by_name, kind, count) for kind in (LATITUDE, LONGITUDE))
    names = _texts(by_name, STATION_ID, count) or [""] * count
    networks = _texts(by_name, NETWORK, count) or [Network.UNSPECIFIED.value] * count
    for network in networks:
        if network not in Network.__members__:
            raise _bad(by_name[NETWORK.name], f"must be of {', '.join(Network)}, and one is {network!r}")
    return [
        Station(name, name, Point(north, east), Network(network))
        for name, north, east, network in zip(names, latitude.tolist(), longitude.tolist(), networks, strict=True)
    ]


def _degrees(by_name: Mapping[str, _Placed], kind: Kind, count: int) -> Doubles:
    other = LONGITUDE if kind is LATITUDE else LATITUDE
    placed = by_name.get(kind.name)
    if placed is None:
        return np.full(count, _NOWHERE)
    if other.name not in by_name:
        raise _bad(placed, f"says nothing without {other.name}")
    degrees = _array(placed, kind, count).astype(np.float64)
    most = 90 if kind is LATITUDE else 180
    if not (np.abs(degrees) <= most).all():
        raise _bad(placed, f"must be degrees, -{most} to {most}")
    return degrees


def _texts(by_name: Mapping[str, _Placed], kind: Kind, stations: int) -> list[str]:
    """A tensor of texts; none where it is not given. Raises BadTensor."""
    placed = by_name.get(kind.name)
    if placed is None:
        return []
    count, content = _fits(placed, kind, stations), placed.given.content
    if isinstance(content, bytes):
        content = _unpacked(placed, content)
    if not isinstance(content, tuple):
        raise _bad(placed, "must be text, and is numbers")
    if len(content) != count:
        raise _bad(placed, f"must be of {count} texts by its shape, and is of {len(content)}")
    try:
        texts = [part.decode() for part in content]
    except UnicodeDecodeError as error:
        raise _bad(placed, "must be UTF-8") from error
    if any(len(text) > _LONGEST_TEXT for text in texts):
        raise _bad(placed, f"must be of {_LONGEST_TEXT} characters at most each")
    return texts


def _unpacked(placed: _Placed, content: bytes) -> tuple[bytes, ...]:
    """Texts that each stand after their length."""
    parts: list[bytes] = []
    at = 0
    while at < len(content):
        if at + _LENGTH.size > len(content):
            raise _bad(placed, "ends within a length")
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size + length
        if at > len(content):
            raise _bad(placed, "ends within a text")
        parts.append(content[at - length : at])
    return tuple(parts)
