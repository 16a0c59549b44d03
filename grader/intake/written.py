"""The answers that a person marks: the cells of a submission that are called after a question.

A cell of a notebook has its name in its metadata, where nbgrader and our releases write it, as its
id, or among its tags; a cell of a script behind its `# %%`. An answer that nobody can find is not
lost: then all that was handed in stands for it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator

import msgspec

from grader.errors import IntakeError
from grader.intake.files import limit_of, too_large
from grader.intake.json_text import items, load, members, text_of
from grader.intake.markdown_cells import ENDINGS as MARKDOWN
from grader.intake.notebook import (
    limited_cells,
    plain,
    require_readable_size,
    source_of,
)
from grader.intake.reading import Reader, read_submission
from grader.intake.script import decode_script
from grader.lesson.comments import comments_of_lines
from grader.model import Question, Submission, Value

PROSE, CODE = "markdown", "code"

_MARK = re.compile(r"#[ \t]*%%+(?P<rest>.*)")
_IS_PROSE = re.compile(r"\[(?:markdown|md|raw)\]", re.I)
_WORD = re.compile(r"\w+")
MAX_MARK_CHARS = 2_000


class Piece(Value, frozen=True):
    """A cell as it is read by a person. `pictures` counts those that were pasted into it."""

    kind: str
    text: str
    pictures: int = 0


class Answer(Value, frozen=True):
    """What stands for a question: its cells, or, where none is `found`, all that was handed in."""

    pieces: tuple[Piece, ...]
    found: bool = True

    @property
    def digest(self) -> str:
        """Names what was written, whatever its cells are."""
        said = "\0".join(piece.text.strip() for piece in self.pieces)
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


def read_answers(
    submission: Submission, questions: Collection[str], reader: Reader | None = None
) -> dict[str, Answer]:
    """Return the answers to these questions, in a submission's file.

    Raises:
        IntakeError: it is gone, is another one now, or can't be read.
    """
    content = read_submission(submission, reader)
    return find_answers(content, submission.name, questions)[0]


def digests(
    submission: Submission, questions: Collection[Question], reader: Reader
) -> dict[str, str]:
    """Name the answers to these questions; none of a file that can't be read any more."""
    if not questions:
        return {}
    try:
        found = read_answers(submission, [one.id for one in questions], reader)
    except IntakeError:
        return {}
    return {question: answer.digest for question, answer in found.items()}


def find_answers(
    content: bytes, name: str, questions: Collection[str]
) -> tuple[dict[str, Answer], tuple[Piece, ...]]:
    """Return the answers to these questions, in the bytes of a file of this name, and all of it.

    Raises:
        IntakeError: it can't be read.
    """
    if len(content) > limit_of(name):
        raise too_large(len(content), limit_of(name))
    require_readable_size(content, name)
    found: dict[str, list[Piece]] = defaultdict(list)
    everything = []
    for names, piece in _cells(content, name):
        everything.append(piece)
        for question in names & set(questions):
            found[question].append(piece)
    whole = Answer(tuple(everything), found=False)
    answers = {one: Answer(tuple(found[one])) if one in found else whole for one in questions}
    return answers, whole.pieces


def _cells(content: bytes, name: str) -> Iterator[tuple[set[str], Piece]]:
    name = name.lower()
    if name.endswith(MARKDOWN):
        yield set(), Piece(PROSE, plain(decode_script(content)))
    elif name.endswith(".py"):
        yield from _of_script(decode_script(content))
    else:
        yield from _of_notebook(load(content))


def _of_notebook(notebook: dict[str, msgspec.Raw]) -> Iterator[tuple[set[str], Piece]]:
    for raw in limited_cells(notebook):
        cell = members(raw)
        source = source_of(cell)
        if source is not None:
            kind = CODE if text_of(cell.get("cell_type")) == CODE else PROSE
            pictures = len(members(cell.get("attachments")))
            yield set(_names(cell)), Piece(kind, plain(source), pictures)


def _names(cell: dict[str, msgspec.Raw]) -> Iterator[str]:
    metadata = members(cell.get("metadata"))
    said = (
        members(metadata.get("nbgrader")).get("grade_id"),
        metadata.get("name"),
        cell.get("id"),
        *(items(metadata.get("tags")) or ()),
    )
    yield from (name for one in said if (name := text_of(one)) is not None)


def _of_script(text: str) -> Iterator[tuple[set[str], Piece]]:
    marks = [span for span in comments_of_lines(text) if _MARK.match(text, *span)]
    head = text[: marks[0][0]] if marks else text
    if head.strip():
        yield set(), Piece(CODE, plain(head.strip("\n")))
    ends = [*(start for start, _ in marks[1:]), len(text)]
    for (start, end), until in zip(marks, ends, strict=False):  # no marks have one end
        said = text[start : min(end, start + MAX_MARK_CHARS)]
        body = plain(text[end:until].strip("\n"))
        prose = _IS_PROSE.search(said) is not None
        kind, body = (PROSE, _uncommented(body)) if prose else (CODE, body)
        yield set(_WORD.findall(said)), Piece(kind, body)


def _uncommented(text: str) -> str:
    """Prose without what makes it no code: `#` before each line, or quotes around all of it."""
    bare = text.strip()
    for quotes in ('"""', "'''"):
        if len(bare) >= 6 and bare.startswith(quotes) and bare.endswith(quotes):
            return bare[3:-3].strip("\n")
    return "\n".join(re.sub(r"^# ?", "", line) for line in text.split("\n"))
