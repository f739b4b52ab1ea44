"""A contract that has landed on main stays: what a client was promised is not taken back unseen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from build_protos import stage_third_party
from tools.check_contract_break import compiled

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = """syntax = "proto3";

package cleanair.thing.v1;

import "buf/validate/validate.proto";
import "google/api/annotations.proto";

service ThingService {
  rpc GetThing(GetThingRequest) returns (GetThingResponse) {
    option (google.api.http) = {get: "/api/v1/things/{name}"};
  }
}

message GetThingRequest {
  string name = 1 [(buf.validate.field).string.max_len = 20];
}

message GetThingResponse {
  string colour = 1;
  int32 weight = 2;
}

enum Paint {
  PAINT_UNSPECIFIED = 0;
  RED = 1;
}
"""


class Repository:
    """A repository of one contract, whose first commit is main's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        shutil.copyfile(ROOT / "buf.yaml", folder / "buf.yaml")
        self.contract = folder / "protos/cleanair/thing/v1/thing.proto"
        self.contract.parent.mkdir(parents=True)
        self.contract.write_text(CONTRACT)
        self.commit()

    def git(self, *arguments: str) -> None:
        # A hook of git's sets GIT_DIR and the like, which would lead to the repository of the hook.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", *identity, *arguments], check=True, cwd=self.folder, env=environment)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message=A change")

    def replace(self, old: str, new: str) -> None:
        self.contract.write_text(self.contract.read_text().replace(old, new))

    def check(self, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = [sys.executable, str(ROOT / "tools/check_contract_break.py"), str(folder or self.folder)]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_what_is_only_added_passes(repository: Repository) -> None:
    repository.replace("int32 weight = 2;", "int32 weight = 2;\n  int32 height = 3;")
    checked = repository.check()
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_removed_field_is_caught_before_it_is_committed(repository: Repository) -> None:
    repository.replace("  int32 weight = 2;\n", "")
    checked = repository.check()
    assert checked.returncode == 1
    assert '"weight"' in checked.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/api/v1/things/{name}", "/api/v1/thing/{name}"),
        ('get: "/api/v1/things/{name}"', 'post: "/api/v1/things/{name}"'),
        ("    option (google.api.http) = {get: ", "    // {get: "),
    ],
    ids=["path", "verb", "removed"],
)
def test_a_changed_rest_path_is_caught_before_it_is_committed(repository: Repository, old: str, new: str) -> None:
    repository.replace(old, new)
    checked = repository.check()
    assert checked.returncode == 1
    assert "GET /api/v1/things/{name} of cleanair.thing.v1.ThingService.GetThing" in checked.stdout


def test_a_break_in_the_newest_commit_of_main_is_caught(repository: Repository) -> None:
    repository.replace("/api/v1/things/{name}", "/api/v1/thing/{name}")
    repository.commit()
    assert repository.check().returncode == 1


BREAKS = {
    "a field is gone": ("  int32 weight = 2;\n", "", "field cleanair.thing.v1.GetThingResponse.weight = 2: int32"),
    "a field has another type": ("int32 weight", "int64 weight", "GetThingResponse.weight = 2: int32"),
    "a field has another number": ("weight = 2", "weight = 3", "GetThingResponse.weight = 2: int32"),
    "a field became a choice": (
        "  int32 weight = 2;",
        "  oneof size {\n    int32 weight = 2;\n  }",
        "weight = 2: int32",
    ),
    "a field became a list": ("int32 weight", "repeated int32 weight", "GetThingResponse.weight = 2: int32"),
    "an RPC streams": ("returns (Get", "returns (stream Get", "RPC cleanair.thing.v1.ThingService.GetThing("),
    "a REST path is another": ("/things/", "/thing/", "REST path GET /api/v1/things/{name} of cleanair.thing.v1."),
    "a value has another number": ("RED = 1", "RED = 2", "value cleanair.thing.v1.Paint.RED = 1"),
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contracts that ours build on."""
    folder = tmp_path_factory.mktemp("staged")
    stage_third_party(folder)
    return folder


@pytest.mark.parametrize(("old", "new", "said"), BREAKS.values(), ids=BREAKS.keys())
def test_what_is_promised_is_missed_when_it_is_gone(
    staged: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "thing.proto").write_text(CONTRACT)
    before = compiled(tmp_path, staged, "before").promises
    (tmp_path / "thing.proto").write_text(CONTRACT.replace(old, new))
    gone = before - compiled(tmp_path, staged, "after").promises
    assert any(said in promise for promise in gone), gone


def test_a_break_is_caught_that_landed_on_main_together_with_others(repository: Repository, tmp_path: Path) -> None:
    repository.replace("  int32 weight = 2;\n", "")
    repository.commit()
    repository.replace("string colour = 1;", "string colour = 1;\n  int32 height = 3;")
    repository.commit()
    repository.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    checked = repository.check(tmp_path / "clone")
    assert checked.returncode == 1
    assert "No more: field cleanair.thing.v1.GetThingResponse.weight = 2: int32" in checked.stdout


def test_what_a_merge_brings_is_one_change(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.replace("int32 weight = 2;", "int32 weight = 2;\n  int32 height = 3;")
    repository.commit()
    repository.replace("int32 height = 3;", "int32 size = 3;")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message=Merge", "branch")
    checked = repository.check()
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_break_in_any_commit_of_a_branch_is_caught(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.replace("  int32 weight = 2;\n", "")
    repository.commit()
    repository.commit()
    assert repository.check().returncode == 1


def test_a_branch_may_change_what_has_not_landed(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.replace("int32 weight = 2;", "int32 weight = 2;\n  int32 height = 3;")
    repository.commit()
    repository.replace("int32 height = 3;", "int32 size = 3;")
    checked = repository.check()
    assert checked.returncode == 0, checked.stdout + checked.stderr
