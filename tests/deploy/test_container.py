"""The image's recipe: linted, and its steps carried out as far as that goes without an engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy/container/Containerfile"


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, lines put together."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.M)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    found = [line.partition(" ") for line in lines if line.strip()]
    return [(name, arguments.strip()) for name, _, arguments in found]


def only(name: str) -> str:
    return [arguments for one, arguments in instructions() if one == name][-1]


@pytest.mark.e2e
def test_a_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is missing: pip install -e '.[e2e]'")
    done = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_runs_as_nobody_in_particular_and_holds_no_course() -> None:
    assert int(only("USER")) > 0
    copied = " ".join(arguments for name, arguments in instructions() if name == "COPY")
    assert not re.search(r"course|solutions|tests|examples| \. ", copied)


@pytest.mark.e2e
def test_what_it_copies_is_enough_to_build_it(tmp_path: Path) -> None:
    """The first stage's commands, in a folder that holds what it copies and nothing else."""
    context = tmp_path / "source"
    context.mkdir()
    for name, arguments in instructions():
        if name == "COPY" and not arguments.startswith("--from"):
            *sources, target = arguments.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, context / target, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / source, context / target)
    (run, *_) = (arguments for name, arguments in instructions() if name == "RUN")
    place = tmp_path / "grader"
    command = run.replace("/opt/grader", str(place)).replace(
        "python -m venv", f"{sys.executable} -m venv"
    )
    done = subprocess.run(
        ["bash", "-euc", command], cwd=context, env={"EXTRAS": "", "TORCH_INDEX": "", **os.environ},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    path = {**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}"}
    started = [*json.loads(only("ENTRYPOINT")), *json.loads(only("CMD"))]
    helped = subprocess.run(started, env=path, capture_output=True, text=True, check=False)
    assert (helped.returncode, helped.stdout.startswith("Usage: grader")) == (0, True)
    which = shutil.which("grader", path=path["PATH"])
    assert which == str(place / "bin/grader")
