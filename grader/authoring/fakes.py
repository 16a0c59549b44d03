"""Fakes: answers that do none of the work, each with the most that it may earn.

A fake is a whole submission, with a header in the form of inline script metadata (PEP 723):

    # solutions/fakes/blocks/noise.py
    # /// fake
    # pretends = "every output is noise of size 1e-6"
    # at_most = 0.5
    # ///
    class TransformerBlock(nn.Module): ...

What several fakes have in common stands in a file of its own, whose name begins with `_`, and
`after = "_looks.py"` in the header puts it before them. Or, where all is right but one thing is
dead, a fake is edits of the reference as in a mutant's file:

    # solutions/fakes/blocks/dead_weights.toml
    pretends = "attention looks everywhere alike"
    at_most = 2.5

    [[edit]]
    in = "scaled_dot_product_attention"
    old = '''weights = scores.softmax(dim=-1)'''
    new = '''weights = torch.full_like(scores, 1 / scores.size(-1))'''
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from grader.authoring.lessons import lesson_path, read_lesson
from grader.authoring.mutants import Edit, make_edits, require_known_folders
from grader.authoring.release import solution_sources
from grader.config.course import Course
from grader.errors import SuiteError
from grader.lesson.one_file import read_one_file
from grader.model import Value

HEADER = re.compile(r"^# /// fake$\n((?:^#(?:| .*)$\n)+?)^# ///$", re.MULTILINE)


class Fake(Value, frozen=True):
    """An answer that pretends.

    Attributes:
        assignment, name: whose fake; its file's stem.
        pretends: what it does instead of the work.
        at_most: points that it may earn, public and bonus ones included.
        source: its text; empty if `answers` says what is edited.
        answers: the reference's answers by name, edited.
        is_whole: whether the text is a whole submission, as a file is; a lesson's cell and edits
            come after what the lesson gives.
    """

    assignment: str
    name: str
    pretends: str
    at_most: float
    source: str = ""
    answers: dict[str, str] = msgspec.field(default_factory=dict)
    is_whole: bool = False


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    pretends: str
    at_most: float
    after: str = ""
    edit: tuple[Edit, ...] = ()


def load_fakes(course: Course, assignment: str) -> tuple[Fake, ...]:
    """Read the fakes of one assignment, by name.

    Raises:
        SuiteError: naming the file: it is malformed, its folder names no assignment, or an edit's
            text is not found exactly once.
    """
    found = list(_in_lesson(course, assignment))
    if course.fakes is not None:
        require_known_folders(course, course.fakes, "fakes", ["*.py", "*.toml"])
        folder = course.fakes / assignment
        paths = sorted([*folder.glob("[!_]*.py"), *folder.glob("*.toml")])
        found += [_read(course, assignment, path) for path in paths]
    return tuple(found)


def _in_lesson(course: Course, assignment: str) -> Iterator[Fake]:
    """The fakes that are cells of a lesson in one file."""
    path = course.one_file.get(assignment)
    for one in () if path is None else read_one_file(path).fakes:
        yield Fake(assignment, one.name, one.pretends, one.at_most or 0.0, one.cell.source)


def _read(course: Course, assignment: str, path: Path) -> Fake:
    text = path.read_text(encoding="utf-8")
    edits_reference = path.suffix == ".toml"
    header = _decode(text if edits_reference else _header(text, path), path)
    if not header.pretends:
        raise SuiteError("`pretends` is empty", where=str(path))
    if not (math.isfinite(header.at_most) and header.at_most >= 0):
        raise SuiteError(f"`at_most` is {header.at_most:g}: no number of points", where=str(path))
    if bool(header.edit) != edits_reference:
        missing = "there is no `[[edit]]`" if edits_reference else "a script has no `[[edit]]`"
        raise SuiteError(missing, where=str(path))
    answers: dict[str, str] = {}
    if edits_reference:
        lesson = read_lesson(lesson_path(course, assignment))
        answers = make_edits(header.edit, solution_sources(course, lesson), str(path))
    return Fake(
        assignment=assignment,
        name=path.stem,
        pretends=header.pretends,
        at_most=header.at_most,
        source="" if edits_reference else _common(header.after, path) + text,
        answers=answers,
        is_whole=not edits_reference,
    )


def _header(text: str, path: Path) -> str:
    found = HEADER.findall(text)
    if len(found) != 1:
        raise SuiteError(
            f"a fake has one header `# /// fake`, this file has {len(found)}",
            where=str(path),
            hint='start it with # /// fake, # pretends = "…", # at_most = 1.0, # ///',
        )
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in found[0].splitlines())


def _common(name: str, path: Path) -> str:
    """What a fake has in common with others; empty if it names no such file."""
    if not name:
        return ""
    common = path.parent / name
    if common.name != name or not name.startswith("_") or not common.is_file():
        hint = "a file beside it whose name begins with `_`"
        raise SuiteError(f"`after` names no such file: `{name}`", where=str(path), hint=hint)
    return common.read_text(encoding="utf-8") + "\n\n"


def _decode(text: str, path: Path) -> _Header:
    try:
        return msgspec.toml.decode(text, type=_Header)
    except (msgspec.DecodeError, ValueError) as error:
        raise SuiteError(f"not a fake: {error}", where=str(path)) from None
