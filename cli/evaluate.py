"""`cleanair evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from cli.backfill.places import read_places
from cli.failure import CommandFailed
from predictor.evaluation.asked import Asked

if TYPE_CHECKING:
    from predictor.evaluation.evaluating import Exceedance, Score
    from predictor.evaluation.report import Report

_NEEDS = "Models are scored with {}, which is not installed: pip install 'cleanair-route[predictor,evaluate]'."


def evaluate(readings: Path, stations: Path, out: Path, asked: Asked) -> None:
    """Scores the shipped model and the baselines, writes the report, and shows its figures."""
    console = Console()
    try:
        from predictor.evaluation.report import report_on
    except ModuleNotFoundError as error:
        raise CommandFailed(_NEEDS.format(error.name)) from error
    places = read_places(stations)
    with Console(stderr=True).status("Forecasting again and again …"):
        report = report_on(readings, places, asked)
    try:
        out.write_text(report.as_json(), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written: {error.strerror}.") from error
    _show(console, report)
    console.print(f"Report: {out}", highlight=False, soft_wrap=True)
    console.print(_drawn(report, out.with_suffix(".png")), highlight=False, markup=False, soft_wrap=True)


def _drawn(report: Report, file: Path) -> str:
    """Draws the plot where that is possible; a word on it."""
    try:
        from predictor.evaluation.plot import plot
    except ModuleNotFoundError:
        return "No plot: it needs matplotlib, pip install 'cleanair-route[evaluate]'."
    plot(report, file)
    return f"Plot: {file}"


def _show(console: Console, report: Report) -> None:
    console.print(
        f"{report.readings}: {len(report.stations)} stations, {report.issue_hours} issue hours, every"
        f" {report.every_hours} h, {report.first_issue_hour} to {report.last_issue_hour}",
        highlight=False,
        soft_wrap=True,
    )
    if report.stations_left_out:
        console.print(
            f"Left out, because the list of stations does not have them: {', '.join(report.stations_left_out)}",
            highlight=False,
            soft_wrap=True,
        )
    for pollutant in FORECAST_POLLUTANTS:
        console.print(_of_pollutant(report, pollutant))
    console.print(_of_seasons(report))
    console.print(_of_exceedances(report))
    console.print(_of_day_ahead(report))
    days = ", ".join(f"{grade} {count}" for grade, count in report.evaluation.grades.items())
    console.print(f"Of these days of stations: {days}", highlight=False)
    for note in (*(f"{told.name}: {told.what}" for told in report.forecasters), *report.notes):
        console.print(f"- {note}", highlight=False, soft_wrap=True, markup=False)


def _of_pollutant(report: Report, pollutant: Pollutant) -> Table:
    gas = report.units[pollutant] == "ppm"
    table = _table(
        f"{pollutant}, {'ppb' if gas else report.units[pollutant]}: MAE / RMSE, skill against persistence and"
        f" {report.damped_persistence} (damped persistence), coverage of the 80 % interval",
        report,
    )
    rows = [score for score in report.evaluation.scores if score.pollutant is pollutant]
    table.add_row("cases", *(str(score.count) for score in rows if score.forecaster == report.forecasters[0].name))
    for told in report.forecasters:
        own = [score for score in rows if score.forecaster == told.name]
        table.add_row(told.name, *(_errors(score, 1000.0 if gas else 1.0) for score in own), style="bold")
        table.add_row(
            "  skill", *(f"{_percent(s.skill_persistence)} {_percent(s.skill_damped_persistence)}" for s in own)
        )
        table.add_row("  bias", *(_number(score.bias, 1000.0 if gas else 1.0) for score in own))
        if any(score.coverage is not None for score in own):
            table.add_row("  coverage", *(_percent(score.coverage) for score in own))
    return table


def _of_seasons(report: Report) -> Table:
    table = _table(
        "PM25 by season: RMSE, skill against persistence and damped persistence, coverage of the 80 % interval", report
    )
    for season in report.evaluation.seasons:
        for told in report.forecasters:
            own = [
                score
                for score in season.scores
                if score.pollutant is Pollutant.PM25 and score.forecaster == told.name and score.coverage is not None
            ]
            if own:
                table.add_row(f"{season.season} {told.name}", *map(_in_season, own))
    return table


def _in_season(score: Score) -> str:
    skill = f"{_percent(score.skill_persistence)} {_percent(score.skill_damped_persistence)}"
    return f"{_number(score.rmse)}, {skill}, {_percent(score.coverage)}"


def _of_exceedances(report: Report) -> Table:
    table = _table(
        f"PM25 above {report.exceedance_above:g} µg/m³, announced from a probability of {report.alarm_probability:g}"
        " on: F1, POD / FAR, Brier score",
        report,
    )
    for told in report.forecasters:
        own = [one for one in report.evaluation.exceedances if one.forecaster == told.name]
        table.add_row(told.name, *map(_alarms, own))
    return table


def _of_day_ahead(report: Report) -> Table:
    table = Table("", "right by the mean", "likeliest right", "of", title="Tomorrow's grade", title_justify="left")
    for one in report.evaluation.day_ahead:
        table.add_row(one.forecaster, _percent(one.accuracy), _percent(one.likeliest_accuracy), str(one.count))
    return table


def _table(title: str, report: Report) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for horizon in report.horizons:
        table.add_column(f"+{horizon} h", justify="right")
    return table


def _errors(score: Score, scale: float) -> str:
    return f"{_number(score.mae, scale)} / {_number(score.rmse, scale)}"


def _alarms(one: Exceedance) -> str:
    brier = "–" if one.brier is None else f"{one.brier:.3f}"
    return f"{_number(one.f1)}, {_number(one.pod)} / {_number(one.far)}, {brier}"


def _number(value: float | None, scale: float = 1.0) -> str:
    return "–" if value is None else f"{value * scale:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
