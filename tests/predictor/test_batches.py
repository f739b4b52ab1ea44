"""What the nets are trained on: the hours of their part alone, with gaps added and nothing else."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.models.recurrent_ensemble import RecurrentEnsemble
from predictor.models.scale import to_z
from predictor.training.augmentation import augmented
from predictor.training.batches import Batches
from predictor.training.recordings import TEST, TRAIN, TUNE
from predictor.training.rows import Rows, Source
from predictor.training.splits import Kind, Split, parts
from predictor.training.training_set import TrainingSet
from tests.predictor.made_up_sets import made_up_set, made_up_sets

SEED = 5


@pytest.fixture(scope="module")
def nets() -> RecurrentEnsemble:
    nets = RecurrentEnsemble()
    nets.know_stations(["Korea 0", "Korea 2"])
    return nets


@pytest.fixture(scope="module")
def recorded() -> TrainingSet:
    return made_up_set(Kind.KOREA)


@pytest.fixture(scope="module")
def rows(recorded: TrainingSet, nets: RecurrentEnsemble) -> Rows:
    return Source(recorded, nets).draw(1500, TRAIN, torch.Generator().manual_seed(SEED))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(Split), st.sampled_from(Kind), st.integers(300_000, 600_000), st.integers(1, 20_000))
def test_every_hour_is_of_one_part_whatever_else_is_recorded(split: Split, kind: Kind, first: int, hours: int) -> None:
    part = parts(split, kind, first, hours)
    assert set(np.unique(part).tolist()) <= {TRAIN, TUNE, TEST}
    # The part is the hour's alone: a recording that begins later says the same of it.
    np.testing.assert_array_equal(parts(split, kind, first + hours // 2, hours - hours // 2), part[hours // 2 :])
    if split is Split.FINAL:
        assert not (part == TEST).any()


@pytest.mark.parametrize(
    ("kind", "day", "part"),
    [
        (Kind.DOWNTOWN, "2020-12-31T23", TRAIN),
        (Kind.DOWNTOWN, "2021-01-01T00", TUNE),
        (Kind.DOWNTOWN, "2022-01-01T00", TEST),
        (Kind.STATIONS_2017, "2017-03-17T23", TRAIN),
        (Kind.STATIONS_2017, "2017-03-18T00", TUNE),
        (Kind.STATIONS_2017, "2017-03-22T00", TEST),
        (Kind.KOREA, "2025-11-19T23", TRAIN),
        (Kind.KOREA, "2025-11-20T00", TUNE),
        (Kind.KOREA, "2025-12-01T00", TEST),
        (Kind.ABROAD, "2015-01-01T00", TRAIN),
    ],
)
def test_an_evaluation_keeps_years_days_and_a_winter(kind: Kind, day: str, part: int) -> None:
    hour = int(np.datetime64(day, "h").astype(np.int64)) - 9
    assert parts(Split.EVALUATION, kind, hour, 1).tolist() == [part]


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([TRAIN, TUNE]), st.integers(0, 2**31))
def test_what_came_is_told_of_its_part_alone(
    recorded: TrainingSet, nets: RecurrentEnsemble, part: int, seed: int
) -> None:
    issue = torch.from_numpy(recorded.issues(part, 72))
    chance = torch.Generator().manual_seed(seed)
    issue = issue[torch.randint(len(issue), (20,), generator=chance)]
    place = torch.randint(3, (20,), generator=chance)
    truth = Source(recorded, nets).rows(issue, place, part, chance).truth
    for row, (at, station) in enumerate(zip(issue.tolist(), place.tolist(), strict=True)):
        ahead = np.arange(at + 1, at + 73)
        inside = ahead[ahead < recorded.hours]
        expected = to_z(torch.from_numpy(recorded.values[inside, station, :4]))
        expected[torch.from_numpy(recorded.part[inside] != part)] = torch.nan
        torch.testing.assert_close(truth[row, : len(inside)], expected, equal_nan=True)
        assert bool(truth[row, len(inside) :].isnan().all())


def test_a_row_shows_what_was_known_at_its_hour(recorded: TrainingSet, nets: RecurrentEnsemble) -> None:
    at, chance = torch.tensor([400, 200]), torch.Generator().manual_seed(SEED)
    rows = Source(recorded, nets).rows(at, torch.tensor([2, 1]), TRAIN, chance)
    own = to_z(torch.from_numpy(recorded.values[400 - 167 : 401, 2]))
    torch.testing.assert_close(rows.window[0, :, :6], own, atol=2e-3, rtol=1e-3, equal_nan=True)
    torch.testing.assert_close(rows.newest[0], own[-1, :4], atol=2e-3, rtol=1e-3, equal_nan=True)
    assert rows.station.tolist() == [2, 0]
    # Of the week before the second row's window only its last 33 hours were recorded.
    assert bool(rows.week_before[1, :135].isnan().all())
    assert bool(rows.week_before[1, 135:].isfinite().any())
    # In Korea no weather was recorded.
    assert bool(rows.foreseen.isnan().all())


def test_gaps_are_added_and_nothing_else(rows: Rows) -> None:
    gappy = augmented(rows, torch.Generator().manual_seed(SEED))
    for field in fields(Rows):
        before, after = getattr(rows, field.name), getattr(gappy, field.name)
        assert before.shape == after.shape, field.name
        if field.name in {"window", "week_before", "observed", "foreseen"}:
            kept = after.isfinite()
            assert torch.equal(after[kept], before[kept]), field.name
        elif field.name not in {"station", "marks"}:
            assert torch.equal(after.nan_to_num(), before.nan_to_num()), field.name
    gone = float(gappy.window[..., :4].isnan().float().mean() - rows.window[..., :4].isnan().float().mean())
    assert 0.03 < gone < 0.25
    known = rows.station > 0
    assert float((gappy.station[known] == 0).float().mean()) == pytest.approx(0.3, abs=0.06)
    # The season moves by days; the hour, the week and the holidays do not.
    assert torch.equal(gappy.marks[..., :10], rows.marks[..., :10])
    turn = (gappy.marks[..., 10:] * rows.marks[..., 10:]).sum(dim=-1).clamp(max=1).arccos() * 365.25 / (2 * torch.pi)
    assert float(turn[:, 0].square().mean().sqrt()) == pytest.approx(10, rel=0.15)
    # What was recorded is not touched.
    assert bool(rows.window.isfinite().any())


def test_batches_are_of_all_recordings_and_the_same_for_the_same_chance(nets: RecurrentEnsemble) -> None:
    batches = Batches(made_up_sets(), nets)
    first, again = (batches.draw(200, torch.Generator().manual_seed(SEED)) for _ in range(2))
    assert torch.equal(first.truth.nan_to_num(), again.truth.nan_to_num())
    for field in fields(first.inputs):
        values = getattr(first.inputs, field.name)
        assert torch.equal(values, getattr(again.inputs, field.name))
        assert len(values) == 200
        assert bool(values.isfinite().all()), field.name
    checks = batches.checks(30)
    assert [own.kind for own in checks] == [Kind.KOREA, Kind.DOWNTOWN]
    assert torch.equal(checks[0].batch.truth.nan_to_num(), batches.checks(30)[0].batch.truth.nan_to_num())
