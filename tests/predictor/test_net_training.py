"""A net is trained, broken off, and goes on as if nothing had happened."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from predictor.models.calibration import LEADS
from predictor.models.model_file import load
from predictor.models.observed import Observed
from predictor.models.recurrent import Cell
from predictor.models.recurrent_ensemble import RecurrentEnsemble
from predictor.models.weather_input import no_weather
from predictor.training.batches import Batches
from predictor.training.checkpoint import CheckpointUnusable
from predictor.training.finish import EvaluationUnusable, finished
from predictor.training.hindcast import hindcast
from predictor.training.net_training import NetTraining, Progress
from predictor.training.plot import plot
from predictor.training.recipe import Recipe
from predictor.training.recordings import TUNE
from predictor.training.splits import Split
from predictor.training.train_ensemble import Asked, Trained, TrainingExists, train_ensemble
from tests.predictor.made_up_sets import FIRST_HOUR, made_up_sets

SHORT = Recipe(steps=20, rows=16, start_rows=400, check_every=10, check_rows=60, save_every=10)
"""As little as shows that it works."""


@pytest.fixture(scope="module")
def nets() -> RecurrentEnsemble:
    torch.set_num_threads(1)
    nets = RecurrentEnsemble()
    nets.know_stations(["Korea 0", "downtown mean 0"])
    return nets


@pytest.fixture(scope="module")
def batches(nets: RecurrentEnsemble) -> Batches:
    return Batches(made_up_sets(), nets)


class Run:
    """A training from the beginning to the end, with the states that it saved and what it told."""

    def __init__(self, batches: Batches, nets: RecurrentEnsemble, seed: int = 3) -> None:
        self.saved: list[bytes] = []
        self.told: list[Progress] = []
        self.training = NetTraining(Cell.GRU, batches, SHORT, seed=seed)
        self._batches, self._share = batches, nets.weight

    def go(self) -> None:
        checks = self._batches.checks(SHORT.check_rows)
        self.training.run(checks, self._share, told=self.told.append, save=self._keep)

    def _keep(self, state: dict[str, object]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self.saved.append(buffer.getvalue())


@pytest.fixture(scope="module")
def run(batches: Batches, nets: RecurrentEnsemble) -> Run:
    run = Run(batches, nets)
    run.go()
    return run


def test_training_learns_the_air(run: Run) -> None:
    assert [done.step for done in run.told] == list(range(21))
    assert [check.step for check in run.training.checks] == [0, 10, 20]
    assert run.training.finished
    start, *later = run.training.checks
    assert min(check.loss for check in later) < start.loss
    assert run.training.best_check in later


def test_a_training_that_was_broken_off_goes_on_bit_by_bit(run: Run, batches: Batches, nets: RecurrentEnsemble) -> None:
    torch.manual_seed(99)
    again = Run(batches, nets)
    again.training.resume(torch.load(io.BytesIO(run.saved[0]), weights_only=True))
    assert not again.training.finished
    again.go()
    assert [done.step for done in again.told] == list(range(11, 21))
    for part in ("net", "average", "best"):
        first, second = run.training.state()[part], again.training.state()[part]
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        assert all(torch.equal(first[name], second[name]) for name in first), part
    assert again.training.checks == run.training.checks


def test_training_stops_when_nothing_gets_better(batches: Batches, nets: RecurrentEnsemble, run: Run) -> None:
    again = Run(batches, nets)
    again.training.resume(torch.load(io.BytesIO(run.saved[0]), weights_only=True))
    worse = run.training.checks[1]
    again.training.checks = [run.training.best_check, *[worse] * SHORT.patience]
    assert again.training.finished


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


def asked(folder: Path, *, split: Split = Split.EVALUATION, seed: int = 1, resume: bool = False) -> Asked:
    recipe = Recipe(steps=2, rows=8, start_rows=400, check_every=2, check_rows=20)
    return Asked(split, recipe, seed, folder, resume)


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trained:
    told: list[Progress] = []
    trained = train_ensemble(made_up_sets(), asked(folder), told.append)
    assert {done.cell for done in told} == set(Cell)
    return trained


def test_a_model_that_serves_comes_out_of_recordings(folder: Path, trained: Trained) -> None:
    sets = made_up_sets()
    file, digest, words, table = finished(trained, sets, asked(folder))
    served = load(file)
    assert served.model.knows("Korea 2")
    assert served.metrics["skill Korea PM25 +24 h"] < 1
    card = words.read_text(encoding="utf-8")
    assert served.sha256 in card
    assert served.sha256 in digest.read_text(encoding="ascii")
    assert table.read_text(encoding="utf-8") in card
    assert "| PM25 this model, no weather |" in card
    assert "not the scores of these very weights" not in card
    # As it serves it says what it would have said of the recorded hours.
    korea = sets[0]
    recorded = hindcast(trained.model, korea, [TUNE], every_hours=12)
    hour, said = recorded.issue_hours[3], recorded.said[3]
    row = int(hour) - FIRST_HOUR
    seen = Observed(korea.stations, int(hour), korea.values[row - 335 : row + 1].transpose(1, 0, 2), no_weather(3))
    at_leads = served.model.forecast(seen).at(LEADS)
    np.testing.assert_allclose(said.mean, at_leads.mean, rtol=2e-2, atol=1e-3)
    np.testing.assert_allclose(said.quantiles, at_leads.quantiles, rtol=2e-2, atol=1e-3)


def test_a_final_model_is_not_sold_by_scores_of_hours_that_it_has_seen(
    tmp_path: Path, folder: Path, trained: Trained
) -> None:
    sets = made_up_sets()
    *_, words = finished(trained, sets, asked(tmp_path, split=Split.FINAL))
    assert "Not scored" in words.read_text(encoding="utf-8")
    (folder / "scores.md").write_text("The table of the evaluation.", encoding="utf-8")
    file, *_, words = finished(trained, sets, asked(tmp_path, split=Split.FINAL), evaluation=folder)
    evaluated = load(folder / file.name)
    assert load(file).model.prior.to_bytes() == evaluated.model.prior.to_bytes()
    assert load(file).metrics["skill Korea PM25 +24 h, evaluation split"] == evaluated.metrics["skill Korea PM25 +24 h"]
    card = words.read_text(encoding="utf-8")
    assert card.index("not the scores of these very weights") < card.index("The table of the evaluation.")
    (folder / "scores.md").unlink()
    with pytest.raises(EvaluationUnusable, match="cannot be read"):
        finished(trained, sets, asked(tmp_path, split=Split.FINAL), evaluation=folder)


def test_how_a_training_went_is_drawn(tmp_path: Path, trained: Trained) -> None:
    plot(trained.nets, tmp_path / "training.png")
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")


def test_only_the_same_training_goes_on(folder: Path, trained: Trained) -> None:
    with pytest.raises(TrainingExists, match="--resume"):
        train_ensemble(made_up_sets(), asked(folder), lambda _: None)
    with pytest.raises(CheckpointUnusable, match="seed"):
        train_ensemble(made_up_sets(), asked(folder, seed=2, resume=True), lambda _: None)
    told: list[Progress] = []
    train_ensemble(made_up_sets(), asked(folder, resume=True), told.append)
    assert told == []
    (folder / "gru.checkpoint").write_bytes(b"broken")
    with pytest.raises(CheckpointUnusable, match="broken"):
        train_ensemble(made_up_sets(), asked(folder, resume=True), lambda _: None)
