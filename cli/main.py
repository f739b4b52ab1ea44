"""The `cleanair` command: what people run."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from cli.failure import CommandFailed
from cli.settings import CommandSettings
from mesh.errors import CleanAirError

app = typer.Typer(
    help="The way, and the hour, with the cleanest air.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
graph_app = typer.Typer(help="Street graphs.", no_args_is_help=True)
database_app = typer.Typer(help="Databases.", no_args_is_help=True)
app.add_typer(graph_app, name="graph")
app.add_typer(database_app, name="db")


class Server(StrEnum):
    """What `cleanair serve` can run."""

    INGESTION = "ingestion"
    PREDICTOR = "predictor"
    ROUTER = "router"
    GATEWAY = "gateway"
    FEED = "feed"
    WORKER = "worker"
    BEAT = "beat"


@app.command()
def up() -> None:
    """Runs the whole mesh on this machine, until Ctrl-C: three servers, Envoy, and a simulated city with its air."""
    from cli.up import up as run

    run(CommandSettings())


@app.command()
def serve(server: Annotated[Server, typer.Argument(help="Which server.")]) -> None:
    """Runs one server, as its settings (CLEANAIR_…) say, until it is told to stop."""
    from cli.serve import serve as run

    run(server.value)


@app.command()
def collect() -> None:
    """Collects now what the air-quality network publishes. Needs the operator key."""
    from cli.collect import collect as run

    run(CommandSettings())


@app.command()
def backfill(
    files: Annotated[list[Path], typer.Argument(help="History, .csv or .parquet.", exists=True, dir_okay=False)],
    stations: Annotated[
        Path | None, typer.Option(help="Where the stations stand, CSV: station, lat, lon, network.", dir_okay=False)
    ] = None,
    station: Annotated[
        str | None, typer.Option(help="The station of all rows, where a file does not say whose they are.")
    ] = None,
    *,
    feed: Annotated[str, typer.Option(help="The feed whose stations they are.")] = "airkorea",
    correct: Annotated[
        bool, typer.Option("--correct", help="Let the files win over what is known; else they only fill gaps.")
    ] = False,
    target: Annotated[str | None, typer.Option(help="The ingestion server, host:port.")] = None,
) -> None:
    """Loads years of history into a running mesh. Needs the operator key.

    Stopped and run again, it goes on where it was. Exits with 0 when all was loaded, with 1 when rows were rejected.
    """
    from cli.backfill.command import backfill as run

    raise typer.Exit(
        run(CommandSettings(), files, target=target, stations=stations, station=station, feed=feed, correct=correct)
    )


@app.command()
def route(  # noqa: PLR0913  each option of the command is an argument
    origin: Annotated[
        str, typer.Argument(metavar="FROM", help="A name, or latitude and longitude, such as `36.35,127.90`.")
    ],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Likewise.")],
    *,
    mode: Annotated[str, typer.Option(help="walk, run, bike, wheelchair or car.")] = "walk",
    depart: Annotated[str | None, typer.Option(help="When, such as `2026-05-01T08:00+09:00`; now if left out.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Say what to do on the healthiest way, turn by turn.")] = False,
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="Show the ways between the fastest and the cleanest, too.")
    ] = False,
    window: Annotated[
        int | None, typer.Option(help="Look for the best departure within so many hours.", min=1, max=72)
    ] = None,
    language: Annotated[str, typer.Option(help="Of the steps: en or ko.")] = "en",
) -> None:
    """Shows the fastest, the shortest and the healthiest way, and what each saves."""
    from cli.route import Trip
    from cli.route import route as run

    trip = Trip(
        origin,
        destination,
        mode=mode,
        depart=depart,
        steps=steps,
        alternatives=alternatives,
        window_hours=window,
        language=language,
    )
    run(CommandSettings(), trip)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Recorded AirKorea answers, JSON.", exists=True, dir_okay=False)],
    port: Annotated[int, typer.Option(help="Where to listen; 0 lets the system choose.")] = 8090,
) -> None:
    """Answers like AirKorea with recorded answers, for CLEANAIR_AIRKOREA_URL to point at."""
    from cli.serve import replay as run

    run(files, port)


@app.command()
def evaluate(  # noqa: PLR0913  each option of the command is an argument
    readings: Annotated[
        Path, typer.Option(help="Hours to forecast: Parquet of station, time_kst, pm25 ….", dir_okay=False)
    ],
    stations: Annotated[Path, typer.Option(help="Where the stations stand, CSV: station, lat, lon.", dir_okay=False)],
    out: Annotated[Path, typer.Option(help="The report, JSON; a plot is drawn beside it.", dir_okay=False)],
    weather: Annotated[
        Path | None, typer.Option(help="Hours of weather, Parquet or CSV.", exists=True, dir_okay=False)
    ] = None,
    model: Annotated[list[Path] | None, typer.Option(help="One more model file to score.", dir_okay=False)] = None,
    *,
    weather_as_forecast: Annotated[
        bool, typer.Option("--weather-as-forecast", help="Forecast with weather observed later, made as wrong.")
    ] = False,
    every: Annotated[int, typer.Option(help="Hours from one issue hour to the next.", min=1, max=24)] = 1,
    since: Annotated[datetime | None, typer.Option(help="The first issue hour, Korea's clock.")] = None,
    train_until: Annotated[
        datetime | None, typer.Option(help="Fit LightGBM, if it is installed, to the hours before; score those after.")
    ] = None,
) -> None:
    """Scores the shipped model, and all that it has to beat, on recorded hours that it has not seen."""
    from air.korea import KST
    from cli.evaluate import evaluate as run
    from predictor.evaluation.asked import Asked

    asked = Asked(
        every_hours=every,
        since=since and since.replace(tzinfo=KST),
        train_until=train_until and train_until.replace(tzinfo=KST),
        weather=weather,
        weather_as_forecast=weather_as_forecast,
        models=tuple(model or ()),
    )
    run(readings, stations, out, asked)


class Split(StrEnum):
    """What `cleanair train` keeps from the fit."""

    EVALUATION = "evaluation"
    FINAL = "final"


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="The folder of the recordings: air and weather.", file_okay=False)],
    out: Annotated[Path, typer.Option(help="Where model, card and checkpoints go.", file_okay=False)],
    split: Annotated[
        Split, typer.Option(help="evaluation keeps years and a winter to be scored on; final learns from all hours.")
    ] = Split.EVALUATION,
    *,
    seed: Annotated[int, typer.Option(help="Of all that is random.", min=0)] = 0,
    steps: Annotated[int | None, typer.Option(help="Of each net, at most.", min=10)] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(help="A final model's evaluation: its prior and scores.", exists=True, file_okay=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was broken off.")] = False,
) -> None:
    """Trains the model that forecasts, on recorded hours. Can be stopped, and gone on with by --resume."""
    from cli.train import train as run

    run(data, out, split=split.value, seed=seed, steps=steps, resume=resume, evaluation=evaluation)


@graph_app.command("import")
def import_graph(
    file: Annotated[Path, typer.Argument(help="An OpenStreetMap extract, .osm.pbf.")],
    out: Annotated[Path | None, typer.Option(help="Where to write the graph; beside the data by default.")] = None,
) -> None:
    """Makes a street graph from an OpenStreetMap extract."""
    from cli.graph import import_graph as run

    run(CommandSettings(), file, out)


@database_app.command("upgrade")
def upgrade(
    service: Annotated[str | None, typer.Argument(help="ingestion, predictor or router; all when left out.")] = None,
) -> None:
    """Brings the tables to the newest version."""
    from cli.database import upgrade as run

    run(CommandSettings(), service)


def main() -> None:
    """Runs the command; what a person did wrong is one sentence and exit code 2, never a stack trace."""
    console = Console(stderr=True, soft_wrap=True)
    try:
        app()
    except (CommandFailed, CleanAirError) as error:
        console.print(str(error), style="bold red", markup=False, highlight=False)
        sys.exit(2)
    except ValidationError as error:
        for wrong in error.errors():
            name = "CLEANAIR_" + "_".join(str(part) for part in wrong["loc"]).upper()
            console.print(f"{name}: {wrong['msg']}", style="bold red", markup=False, highlight=False)
        sys.exit(2)
