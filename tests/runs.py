"""Runs of the grader as a process of its own, and what they leave in an output folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.store.output import RESULTS

ROOT = Path(__file__).parents[1]
GRADER = (sys.executable, "-m", "grader.cli")


def start(
    toy: Path, folder: Path, output: Path, *more: str, grader: tuple[str, ...] = GRADER
) -> subprocess.Popen[bytes]:
    """Begin to grade a folder with the small course, in a session of its own."""
    return subprocess.Popen(
        [*grader, "check", str(folder), "--output", str(output), "--json", *more],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end and return its exit status; no traceback may reach anybody."""
    _, errors = process.communicate(timeout=180)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode


def reports(output: Path) -> dict[str, Any]:
    """Everything that a run writes for people, without what may differ."""
    book = json.loads((output / "gradebook.json").read_bytes())
    book.pop("run")
    texts = {
        str(path.relative_to(output)): path.read_bytes()
        for path in [output / "scores.csv", *sorted((output / "feedback").rglob("*.md"))]
    }
    return {"gradebook": book, **texts}


def differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """Where two reports differ, and by what."""
    if isinstance(found, dict) and isinstance(wanted, dict) and found.keys() == wanted.keys():
        pairs = [(f"{where}/{key}", found[key], wanted[key]) for key in found]
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = [
            (f"{where}/{at}", *both) for at, both in enumerate(zip(found, wanted, strict=True))
        ]
    else:
        return [] if found == wanted else [f"{where}: {found!r} instead of {wanted!r}"]
    return [line for name, one, other in pairs for line in differences(one, other, name)]


def kept(output: Path) -> int:
    """How many results an output folder holds."""
    return len(list((output / RESULTS / "runs").glob("*.json")))


def reused(output: Path) -> int:
    """How many results the last run had from earlier ones."""
    return int(json.loads((output / "gradebook.json").read_bytes())["run"]["kept"])
