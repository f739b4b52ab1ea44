"""A contract that has landed on main stays: what a client was promised is not taken back unseen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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

    def check(self) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = [sys.executable, str(ROOT / "tools/check_contract_break.py"), str(self.folder)]
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
