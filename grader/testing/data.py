"""Where checks find data files: those beside the notebook, and those that are for checks alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.errors import SuiteError


@dataclass(frozen=True)
class CourseData:
    """The places of a course's data, where a judge knows them.

    Attributes:
        beside: files and folders beside the notebooks, by assignment.
        hidden: files and folders for checks alone.
        assignment: whose checks are run; None while they are read.
    """

    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: Sequence[str] = ()
    assignment: str | None = None

    def use(self) -> None:
        """Let `data_path` look there from now on."""
        global _known
        _known = self

    def find(self, name: str) -> set[Path]:
        """Every file or folder that is called so beside a notebook, or in a hidden folder."""
        parts = PurePosixPath(name).parts
        own = [self.beside.get(self.assignment, ())] if self.assignment else self.beside.values()
        hidden_files = [place for place in self.hidden if Path(place).is_file()]
        named = [*(place for some in own for place in some), *hidden_files]
        found = {Path(place, *parts[1:]) for place in named if Path(place).name == parts[0]}
        found |= {Path(place, *parts) for place in self.hidden}
        return {path for path in found if path.exists()}


_known: CourseData | None = None


def data_path(name: str) -> Path:
    """Return where a data file lies, for a check to open it.

        CITIES = data_path("data/cities.csv").read_text()   # what a notebook reads as that
        OTHERS = data_path("others.csv").read_text()        # in a folder of `hidden_data`

    A submission can read the first, under that name, and never the second: hand over what is in it.

    Args:
        name: a path as the notebook has it, or one within a folder of `hidden_data`; a file that
            `hidden_data` names itself has its own name.

    Raises:
        SuiteError: there is none, or more than one.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise SuiteError(f"`{name}` is no name of a data file", hint="such as data/cities.csv")
    if _known is None:  # in a notebook
        if Path(name).exists():
            return Path(name)
        raise SuiteError(
            f"there is no `{name}` here",
            where=str(Path.cwd()),
            hint="start the notebook in its own folder, with all that came with it",
        )
    found = sorted(_known.find(name))
    if len(found) == 1:
        return found[0]
    if found:
        hint = "give them different names, or ask for it inside of the check"
        raise SuiteError(f"`{name}` is more than one", where=", ".join(map(str, found)), hint=hint)
    raise SuiteError(
        f"no data file is called `{name}`",
        where="`data` and `hidden_data` of [tool.grader]",
        hint='a file in `data = ["handout/data"]` is "data/NAME", one in `hidden_data` is "NAME"',
    )
