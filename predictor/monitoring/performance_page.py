"""The page that shows how good the forecasts were: scores in, HTML out. It needs nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final
from urllib.parse import urlencode

from air.korea import KST
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.maturing import SCORED
from predictor.monitoring.line_plot import Line, Plot, line_plot
from predictor.monitoring.monitor import InService
from predictor.monitoring.page_style import STYLE
from predictor.monitoring.page_words import PageWords
from predictor.monitoring.scores import Score

_SPANS: Final = (7, 30, 90)
_NAMES: Final = {Pollutant.PM25: "PM2.5", Pollutant.PM10: "PM10", Pollutant.O3: "O₃", Pollutant.NO2: "NO₂"}
_PARTICLES: Final = {Pollutant.PM25, Pollutant.PM10}
_CURRENT: Final = ' aria-current="page"'
_TARGET_COVERAGE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the scores is shown: of one station, or of all where it is empty, and of how many days."""

    station_id: str
    days: int


@dataclass(frozen=True, slots=True)
class Performance:
    """What the page shows.

    Attributes:
        models: The versions in service.
        since: When each of them was loaded, by version.
        scores: Of these models, in any order.
        stations: The names of all stations, by station_id.
        alerts: What an operator should look at.
        newest_issue_time: None before the first.
        calibrated_until: None before anything was learnt.
    """

    models: InService
    since: Mapping[str, datetime]
    scores: Sequence[Score]
    stations: Mapping[str, str]
    alerts: Sequence[str]
    newest_issue_time: datetime | None
    calibrated_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Model:
    """A model in service, how its line looks, and what it is called."""

    version: str
    style: str
    label: str


def performance_page(shown: Performance, asked: Asked, words: PageWords) -> str:
    """The page as HTML. Everything that comes from outside is escaped; scripts are not needed, and not let in."""
    sections = "".join(_section(pollutant, shown, words) for pollutant in FORECAST_POLLUTANTS)
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(words.title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(words.title)}</h1><p>{escape(words.lead)}</p>"
        f"{_choices(shown, asked, words)}{_alerts(shown, words)}{_facts(shown, words)}"
        f"{sections or f'<p>{escape(words.nothing)}</p>'}"
        "</main></body></html>"
    )


def _choices(shown: Performance, asked: Asked, words: PageWords) -> str:
    """Which station and how many days: a form and links, each leading to this page again."""
    options = "".join(
        f'<option value="{escape(station_id)}"{" selected" if station_id == asked.station_id else ""}>{escape(name)}'
        "</option>"
        for station_id, name in [("", words.all_stations), *sorted(shown.stations.items())]
    )
    spans = "".join(
        f'<a href="?{escape(urlencode({"stationId": asked.station_id, "days": days}))}"'
        f"{_CURRENT if days == asked.days else ''}>{escape(words.days.format(days))}</a>"
        for days in sorted({*_SPANS, asked.days})
    )
    return (
        f'<form method="get"><label>{escape(words.station)} <select name="stationId">{options}</select></label>'
        f'<input type="hidden" name="days" value="{asked.days}"><button>{escape(words.show)}</button></form>'
        f"<nav>{spans}</nav>"
    )


def _alerts(shown: Performance, words: PageWords) -> str:
    if not shown.alerts:
        return f'<p class="calm">{escape(words.no_alerts)}</p>'
    lines = "".join(f"<li>{escape(alert)}</li>" for alert in shown.alerts)
    return f'<section class="alerts" role="alert"><h2>{escape(words.alerts)}</h2><ul>{lines}</ul></section>'


def _facts(shown: Performance, words: PageWords) -> str:
    facts = [
        (model.label, f"{model.version}, {words.since.format(_time(shown.since[model.version]))}")
        for model in reversed(_models(shown, words))
    ]
    times = ((words.newest, shown.newest_issue_time), (words.learned, shown.calibrated_until))
    facts += [(name, _time(time)) for name, time in times if time is not None]
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts) + "</dl>"


def _models(shown: Performance, words: PageWords) -> Sequence[_Model]:
    """The models in service, each once, the champion last: its line lies on top."""
    of_roles = [_Model(shown.models.baseline, "baseline", words.baseline)]
    if shown.models.challenger is not None:
        of_roles.append(_Model(shown.models.challenger, "challenger", words.challenger))
    of_roles.append(_Model(shown.models.champion, "champion", words.champion))
    return list({model.version: model for model in of_roles}.values())


def _section(pollutant: Pollutant, shown: Performance, words: PageWords) -> str:
    """One pollutant's plots and figures; nothing when it has no scores."""
    own = {(one.version, one.horizon): one for one in shown.scores if one.pollutant is pollutant}
    if not own:
        return ""
    unit, factor = ("µg/m³", 1.0) if pollutant in _PARTICLES else ("ppb", 1000.0)
    models = _models(shown, words)
    champion = [own.get((shown.models.champion, horizon)) for horizon in SCORED]
    skill = [
        Line(words.against_persistence, "reference-a", [one.skill_persistence if one else None for one in champion]),
        Line(words.against_damped, "champion", [one.skill_damped_persistence if one else None for one in champion]),
    ]

    def of_models(value: Callable[[Score], float]) -> list[Line]:
        return [
            Line(
                model.label,
                model.style,
                [value(own[model.version, at]) if (model.version, at) in own else None for at in SCORED],
            )
            for model in models
        ]

    plots = [
        (words.skill, skill, 0.0, (0.0, 0.1), _percent),
        (words.rmse.format(unit), of_models(lambda one: factor * one.root_mean_square_error), 0.0, (0.0, 1.0), _number),
        (words.bias.format(unit), of_models(lambda one: factor * one.bias), 0.0, (-1.0, 1.0), _number),
        (words.coverage, of_models(lambda one: one.coverage), _TARGET_COVERAGE, (0.6, 1.0), _percent),
    ]
    along = [str(horizon) for horizon in SCORED]
    figures = "".join(
        f"<figure><figcaption>{escape(title)}{_legend(lines)}</figcaption>"
        f"{line_plot(Plot(title, along, words.hours_ahead, lines, reference, span, say))}</figure>"
        for title, lines, reference, span, say in plots
    )
    return (
        f'<section><h2>{_NAMES[pollutant]}</h2><div class="plots">{figures}</div>'
        f"{_table(own, models, unit, factor, words)}</section>"
    )


def _legend(lines: Sequence[Line]) -> str:
    items = "".join(f'<span class="key {line.style}">{escape(line.label)}</span>' for line in lines)
    return f'<span class="legend">{items}</span>'


def _table(
    own: Mapping[tuple[str, int], Score],
    models: Sequence[_Model],
    unit: str,
    factor: float,
    words: PageWords,
) -> str:
    names = (words.model, "h", words.count, words.mean_absolute_error, f"RMSE, {unit}", "Bias", "80 %", words.drift)
    rows = [
        (
            model.label,
            str(horizon),
            f"{score.count:,}",
            _number(score.mean_absolute_error * factor),
            _number(score.root_mean_square_error * factor),
            _number(score.bias * factor),
            _percent(score.coverage),
            "" if score.drift is None else f"{score.drift:.2f}",
        )
        for model in reversed(models)
        for horizon in SCORED
        if (score := own.get((model.version, horizon))) is not None
    ]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f"<details><summary>{escape(words.figures)}</summary>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>'
    )


def _number(value: float) -> str:
    return f"{round(value, 1) or 0.0:.1f}"


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _time(time: datetime) -> str:
    return f"{time.astimezone(KST):%Y-%m-%d %H:%M} KST"
