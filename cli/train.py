"""`cleanair train`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.backfill.places import read_places
from cli.failure import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from predictor.training import net_training
    from predictor.training.train_ensemble import Trained

_NEEDS = "Models are trained with {}, which is not installed: pip install 'cleanair-route[predictor,evaluate]'."


def train(
    data: Path, out: Path, *, split: str, seed: int, steps: int | None, resume: bool, evaluation: Path | None
) -> None:
    """Trains the model on the recordings of a folder, and writes its file, its card and a picture of its training."""
    try:
        from predictor.training.finish import finished
        from predictor.training.recipe import Recipe
        from predictor.training.recorded_sets import STATION_LISTS, load_sets
        from predictor.training.splits import Split
        from predictor.training.train_ensemble import Asked, train_ensemble
    except ModuleNotFoundError as error:
        raise CommandFailed(_NEEDS.format(error.name)) from error
    console = Console(stderr=True)
    stations = {name: place for each in STATION_LISTS for name, place in read_places(data / each).items()}
    recipe = Recipe() if steps is None else Recipe(steps=steps)
    asked = Asked(Split(split), recipe, seed, out, resume)
    with console.status("Reading the recordings …"):
        sets = load_sets(data, stations, asked.split)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with _bars(console) as told:
            trained = train_ensemble(sets, asked, told)
    except KeyboardInterrupt:
        raise CommandFailed(f"Stopped. What was learnt is in {out}: --resume goes on from there.") from None
    _show(console, trained)
    with console.status("Forecasting what was kept from the fit …"):
        files = finished(trained, sets, asked, evaluation=evaluation)
    drawn = _drawn(trained, out / "training.png")
    for said in (*(str(file) for file in files), drawn):
        Console().print(said, highlight=False, markup=False, soft_wrap=True)


def _drawn(trained: Trained, file: Path) -> str:
    """Draws the plot where that is possible; a word on it."""
    try:
        from predictor.training.plot import plot
    except ModuleNotFoundError:
        return "No plot: it needs matplotlib, pip install 'cleanair-route[evaluate]'."
    plot(trained.nets, file)
    return str(file)


@contextmanager
def _bars(console: Console) -> Iterator[Callable[[net_training.Progress], None]]:
    """A bar a net, with its loss and its skill; each check is a line of its own, too, to be read in a log."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}, skill {task.fields[skill]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        checked: dict[str, int] = {}

        def told(done: net_training.Progress) -> None:
            name = done.cell.value
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=done.steps, loss="–", skill="–")
            loss = "–" if done.loss is None else f"{done.loss:.4f}"
            progress.update(tasks[name], completed=done.step, loss=loss, skill=_percent(done.check.skill))
            if checked.get(name) != done.check.step:
                checked[name] = done.check.step
                skills = ", ".join(f"{kind} {_percent(skill)}" for kind, skill in done.check.skills.items())
                said = f"{name} step {done.check.step}: loss {done.check.loss:.4f}; below persistence: {skills}"
                progress.console.print(said, highlight=False, markup=False, soft_wrap=True)

        yield told


def _show(console: Console, trained: Trained) -> None:
    for cell, net in trained.nets.items():
        said = f"{cell}: the weights of step {net.best.step} did best, {_percent(net.best.skill)} below persistence"
        console.print(said, highlight=False)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
