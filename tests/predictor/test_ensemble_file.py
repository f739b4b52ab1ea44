"""A file of nets comes back as it was saved, and one that cannot be used is refused by name."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch

from predictor.models.ensemble import Ensemble
from predictor.models.model_file import SHIPPED, ModelUnusable, digest_path, load, save
from tests.predictor.recurrent import air, observed


def reloaded() -> Ensemble:
    model = load(SHIPPED).model
    assert isinstance(model, Ensemble)
    return model


def test_nets_come_back_as_they_were_saved(tmp_path: Path) -> None:
    model = reloaded()
    for compact in (False, True):
        sha256 = save(model, tmp_path / "nets.pt", compact=compact)
        loaded = load(tmp_path / "nets.pt")
        assert loaded.sha256 == sha256
        # They are rounded already.
        again, before = (one.forecast(observed(air())).quantiles for one in (loaded.model, model))
        np.testing.assert_array_equal(again, before)


def test_the_shipped_file_is_small() -> None:
    assert SHIPPED.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (None, "not those of the family"),
        ("종로구", "not those of the family"),
        (["종로구"] * 675, "not those of the family"),
        ([*map(str, range(674)), 5], "not those of the family"),
        ([], "not those of the family"),
    ],
)
def test_a_table_of_stations_that_is_none(tmp_path: Path, names: object, why: str) -> None:
    path = tmp_path / "nets.pt"
    stored = torch.load(SHIPPED, weights_only=True)
    buffer = io.BytesIO()
    torch.save({**stored, "parameters": {**stored["parameters"], "nets._extra_state": names}}, buffer)
    path.write_bytes(buffer.getvalue())
    digest_path(path).write_text(hashlib.sha256(buffer.getvalue()).hexdigest())
    with pytest.raises(ModelUnusable, match=why):
        load(path)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("nets.nets.lstm.linear_scale", 0.0, r"nets\.lstm\.linear_scale must be above 0"),
        ("nets.pattern", torch.nan, "pattern is not finite"),
        ("nets.nets.gru.decoder.weight", torch.inf, r"nets\.gru\.decoder\.weight is not finite"),
    ],
)
def test_numbers_that_make_no_sense(tmp_path: Path, name: str, value: float, why: str) -> None:
    model = reloaded()
    state = model.state_dict()
    state[name].fill_(value)
    save(model, tmp_path / "nets.pt")
    with pytest.raises(ModelUnusable, match=why):
        load(tmp_path / "nets.pt")
