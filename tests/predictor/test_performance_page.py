"""The page shows what was scored, in the reader's language, and lets nothing in from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from air.pollutants import Pollutant
from predictor.maturing import SCORED
from predictor.monitoring.line_plot import Line, Plot, line_plot
from predictor.monitoring.monitor import InService
from predictor.monitoring.page_words import ENGLISH, KOREAN, words_for
from predictor.monitoring.performance_page import Asked, Performance, performance_page
from predictor.monitoring.scores import Score

AT = datetime(2026, 3, 16, 3, tzinfo=UTC)


def score(version: str, pollutant: Pollutant, horizon: int, rmse: float) -> Score:
    return Score(version, pollutant, horizon, 1234, rmse * 0.7, rmse, -0.25, 0.79, 0.2, 0.05, 1.1)


SHOWN = Performance(
    models=InService("champion-1+aa", "damped-1+bb", "challenger-1+cc"),
    since={"champion-1+aa": AT, "damped-1+bb": AT, "challenger-1+cc": AT},
    scores=[
        score(version, pollutant, horizon, rmse if pollutant is Pollutant.PM25 else rmse / 1000)
        for version, rmse in (("champion-1+aa", 7.5), ("damped-1+bb", 8.25), ("challenger-1+cc", 9.75))
        for pollutant in (Pollutant.PM25, Pollutant.O3)
        for horizon in SCORED
    ],
    stations={"종로구": "종로구"},
    alerts=["Something to look at."],
    newest_issue_time=AT,
    calibrated_until=AT,
)


class Balanced(HTMLParser):
    """Raises AssertionError where tags do not close as they were opened; keeps words and attributes."""

    EMPTY = frozenset({"meta", "input", "br", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Balanced:
    reader = Balanced()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def test_the_page_shows_models_scores_and_alerts() -> None:
    page = performance_page(SHOWN, Asked("", 30), ENGLISH)
    words = read(page).words
    assert {"PM2.5", "O₃", "Something to look at.", "7.5", "8.2", "9.8", "1,234", "79%"} <= set(words)
    assert "PM10" not in words, "there are no scores of it"
    assert "champion-1+aa, since 2026-03-16 12:00 KST" in words
    assert page.count("<svg") == 2 * 4
    for drawing in re.findall("<svg.*?</svg>", page):
        ET.fromstring(drawing)  # noqa: S314 - our own


def test_nothing_comes_from_elsewhere_and_no_script_runs() -> None:
    reader = read(performance_page(SHOWN, Asked("", 30), ENGLISH))
    assert "script" not in reader.tags
    assert not [value for _, value in reader.attributes if value and "//" in value]
    assert not [name for name, _ in reader.attributes if name.startswith("on")]


@settings(max_examples=15)
@given(st.text(alphabet="<>\"'&;=a/ ", max_size=20))
def test_what_others_have_named_stays_text(name: str) -> None:
    hostile = f"<script>{name}"
    shown = replace(SHOWN, stations={hostile: hostile}, alerts=[hostile])
    reader = read(performance_page(shown, Asked(hostile, 7), ENGLISH))
    assert "script" not in reader.tags
    assert reader.words.count(hostile) == 2, "as the alert and as the station's name"
    assert ("value", hostile) in reader.attributes


def test_before_anything_has_come_true_the_page_says_so() -> None:
    shown = replace(SHOWN, scores=[], alerts=[], newest_issue_time=None, calibrated_until=None)
    words = read(performance_page(shown, Asked("", 30), ENGLISH)).words
    assert ENGLISH.nothing in words
    assert ENGLISH.no_alerts in words


def test_a_champion_that_is_the_baseline_is_shown_once() -> None:
    alone = replace(SHOWN, models=InService("damped-1+bb", "damped-1+bb"))
    words = read(performance_page(alone, Asked("", 30), ENGLISH)).words
    assert ENGLISH.baseline not in words
    assert ENGLISH.champion in words


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-GB,en;q=0.9,ko;q=0.5", "en"),
        ("fr, ko;q=0.1", "ko"),
        ("en;q=0.2, ko;q=0.7", "ko"),
        ("", "en"),
        ("fr;q=nonsense,;;,", "en"),
    ],
)
def test_the_page_speaks_the_readers_language(accepted: str, language: str) -> None:
    assert words_for(accepted).language == language


def test_both_languages_say_all() -> None:
    assert KOREAN.title in read(performance_page(SHOWN, Asked("", 30), KOREAN)).words


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e4, 1e4)), min_size=3, max_size=3),
    st.floats(-10, 10),
)
def test_every_point_lies_within_the_plot(values: list[float | None], reference: float) -> None:
    plot = Plot("t", ["1", "2", "3"], "h", [Line("l", "champion", values)], reference, (0.0, 1.0), "{:.1f}".format)
    drawing = ET.fromstring(line_plot(plot))  # noqa: S314 - our own
    circles = drawing.findall("circle")
    assert len(circles) == sum(value is not None for value in values)
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    for circle in circles:
        assert 0 < float(circle.attrib["cx"]) < width
        assert 0 < float(circle.attrib["cy"]) < height
