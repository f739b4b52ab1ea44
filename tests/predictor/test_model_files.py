"""Which files a server takes for models, and what it says of the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from predictor.models.model_file import BASELINE, SHIPPED, ModelUnusable, digest_path
from predictor.models.model_files import ModelFiles, baseline, passing, sound
from tests.predictor.air import plain_model_file, usable_model_file
from tests.predictor.assembly import Predictor


def copied(path: Path, to: Path) -> Path:
    shutil.copyfile(path, to)
    digest_path(to).write_text(digest_path(path).read_text())
    return to


def test_the_product_has_two_of_its_own_and_both_pass() -> None:
    found = ModelFiles(None, None).look()
    assert found.refused == ()
    assert found.configured is not None
    assert [candidate.file for candidate in found.passed] == [SHIPPED.name, BASELINE.name]
    assert found.configured.file == SHIPPED.name


def test_a_model_that_lies_there_twice_is_one(tmp_path: Path) -> None:
    path = usable_model_file(tmp_path, "b.pt")
    copied(path, tmp_path / "a.pt")
    copied(BASELINE, tmp_path / "c.pt")
    found = ModelFiles(path, tmp_path).look()
    assert [candidate.file for candidate in found.passed] == ["b.pt", SHIPPED.name, BASELINE.name]
    assert found.refused == ()


def test_only_files_of_the_folder_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    inside, outside = usable_model_file(tmp_path / "inner"), usable_model_file(tmp_path, "outside.pt")
    files = ModelFiles(None, inside.parent)
    assert files.named("usable") == files.named("usable.pt") == inside
    assert files.named("ensemble-1") == SHIPPED
    for name in ("outside", "../outside.pt", str(outside), "", ".", "usable.pt.sha256"):
        assert files.named(name) is None


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert ModelFiles(None, tmp_path / "nowhere").paths() == [SHIPPED, BASELINE]


def test_more_files_than_can_be_read_are_named(tmp_path: Path) -> None:
    for number in range(52):
        (tmp_path / f"{number:02}.pt").touch()
    refused = {error.metadata["file"]: error.message for error in ModelFiles(None, tmp_path).look().refused}
    assert len(refused) == 52
    assert "only the first 50 files of the folder are read" in refused["50.pt"]
    assert "only the first 50" not in refused["49.pt"]


def test_what_is_weak_is_sound_and_yet_not_taken_in(tmp_path: Path) -> None:
    path = plain_model_file(tmp_path)
    assert any("times the baseline's" in why for why in sound(path).weak)
    with pytest.raises(ModelUnusable, match=r"plain\.pt cannot be used: on the golden set its error in pm25 is 1\."):
        passing(path)


def test_the_baseline_is_read_once() -> None:
    assert baseline() is baseline()


async def test_a_weak_model_that_is_configured_serves_and_is_complained_of(predictor: Predictor) -> None:
    assert predictor.issuer.model.loaded.model.name == "damped-persistence"
    (alert,) = predictor.succession.registry.alerts
    assert alert.startswith("plain.pt serves, and should not: on the golden set its error in pm25")
