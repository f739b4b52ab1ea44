"""What a model is shown is what the tensors say, and tensors that make no sense are refused by name."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from air.places import Network, Point
from predictor.tensors import MEAN, MEMBERS, QUANTILE, BadTensor, Content, Given, asked_for, question

STATIONS, HOURS = 3, 40
AIR = (np.arange(STATIONS * HOURS * 6, dtype=np.float32) / 7).reshape(STATIONS, HOURS, 6)
AIR[1, 5] = np.nan


def texts(*words: str) -> bytes:
    return b"".join(len(word.encode()).to_bytes(4, "little") + word.encode() for word in words)


def tensors(**changed: Given | None) -> list[Given]:
    plain = {
        "values": Given("values", "FP32", AIR.shape, AIR.astype("<f4").tobytes()),
        "issue_hour": Given("issue_hour", "INT64", (1,), (492_700).to_bytes(8, "little")),
        "latitude": Given("latitude", "FP64", (3,), np.array([37.5, 37.6, 37.7])),
        "longitude": Given("longitude", "FP64", (3,), np.array([127.0, 126.9, 126.8])),
        "station_id": Given("station_id", "BYTES", (3,), texts("종로구", "", "x")),
        "network": Given("network", "BYTES", (3,), (b"URBAN", b"ROADSIDE", b"PORT")),
    }
    return [one for one in (plain | changed).values() if one is not None]


def test_everything_arrives() -> None:
    observed = question(tensors())
    np.testing.assert_array_equal(observed.values, AIR)
    assert observed.values.dtype == np.float32
    assert observed.issue_hour == 492_700
    assert [(s.station_id, s.location, s.network) for s in observed.stations] == [
        ("종로구", Point(37.5, 127.0), Network.URBAN),
        ("", Point(37.6, 126.9), Network.ROADSIDE),
        ("x", Point(37.7, 126.8), Network.PORT),
    ]
    assert observed.asked is None
    assert observed.weather.observed.shape == (3, 168, 6)
    assert bool(observed.weather.foreseen.isnan().all())
    assert len(observed.holidays)


def test_numbers_may_come_as_bytes_or_as_values() -> None:
    typed = replace(tensors()[0], content=AIR.ravel())
    np.testing.assert_array_equal(question(tensors(values=typed)).values, AIR)


def test_what_is_not_said_is_unknown() -> None:
    observed = question(tensors(latitude=None, longitude=None, station_id=None, network=None))
    assert all(math.isnan(station.location.latitude) for station in observed.stations)
    assert {station.network for station in observed.stations} == {Network.UNSPECIFIED}
    weather = np.full((3, 72, 7), 4.0, dtype=np.float32)
    sky = question([*tensors(), Given("weather_foreseen", "FP32", weather.shape, weather.ravel())]).weather
    assert bool((sky.foreseen == 4).all())
    assert bool(sky.observed.isnan().all())


def numbers(name: str, datatype: str, shape: tuple[int, ...], content: Content) -> Given:
    return Given(name, datatype, shape, content)


ZEROS = np.zeros(STATIONS, dtype=np.float64)
BAD: dict[str, tuple[list[Given], str, str]] = {
    "no values": (tensors(values=None), "inputs", "values is missing: FP32 of shape [-1, -1, -1]"),
    "no hour": (tensors(issue_hour=None), "inputs", "issue_hour is missing"),
    "unknown": ([*tensors(), numbers("humidity", "FP32", (3,), ZEROS)], "inputs[6]", "no input is called 'humidity'"),
    "twice": ([*tensors(), tensors()[0]], "inputs[6]", "values is given twice"),
    "other type": (tensors(values=replace(tensors()[0], datatype="FP64")), "inputs[0]", "must be FP32, and is FP64"),
    "no type": (tensors(values=replace(tensors()[0], datatype="")), "inputs[0]", "is of no data type"),
    "flat": (tensors(values=replace(tensors()[0], shape=(720,))), "inputs[0]", "must be of shape [-1, -1, -1]"),
    "short": (tensors(values=replace(tensors()[0], content=b"1234")), "inputs[0]", "must be of 2880 bytes"),
    "few": (tensors(values=replace(tensors()[0], content=ZEROS)), "inputs[0]", "must be of 720 values"),
    "negative shape": (tensors(values=replace(tensors()[0], shape=(-3, 40, -6))), "inputs[0]", "must be of shape"),
    "no stations": (tensors(values=numbers("values", "FP32", (0, 40, 6), b"")), "inputs[0]", "1 to 1000 stations"),
    "too many hours": (
        tensors(values=numbers("values", "FP32", (1, 2161, 4), bytes(2161 * 16))),
        "inputs[0]",
        "1 to 2160 hours",
    ),
    "too many stations": (
        tensors(values=numbers("values", "FP32", (1001, 1, 4), bytes(1001 * 16))),
        "inputs[0]",
        "1 to 1000 stations",
    ),
    "five pollutants": (tensors(values=numbers("values", "FP32", (1, 1, 5), bytes(20))), "inputs[0]", "4 or 6"),
    "infinite": (
        tensors(values=replace(tensors()[0], content=np.full(720, np.inf, dtype=np.float32))),
        "inputs[0]",
        "must be finite, or NaN in gaps",
    ),
    "an hour before time": (
        tensors(issue_hour=numbers("issue_hour", "INT64", (1,), np.array([-1]))),
        "inputs[1]",
        "hours since 1970-01-01T00Z",
    ),
    "half a place": (tensors(longitude=None), "inputs[2]", "latitude says nothing without longitude"),
    "off the map": (
        tensors(latitude=numbers("latitude", "FP64", (3,), np.array([37.0, 91.0, 37.0]))),
        "inputs[2]",
        "must be degrees, -90 to 90",
    ),
    "nowhere": (
        tensors(latitude=numbers("latitude", "FP64", (3,), np.array([37.0, np.nan, 37.0]))),
        "inputs[2]",
        "must be degrees",
    ),
    "other stations": (
        tensors(latitude=numbers("latitude", "FP64", (2,), ZEROS[:2])),
        "inputs[2]",
        "must be of shape [3]",
    ),
    "no such network": (
        tensors(network=numbers("network", "BYTES", (3,), (b"URBAN", b"URBAN", b"MOON"))),
        "inputs[5]",
        "one is 'MOON'",
    ),
    "no text": (
        tensors(station_id=numbers("station_id", "BYTES", (3,), (b"\xff", b"", b""))),
        "inputs[4]",
        "must be UTF-8",
    ),
    "long text": (
        tensors(station_id=numbers("station_id", "BYTES", (3,), (b"x" * 101, b"", b""))),
        "inputs[4]",
        "100 characters",
    ),
    "one text": (tensors(station_id=numbers("station_id", "BYTES", (3,), texts("a"))), "inputs[4]", "of 3 texts"),
    "half a length": (
        tensors(station_id=numbers("station_id", "BYTES", (3,), b"\1\0")),
        "inputs[4]",
        "within a length",
    ),
    "half a text": (
        tensors(station_id=numbers("station_id", "BYTES", (3,), b"\4\0\0\0ab")),
        "inputs[4]",
        "within a text",
    ),
    "infinite weather": (
        [*tensors(), numbers("weather_foreseen", "FP32", (3, 72, 7), np.full(1512, np.inf, dtype=np.float32))],
        "inputs[6]",
        "must be finite, or NaN where it is not known",
    ),
}


@pytest.mark.parametrize(("given", "field", "why"), BAD.values(), ids=BAD.keys())
def test_what_makes_no_sense_is_refused_by_name(given: list[Given], field: str, why: str) -> None:
    with pytest.raises(BadTensor) as refused:
        question(given)
    assert refused.value.field == field
    assert why in refused.value.message


@settings(max_examples=200, deadline=None)
@drawn(
    st.sampled_from(["values", "issue_hour", "latitude", "station_id", "network", "weather_observed"]),
    st.sampled_from(["FP32", "FP64", "INT64", "BYTES", "BOOL", ""]),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
    st.binary(max_size=64),
)
def test_whatever_is_sent_is_taken_or_refused(name: str, datatype: str, shape: list[int], content: bytes) -> None:
    with suppress(BadTensor):
        question(tensors(**{name: Given(name, datatype, tuple(shape), content)}))


def test_outputs_are_chosen_by_name() -> None:
    assert asked_for([]) == (MEAN, QUANTILE)
    assert asked_for(["members", "mean", "members"]) == (MEMBERS, MEAN)
    with pytest.raises(BadTensor, match="no output is called 'median'; there are mean, quantiles, members") as refused:
        asked_for(["mean", "median"])
    assert refused.value.field == "outputs[1]"
