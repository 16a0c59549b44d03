"""`pyproject.toml`: which one is meant, and what its `[tool.grader]` holds."""

from __future__ import annotations

import difflib
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.errors import ConfigError

PYPROJECT = "pyproject.toml"
MAX_BYTES = 1 << 20
SUBMISSIONS = (".ipynb", ".py", ".qmd", ".md")


def find_course(start: Path, graded: Sequence[Path] = ()) -> Path:
    """Return the folder upward from `start` whose `pyproject.toml` has `[tool.grader]`.

    A course is code that runs with the rights of whoever grades, so one that may have been handed
    in is never taken: neither one that lies within what is graded, or right beside a notebook or
    script that is, nor the nearest of several.

    Args:
        start: where to begin.
        graded: the paths that are to be graded.

    Raises:
        ConfigError: there is none up to the root of the file system, or it is not plain which.
    """
    start = start.resolve()
    found = _courses(start)
    nearest = next(found, None)
    if nearest is None:
        raise ConfigError(
            "no course here: no `pyproject.toml` with a `[tool.grader]` table",
            where=f"{start} and above",
            hint="run inside a course, or name one with `--course PATH`",
        )
    for path in graded:
        real = real_path(path)
        beside = real.parent == nearest and real.suffix.lower() in SUBMISSIONS
        if beside or nearest.is_relative_to(real):
            raise ConfigError(
                "this course may be part of what is to be graded, so it is not taken unasked",
                where=str(nearest / PYPROJECT),
                hint="name the course that you trust: `--course PATH`",
            )
    further = next(found, None)
    if further is not None:
        raise ConfigError(
            f"two courses lie above this folder, the other one in {further}: which is meant?",
            where=str(nearest / PYPROJECT),
            hint=f"name it: `--course {shlex.quote(str(further))}`, if that is yours",
        )
    return nearest


def _courses(start: Path) -> Iterator[Path]:
    """Yield the courses around a folder, the nearest first.

    Raises:
        ConfigError: a file on the way to the nearest can't be read; one further up is passed over.
    """
    is_nearest = True
    for folder in (start, *start.parents):
        path = folder / PYPROJECT
        try:
            is_course = path.is_file() and read_table(path) is not None
        except ConfigError as error:
            if is_nearest:
                hint = "mend it, or name the course with `--course PATH`"
                raise ConfigError(error.message, where=error.where, hint=hint) from None
            continue
        if is_course:
            is_nearest = False
            yield folder


def real_path(path: Path) -> Path:
    """Return a path without links; as it stands where links form a loop."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def read_table(path: Path) -> Any:
    """Return `[tool.grader]` of a `pyproject.toml`, of whatever type it is; None if it has none."""
    tool = _read_toml(path).get("tool")
    return tool.get("grader") if isinstance(tool, dict) else None


def _read_toml(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"it is larger than {MAX_BYTES >> 20} MiB", where=str(path))
        table: dict[str, Any] = tomllib.loads(content.decode("utf-8").replace("\r\n", "\n"))
        return table
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or type(error).__name__) if isinstance(error, OSError) else ""
        raise ConfigError(f"it can't be read ({reason or 'not UTF-8'})", where=str(path)) from None
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"not valid TOML: {reason}", where=str(path)) from None


def nearest_key(message: str, known: Iterable[str]) -> str:
    """Name the key that an unknown one is meant to be, given what was said of it."""
    _, _, unknown = message.partition("unknown field `")
    if not unknown:
        return ""
    near = difflib.get_close_matches(unknown.partition("`")[0][:100], sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else "see docs/write-a-course.md"
