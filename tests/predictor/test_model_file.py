"""A model file that cannot be used is refused by name, and nothing in it is run."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from predictor.models.model_file import SHIPPED, ModelUnusable, digest_path, load, save
from predictor.models.observed import Observed
from predictor.models.weather_input import no_weather
from tests.predictor.air import JONGNO, plain_model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    save(plain_model(), path)
    return path


def write(path: Path, content: bytes) -> None:
    """Content with a digest that is right, so that only the content is at fault."""
    path.write_bytes(content)
    digest_path(path).write_text(hashlib.sha256(content).hexdigest())


def rewrite(path: Path, **changed: object) -> None:
    stored = torch.load(path, weights_only=True)
    buffer = io.BytesIO()
    torch.save({**stored, **changed}, buffer)
    write(path, buffer.getvalue())


def test_a_saved_model_comes_back_as_it_was(path: Path) -> None:
    loaded = load(path)
    assert loaded.model.version == "damped-persistence-1"
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.version == f"damped-persistence-1+{loaded.sha256[:8]}"
    known = Observed([JONGNO], 500_000, np.full((1, 5, 4), 30.0, dtype=np.float32), no_weather(1))
    expected = plain_model().forecast(known)
    np.testing.assert_array_equal(loaded.model.forecast(known).quantiles, expected.quantiles)


def test_a_file_says_what_its_model_scores(tmp_path: Path) -> None:
    save(plain_model(), tmp_path / "scored.pt", metrics={"rmse_pm25_24h": 11.5})
    assert load(tmp_path / "scored.pt").metrics == {"rmse_pm25_24h": 11.5}


def test_the_shipped_model_is_the_one_on_its_card() -> None:
    assert load(SHIPPED).sha256 in SHIPPED.with_suffix(".md").read_text(encoding="utf-8")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"gone\.pt cannot be used: it is not there"):
        load(tmp_path / "gone.pt")


def test_a_truncated_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelUnusable, match="SHA-256 is not the one in"):
        load(path)


def test_a_file_whose_digest_is_missing(path: Path) -> None:
    digest_path(path).unlink()
    with pytest.raises(ModelUnusable, match=r"model\.pt\.sha256, which must hold its SHA-256"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 no archive"])
def test_a_file_that_is_no_archive(path: Path, content: bytes) -> None:
    write(path, content)
    with pytest.raises(ModelUnusable, match="no file of tensors"):
        load(path)


def test_a_truncated_file_with_a_fresh_digest(path: Path) -> None:
    write(path, path.read_bytes()[:-100])
    with pytest.raises(ModelUnusable, match="no file of tensors"):
        load(path)


class _Bomb:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.folder / "exploded",))  # type: ignore[return-value] # what an attacker would write


def test_code_in_a_file_is_not_run(path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"family": "damped-persistence", "parameters": _Bomb(path.parent)}, buffer)
    write(path, buffer.getvalue())
    with pytest.raises(ModelUnusable, match="no file of tensors"):
        load(path)
    write(path, pickle.dumps(_Bomb(path.parent)))
    with pytest.raises(ModelUnusable, match="no file of tensors"):
        load(path)
    assert not (path.parent / "exploded").exists()


def test_a_small_file_that_unfolds_into_a_large_one(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data/999", bytes(65 * 2**20))
    write(path, path.read_bytes())
    with pytest.raises(ModelUnusable, match="cannot be used"):
        load(path)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (
            {"version": "damped-persistence-2"},
            "of version 'damped-persistence-2', and 'damped-persistence-1' is needed",
        ),
        ({"family": "oracle"}, "no model family of ours is called 'oracle'"),
        ({"parameters": None}, "holds no parameters"),
        ({"parameters": {}}, "not those of the family"),
        ({"parameters": {**plain_model().state_dict(), "pattern": torch.zeros(4, 5)}}, "not those of the family"),
        ({"parameters": {**plain_model().state_dict(), "pattern": 3}}, "not those of the family"),
        ({"golden": 3}, "its answers to the golden set are no numbers"),
        ({"golden": torch.zeros(3, dtype=torch.int64)}, "its answers to the golden set are no numbers"),
        ({"metrics": [1.0]}, "no table of 200 figures at most"),
        ({"metrics": {str(n): 1.0 for n in range(201)}}, "no table of 200 figures at most"),
        ({"metrics": {"rmse": torch.nan}}, "not all names with finite figures"),
        ({"metrics": {"rmse": "3"}}, "not all names with finite figures"),
        ({"metrics": {7: 3.0}}, "not all names with finite figures"),
    ],
)
def test_a_file_of_something_else(path: Path, changed: dict[str, object], why: str) -> None:
    rewrite(path, **changed)
    with pytest.raises(ModelUnusable, match=why):
        load(path)


def test_a_tensor_where_a_model_should_be(path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(torch.zeros(3), buffer)
    write(path, buffer.getvalue())
    with pytest.raises(ModelUnusable, match="holds no parameters"):
        load(path)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("damping", torch.nan, "damping is not finite"),
        ("damping", 1.5, "damping must lie between -1 and 1"),
        ("shift", 0.0, "shift must be above 0"),
        ("level_spread", -1.0, "level_spread must not be below 0"),
    ],
)
def test_numbers_that_make_no_sense(path: Path, name: str, value: float, why: str) -> None:
    model = plain_model()
    model.get_buffer(name).fill_(value)
    save(model, path)
    with pytest.raises(ModelUnusable, match=why):
        load(path)


def test_quantiles_that_cross(path: Path) -> None:
    model = plain_model()
    model.spread[2, 5] = torch.tensor([0.3, 0.0, 0.5])
    save(model, path)
    with pytest.raises(ModelUnusable, match="quantiles of spread must ascend"):
        load(path)
