"""A lesson in one file: what an assignment consists of, taken apart. Nothing of it is run.

    # %% [grader]                                  what pyproject.toml could say of the assignment,
    # title = "Counting words"                     and titles of questions
    # [questions.ranking]
    # title = "The order of words"

    # %% [markdown]                                prose and plain cells: students get them
    # %% solution                                  an answer: students get its stub

    # %% check public question=counts points=1     checks that students have,
    # %% check hidden question=counts points=2     and checks that they have not
    def test_words_that_repeat(submission, reference, rng):
        '''Counts words that repeat

        Hint: Add one for each time that a word comes.
        '''

    # %% mutant counts_once loses=counts           a wrong answer and what it must lose: its
    def count_words(words): ...                    definitions, or one replacement in the answer:
    # %% mutant digits loses=words replace="isalpha" by="isalnum"

    # %% fake by_heart at_most=1                   a whole answer that only pretends
    # %% style counter                             a whole right answer in another style

Points stand in the marker, where the functions of the cell share them; or with the question in the
header, where all functions of the question share them that have none; or in `@check(points=…)`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import ReleaseError, SuiteError
from grader.lesson.answers import WholeCell, WrongCell, read_fake, read_mutant, read_style
from grader.lesson.cells import ENDINGS, NOTEBOOK, SourceCell, read_source, read_text
from grader.lesson.functions import (
    CheckFunction,
    Helper,
    parse_plain,
    reject_forgotten,
    split_cell,
)
from grader.lesson.header import KIND, Header, header_of
from grader.lesson.values import in_words, number_of, require_keys, require_known_word, text_of
from grader.model import Value

APART = ("mutant", "fake", "style")
_CARRIES = re.compile(r"^# ?%%\s*(?:\[grader\]|check\b|mutant\b)", re.M)
_NUMBER = re.compile(r"^\d+[_-]")


class QuestionHead(Value, frozen=True):
    """A question as the header or a marker names it."""

    id: str
    title: str
    points: float | None = None
    bonus: bool = False


class CheckCell(Value, frozen=True):
    """A cell of checks. `functions` have their points; `helpers` are all else in it."""

    cell: SourceCell
    public: bool
    question: str
    functions: tuple[CheckFunction, ...]
    helpers: tuple[Helper, ...]


class OneFile(Value, frozen=True):
    """What a lesson in one file carries.

    Attributes:
        path: the file.
        header: what it says of the assignment.
        questions: in the order in which checks ask them.
        cells: those that notebooks are made of, in their order, with the check cells.
    """

    path: Path
    header: Header
    questions: tuple[QuestionHead, ...]
    cells: tuple[SourceCell, ...]
    checks: tuple[CheckCell, ...]
    mutants: tuple[WrongCell, ...]
    fakes: tuple[WholeCell, ...]
    styles: tuple[WholeCell, ...]

    @property
    def assignment(self) -> str:
        """Whose lesson it is: `01_words.py` is that of `words`."""
        return assignment_of(self.path)


def assignment_of(path: Path) -> str:
    """`01_embeddings.py` is the lesson of `embeddings`."""
    return _NUMBER.sub("", path.stem)


def lesson_files(folder: Path) -> list[Path]:
    """The lessons in a folder, in the order of their names.

    A notebook beside a script of its name is the same lesson: Jupytext keeps such pairs.
    """
    found = [path for path in folder.iterdir() if path.suffix in ENDINGS and path.is_file()]
    scripts = {path.stem for path in found if path.suffix != NOTEBOOK}
    return sorted(path for path in found if path.suffix != NOTEBOOK or path.stem not in scripts)


def carries_assignment(path: Path) -> bool:
    """Whether a lesson carries checks, mutants or a header, and so is one file for everything.

    Raises:
        ReleaseError: it can't be read.
    """
    text = read_text(path)
    if path.suffix != NOTEBOOK:
        return _CARRIES.search(text) is not None
    return any(
        cell.marker.kind == KIND or cell.marker.words[:1] in (("check",), ("mutant",))
        for cell in read_source(path)
    )


def read_one_file(path: Path) -> OneFile:
    """Take a lesson in one file apart.

    Raises:
        ReleaseError, SuiteError: with `file:line` of what can't be used.
    """
    cells = read_source(path)
    for cell in cells:
        require_known_word(cell)
        _require_python(cell)
    header = header_of(cells, path)
    questions = _questions(header)
    marked = _each(cells, "check", _check)
    _reject_unused(header, marked)
    checks = _with_points(marked, questions)
    _reject_two_alike(checks)
    reject_forgotten([one.cell for one in checks])
    asked = _asked(checks, questions)
    names = [question.id for question in asked]
    return OneFile(
        path=path,
        header=header,
        questions=asked,
        cells=tuple(cell for cell in cells if cell.marker.kind != KIND and word(cell) not in APART),
        checks=checks,
        mutants=tuple(_each(cells, "mutant", lambda cell: read_mutant(cell, names))),
        fakes=tuple(_each(cells, "fake", read_fake)),
        styles=tuple(_each(cells, "style", read_style)),
    )  # fmt: skip


def word(cell: SourceCell) -> str:
    """What a cell is by its first word; empty for a plain one."""
    return cell.marker.words[0] if cell.marker.words else ""


def _require_python(cell: SourceCell) -> None:
    """Demand that a plain cell can be run, if it is not there to fail."""
    fails = "raises-exception" in cell.marker.values.get("tags", ())
    if cell.marker.kind == "code" and not (cell.marker.words or fails or _is_answer(cell)):
        parse_plain(cell)


def _is_answer(cell: SourceCell) -> bool:
    return word(cell) == "solution" or "solution" in cell.marker.values


def _each(cells: Sequence[SourceCell], kind: str, read: Callable[[SourceCell], Any]) -> list[Any]:
    return [read(cell) for cell in cells if word(cell) == kind and cell.marker.kind == "code"]


# ---------------------------------------------------------------- the header


class _QuestionTable(msgspec.Struct, forbid_unknown_fields=True):
    title: str = ""
    points: float | None = None
    bonus: bool = False


def _questions(header: Header) -> dict[str, QuestionHead]:
    """Questions as the header names them: a title each, or a table."""
    found: dict[str, QuestionHead] = {}
    if not isinstance(header.questions, dict):
        where = header.place_of("questions")
        raise ReleaseError("`questions` is no table", where=where, hint="[questions.NAME]")
    for name, value in header.questions.items():
        where = header.place_of("questions", name)
        try:
            one = msgspec.convert(
                {"title": value} if isinstance(value, str) else value, _QuestionTable
            )
        except msgspec.ValidationError as error:
            place = header.place_of_error(str(error), "questions", name)
            raise ReleaseError(
                f"question `{name}`: {error}", where=place, hint="it has title, points and bonus"
            ) from None
        _require_question_name(name, where)
        found[name] = QuestionHead(name, one.title or in_words(name), one.points, one.bonus)
    return found


def _require_question_name(name: str, where: str) -> None:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise SuiteError(
            f"`{name}` is no name for a question",
            where=where,
            hint="small letters, digits and `_`",
        )


def _reject_unused(header: Header, marked: Sequence[_Marked]) -> None:
    """Demand that what the header says of a question concerns a check."""
    asked = [one for one in marked if one.check.functions]
    names = dict.fromkeys(one.check.question for one in asked)
    lacking = {one.check.question for one in asked if one.points is None and one.bare}
    for name, said in header.questions.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"write `# %% check hidden question={name}` for it, or leave it out here"
            raise SuiteError(
                f"no check asks the question `{name}`",
                where=header.place_of("questions", name),
                hint=f"did you mean `{near[0]}`?" if near else hint,
            )
        points = said.get("points") if isinstance(said, dict) else None
        if name not in lacking:
            own = [one for one in asked if one.check.question == name]
            place = header.place_of("questions", name, "points")
            _require_agreement(points, own, "the header", place)


# ---------------------------------------------------------------- checks


class _Marked(Value, frozen=True):
    check: CheckCell
    points: float | None
    title: str

    @property
    def bare(self) -> tuple[CheckFunction, ...]:
        """Those of its functions that say no points of their own."""
        return tuple(one for one in self.check.functions if not one.decorated)

    @property
    def own(self) -> float | None:
        """What its cell earns without the header; None where that is not written as a number."""
        own = [one.own_points for one in self.check.functions if one.decorated]
        shared = [self.points] if self.bare else []
        said = [points for points in (*own, *shared) if points is not None]
        return math.fsum(said) if len(said) == len(own) + len(shared) else None


def _check(cell: SourceCell) -> _Marked:
    keys = ("question", "points", "title")
    words = require_keys(cell, keys, words=2)
    if words[1:] not in (("public",), ("hidden",)):
        raise SuiteError(
            "a cell of checks is public or hidden",
            where=cell.where,
            hint="write `# %% check public …` or `# %% check hidden …`",
        )
    functions, helpers = split_cell(cell)
    public = words[1] == "public"
    _reject_what_students_lack(cell, functions if public else ())
    question = text_of(cell, "question")
    if functions and not question:
        raise SuiteError(
            f"`{functions[0].name}` belongs to no question",
            where=cell.where,
            hint="name it in the marker: # %% check hidden question=NAME points=2",
        )
    if question:
        _require_question_name(question, cell.where)
    check = CheckCell(
        cell=cell, public=public, question=question, functions=functions, helpers=helpers
    )
    marked = _Marked(check, number_of(cell, "points"), text_of(cell, "title"))
    _reject_without_check(marked)
    return marked


def _reject_without_check(marked: _Marked) -> None:
    """Demand that what a marker says of a question concerns a check in its cell."""
    said = next(
        (key for key in ("points", "title", "question") if key in marked.check.cell.marker.values),
        "",
    )
    if said and not marked.check.functions:
        raise SuiteError(
            f"this cell has no check, and its marker says `{said}`",
            where=marked.check.cell.where,
            hint="a check is a function whose name begins with `test`; what only helps needs none",
        )
    if not marked.bare:
        _require_agreement(marked.points, [marked], "the marker", marked.check.cell.where)


def _require_agreement(
    points: float | None, marked: Sequence[_Marked], who: str, where: str
) -> None:
    """Demand that points that nobody shares are those that checks have of their own."""
    own = [one.own for one in marked]
    if points is None or None in own or math.isclose(points, total := math.fsum(filter(None, own))):
        return
    raise SuiteError(
        f"{who} says {points:g} points, and the checks have {total:g} of their own",
        where=where,
        hint="say the points once",
    )


def _reject_what_students_lack(cell: SourceCell, functions: Sequence[CheckFunction]) -> None:
    for function in functions:
        if "reference" in function.fixtures:
            raise SuiteError(
                f"`{function.name}` is public and asks for the reference, which students have not",
                where=f"{cell.file}:{function.line}",
                hint="write down what must come out, or make the check hidden",
            )


def _with_points(
    marked: Sequence[_Marked], questions: dict[str, QuestionHead]
) -> tuple[CheckCell, ...]:
    """Share points among the functions that have none of their own; titles go to `questions`."""
    lacking: dict[str, int] = {}
    for one in marked:
        question = one.check.question
        if one.title:
            known = questions.get(question, QuestionHead(question, one.title))
            if known.title not in (one.title, in_words(question)):
                raise SuiteError(
                    f"question `{question}` has two titles", where=one.check.cell.where,
                    hint=f"the other one is “{known.title}”",
                )  # fmt: skip
            questions[question] = msgspec.structs.replace(known, title=one.title)
        if one.points is None:
            lacking[question] = lacking.get(question, 0) + len(one.bare)
    return tuple(_shared(one, questions.get(one.check.question), lacking) for one in marked)


def _shared(one: _Marked, head: QuestionHead | None, lacking: dict[str, int]) -> CheckCell:
    bare = one.bare
    points, number = one.points, len(bare)
    if points is None and head is not None:
        points, number = head.points, lacking[one.check.question]
    if bare and points is None:
        raise SuiteError(
            f"`{bare[0].name}` earns no points",
            where=f"{one.check.cell.file}:{bare[0].line}",
            hint="write them into the marker: # %% check hidden question=NAME points=2",
        )
    functions = tuple(
        function
        if function.decorated or points is None
        else msgspec.structs.replace(function, points=points / number)
        for function in one.check.functions
    )
    return msgspec.structs.replace(one.check, functions=functions)


def _asked(
    checks: Sequence[CheckCell], questions: dict[str, QuestionHead]
) -> tuple[QuestionHead, ...]:
    names = dict.fromkeys(one.question for one in checks if one.functions)
    return tuple(questions.get(name) or QuestionHead(name, in_words(name)) for name in names)


def _reject_two_alike(checks: Sequence[CheckCell]) -> None:
    seen: dict[str, str] = {}
    for one in checks:
        for function in one.functions:
            where = f"{one.cell.file}:{function.line}"
            if function.name in seen:
                raise SuiteError(
                    f"two checks are called `{function.name}`",
                    where=f"{where} and {seen[function.name]}",
                    hint="a check's name is its id: rename one",
                )
            seen[function.name] = where
