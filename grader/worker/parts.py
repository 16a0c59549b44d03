"""The part of the public packages that differs between assignments, as this worker may see it.

The zygote has imported what no assignment withholds. In the worker, the files of its assignment's
own folder come first, wherever a module of theirs is imported.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from grader.jail.readable import Readable


def part_of(parts: str, assignment: str) -> str:
    """The folder of an assignment's own files; empty when there is none."""
    folder = Path(parts, assignment)
    return str(folder) if parts and assignment and folder.is_dir() else ""


def with_part(tree: Readable, part: str) -> Readable:
    """Let a worker read its assignment's folder too."""
    if not part:
        return tree
    return replace(tree, mounts=(*tree.mounts, part), readable=(*tree.readable, part))


def show_part(part: str, public: str) -> None:
    """Have modules imported from an assignment's folder, and the rest of their packages as ever.

    Args:
        part: the folder; empty when all that is public is the same for all.
        public: the folder of the public packages.
    """
    if not part:
        return
    finder = PartFinder(Path(part), Path(public))
    known = [name for name in sys.modules if finder.has(name)]
    packages = {name.partition(".")[0] for name in known}
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]  # it was imported as everybody may see it
    sys.meta_path.insert(0, finder)


class PartFinder(MetaPathFinder):
    """Finds the modules of one folder, whose packages may be in another."""

    def __init__(self, part: Path, public: Path) -> None:
        self._part = part
        self._public = public
        self._tops = {path.name.removesuffix(".py") for path in part.iterdir()}

    def has(self, name: str) -> bool:
        """Whether a module of this name is one of the folder's."""
        return self._file(name) is not None

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 (the name says it all)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return how to load a module of the folder; None for all others."""
        file = self._file(fullname)
        if file is None:
            return None
        folders = None
        if file.name == "__init__.py":
            folders = [str(file.parent), str(self._public.joinpath(*fullname.split(".")))]
        return importlib.util.spec_from_file_location(
            fullname, file, submodule_search_locations=folders
        )

    def _file(self, name: str) -> Path | None:
        if name.partition(".")[0] not in self._tops:
            return None
        place = self._part.joinpath(*name.split("."))
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if file.is_file():
                return file
        return None
