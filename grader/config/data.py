"""Data files: what lies beside a notebook wherever it runs, and what hidden checks alone read.

    [tool.grader]
    data = ["handout/data"]           # a notebook reads "data/cities.csv"
    hidden_data = ["private/secret"]  # a hidden check reads data_path("others.csv")

An entry is a file or a folder of the course. It lies in a notebook's working directory under its
own name, without the folders around it: at home, in a release, in a grading, under nbgrader.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from grader.errors import ConfigError

MOST_CHARS = 1000
ENGINE = "grader"
"""What lies beside a notebook as well, where nbgrader collects it."""


def read_places(root: Path, entries: Sequence[str], key: str) -> tuple[Path, ...]:
    """Find the files and folders that a list of the course's table names.

    Args:
        root: the course's folder.
        entries: paths relative to it.
        key: what the list is called, for errors.

    Raises:
        ConfigError: one is missing, lies outside, is reached by a symbolic link, or is neither a
            file nor a folder.
    """
    return tuple(dict.fromkeys(_read_place(root, entry, key) for entry in entries))


def _read_place(root: Path, entry: str, key: str) -> Path:
    said = f"[tool.grader] {key} = {entry[:MOST_CHARS]!r}"
    inside = "name a file or folder below the folder of `pyproject.toml`, relative to that"
    if Path(entry).is_absolute() or "\\" in entry:
        raise ConfigError(f"{said} is not a relative path with `/`", hint=inside)
    parts = Path(os.path.normpath(entry)).parts
    if not entry.strip() or not parts or ".." in parts:
        raise ConfigError(f"{said} lies not below the course's folder", hint=inside)
    path = root
    try:
        for part in parts:
            path = path / part
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise ConfigError(
                    f"{said} leads through a symbolic link", where=str(path), hint="put it there"
                )
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ConfigError(f"{said} is neither a file nor a folder", hint=inside)
    except (OSError, ValueError):  # too long, or with a zero byte in it
        raise ConfigError(f"{said} does not exist", hint=inside) from None
    return path


def require_distinct_names(places: Iterable[Path], taken: Collection[str], whose: str) -> None:
    """Demand that what lies beside a notebook has names of its own.

    Args:
        places: files and folders.
        taken: names that something else has there.
        whose: notebook it is, for errors.

    Raises:
        ConfigError: two are called alike, or one as something else.
    """
    seen: dict[str, Path] = {}
    for place in places:
        if place.name in taken or place.name == ENGINE or place.name.startswith("."):
            raise ConfigError(
                f"{whose}: data can't be called `{place.name}` beside a notebook",
                where=str(place),
                hint="give it another name",
            )
        if place.name in seen:
            raise ConfigError(
                f"{whose}: two of its data are called `{place.name}` beside a notebook",
                where=f"{seen[place.name]}, {place}",
                hint="give one of them another name, or put both into one folder",
            )
        seen[place.name] = place


def require_apart(
    places: Iterable[Path], others: Iterable[Path | None], key: str, why: str
) -> None:
    """Demand that no place lies in another one, nor the other way round.

    Raises:
        ConfigError: naming both.
    """
    found = [place for place in others if place is not None]
    for place in places:
        for other in found:
            one, two = place.resolve(), other.resolve()
            if one == two or one in two.parents or two in one.parents:
                raise ConfigError(
                    f"[tool.grader] {key}: {why}",
                    where=f"{place} and {other} are not apart",
                    hint="keep them in folders side by side",
                )


def data_files(place: Path) -> Iterator[tuple[str, Path]]:
    """Every file of a place and its path beside a notebook, `data/cities.csv`, in one order.

    Caches, hidden files and what editors leave are passed over.

    Raises:
        ConfigError: there is a symbolic link, or what is neither a file nor a folder.
    """
    if not place.is_dir():
        yield place.name, place
        return
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if _counts(name))
        for name in (*folders, *sorted(filter(_counts, names))):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ConfigError(
                    "data may hold files and folders only, no links and devices",
                    where=str(path),
                    hint="put the file itself there",
                )
            if stat.S_ISREG(mode):
                yield path.relative_to(place.parent).as_posix(), path


def _counts(name: str) -> bool:
    return not name.startswith(".") and name != "__pycache__" and not name.endswith((".pyc", "~"))
