"""What workers read of a course, laid out where they may read it, whoever they run as.

STATE/public/               the public packages
STATE/parts/ASSIGNMENT/     what of them is an assignment's own: see `withholding.py`
STATE/data/NUMBER/NAME      a file or folder of data, once for all assignments and submissions
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grader.config.data import data_files
from grader.judging.withholding import withhold


def stage_packages(
    packages: Sequence[Path], folder: Path, data: Mapping[str, Sequence[Path]]
) -> Path:
    """Copy public packages and modules; data in them lies beside the notebooks instead.

    Args:
        packages: folders and files.
        folder: where to; it is made.
        data: places of data by assignment.
    """
    folder.mkdir()
    places = {place for own in data.values() for place in own}
    usual = shutil.ignore_patterns("__pycache__", ".*")

    def left_out(parent: str, names: list[str]) -> set[str]:
        return usual(parent, names) | {name for name in names if Path(parent, name) in places}

    for package in packages:
        if package.is_dir():
            shutil.copytree(package, folder / package.name, ignore=left_out)
        else:
            shutil.copy(package, folder / package.name)
    _open_to_workers(folder)
    return folder


def withhold_answers(
    public: Sequence[Path],
    staged: Path,
    parts: Path,
    withheld: Mapping[str, Sequence[str]],
    sites: Sequence[str],
) -> Iterator[Path]:
    """Withhold what answers an assignment; return where else it may lie that a worker can read.

    Raises:
        ConfigError: something of it can't be withheld.
    """
    concerned = withhold(staged, parts, withheld)
    _open_to_workers(parts)
    folders = [*(package.parent for package in public), *map(Path, sites)]
    found = (folder / path for folder in folders for path in concerned)
    return (path for path in found if path.exists())


def stage_data(
    data: Mapping[str, Sequence[Path]], folder: Path
) -> dict[str, list[tuple[str, str]]]:
    """Copy data to where nobody may change it.

    Args:
        data: places by assignment.
        folder: where to; it is made if there is any.

    Returns:
        For each assignment that has data, where a place is now and its name beside the notebook.

    Raises:
        ConfigError: there is a link or a device among it. OSError: it can't be copied.
    """
    staged: dict[Path, Path] = {}
    for place in (place for own in data.values() for place in own):
        if place not in staged:
            staged[place] = folder / str(len(staged)) / place.name
            _copy_read_only(place, staged[place])
    return {
        assignment: [(str(staged[place]), place.name) for place in own]
        for assignment, own in data.items()
        if own
    }


def _copy_read_only(place: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.parent.parent.chmod(0o755)
    if place.is_dir():
        target.mkdir()
    for name, path in data_files(place):
        copy = target.parent / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o444)
    for path in (target.parent, *target.parent.rglob("*")):
        if path.is_dir():
            path.chmod(0o555)


def _open_to_workers(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
