"""What publishes the package and the site: whom it believes, what it may do, what it checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import grader

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github/workflows"
WORKFLOWS = sorted(path.name for path in FOLDER.glob("*.yml"))


def jobs(name: str = "release.yml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["jobs"]
    return found


def step(name: str) -> str:
    (found,) = (one["run"] for one in jobs()["build"]["steps"] if one.get("name") == name)
    return str(found)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_linter_finds_nothing(name: str) -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", FOLDER / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_named_by_its_commit_and_says_its_version(name: str) -> None:
    uses = re.findall(r"uses: (.+)", (FOLDER / name).read_text(encoding="utf-8"))
    assert len(uses) >= 4
    for one in uses:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one), one


def test_only_the_job_that_runs_nothing_of_ours_can_publish() -> None:
    assert jobs()["build"]["permissions"] == {"contents": "read"}
    publish = jobs()["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["environment"] == "pypi"
    assert publish["needs"] == "build"
    assert not [one for one in publish["steps"] if "run" in one]


def test_the_site_is_put_out_by_a_job_that_runs_nothing_of_ours() -> None:
    build, publish = jobs("docs.yml").values()
    assert build["permissions"] == {"contents": "read"}
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert not [one for one in publish["steps"] if "run" in one]


@pytest.mark.parametrize(("tag", "status"), [(f"v{grader.__version__}", 0), ("v999", 1), ("", 1)])
def test_a_tag_that_names_another_version_ends_it(tag: str, status: int) -> None:
    command = step("The tag names the version that the code has")
    env = {**os.environ, "TAG": tag}
    done = subprocess.run(["bash", "-ec", command], cwd=ROOT, env=env, check=False)
    assert done.returncode == status


def test_one_address_is_used_everywhere() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    home = tomllib.loads(text)["project"]["urls"]["Homepage"]
    assert set(re.findall(r"https://github\.com/[\w-]+/[\w-]+", text)) == {home}
