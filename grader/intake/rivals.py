"""Which of a student's files for one assignment could really be the answer.

A repository holds more than an answer: tests, a package, an export of the notebook, the script that
Jupytext keeps beside it, helper modules whose names mention the assignment. None of them competes
with the notebook. Where two files are left, it can't be told, and nobody guesses.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Sequence

from grader.intake.listing import is_document
from grader.intake.markdown_cells import ENDINGS as MARKDOWN
from grader.intake.matching import Matcher
from grader.intake.owners import Held, stem
from grader.intake.walker import MISNAMED
from grader.model import Value
from grader.names import identity
from grader.text import shown_name

_TEST_FILE = re.compile(
    r"(?:tests?[_.-].*|.*[_-]tests?|tests?|conftest|setup|noxfile|tasks)\.py", re.I
)
_TEST_FOLDERS = frozenset({"tests", "test", "testing"})
# what tools add to a notebook's name when they make another one of it
_EXPORTED = re.compile(r"(?:\.nbconvert|[-_.]checkpoint)$", re.I)
# The head of a script that Jupytext or nbconvert has written.
_WRITTEN_BY_TOOL = re.compile(rb"\A(?:\s|#[^\n]*\n)*?#[ \t]*(?:jupytext:|In ?\[[ \d]*\]:|%%)", re.I)
_HEAD_BYTES = 4096


class Evidence(enum.IntEnum):
    """What says that a file is for an assignment, the weakest first."""

    ONLY_FILE = 1
    FOLDER = 2
    NAME = 3
    METADATA = 4


class Claim(Value, frozen=True):
    """A file and what it is for. `digest` is empty when the file can't be used: `refused`.

    exported: it looks as if a tool had made it of a notebook.
    """

    held: Held
    digest: str = ""
    refused: str = ""
    hint: str = ""
    assignment: str = ""
    evidence: Evidence = Evidence.ONLY_FILE
    exported: bool = False

    @property
    def entry(self) -> str:
        """What to call the file."""
        return shown_name(self.held.node.entry)

    @property
    def is_script(self) -> bool:
        """Whether it is text; everything else is a notebook, or was meant to be one."""
        return is_script(self.held.node.name)


def is_script(name: str) -> bool:
    """Whether a file of this name is text: a script, or a notebook that is kept as Markdown."""
    return name.lower().endswith((".py", *MARKDOWN))


def looks_exported(content: bytes) -> bool:
    """Whether a script begins as those do that a tool makes of a notebook."""
    return _WRITTEN_BY_TOOL.match(content[:_HEAD_BYTES]) is not None


def packages_of(files: Sequence[Held]) -> frozenset[tuple[str, ...]]:
    """Return the folders that are Python packages."""
    return frozenset(held.node.parts[:-1] for held in files if held.node.name == "__init__.py")


def is_aside(held: Held, packages: Collection[tuple[str, ...]]) -> bool:
    """Whether a file is a test, part of a package or of a project's tools, or notes: no answer."""
    folders = held.node.parts[:-1]
    if is_document(held.node.name):
        return True
    if any(folder.casefold() in _TEST_FOLDERS for folder in folders):
        return True
    in_package = any(folders[:depth] in packages for depth in range(1, len(folders) + 1))
    return is_script(held.node.name) and (
        in_package or _TEST_FILE.fullmatch(held.node.name) is not None
    )


def choose_rivals(
    claims: Sequence[Claim],
    student: str,
    matcher: Matcher,
    aside: Collection[Held],
    handed_out: Collection[str] = (),
) -> list[Claim]:
    """Return the claims that could really be the answer.

    Args:
        claims: files for one assignment, at least one.
        student: whose they are.
        matcher: finds assignments in names.
        aside: tests and packages.
        handed_out: digests of notebooks as the course gives them out.
    """
    left = [one for one in claims if one.held not in aside] or list(claims)
    left = [one for one in left if one.digest not in handed_out] or left
    notebooks = [one for one in left if not one.is_script]
    left = [one for one in left if not _is_export(one, notebooks)] or left
    strongest = _strongest(left)
    notebooks = [one for one in strongest if not one.is_script]
    return [
        one
        for one in strongest
        if not (one.is_script and notebooks and _is_helper(one, student, matcher))
    ]


def _is_export(claim: Claim, notebooks: Sequence[Claim]) -> bool:
    """Whether a file was made of one of the notebooks: paired with it, or exported from it."""
    base = _base(claim)
    others = [one for one in notebooks if one is not claim]
    if claim.is_script:
        readable = [one for one in others if not one.refused]
        return any(_base(one) == base for one in others) or (claim.exported and bool(readable))
    name = claim.held.node.name.lower()
    if name.endswith(MISNAMED):
        return any(_base(one) == base and _is_proper(one) for one in others)
    original = _EXPORTED.sub("", base)
    return original != base and any(_base(one) == original for one in others)


def _is_proper(claim: Claim) -> bool:
    return claim.held.node.name.lower().endswith(".ipynb")


def _base(claim: Claim) -> str:
    return identity(stem(claim.held.node.name))


def _strongest(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims with the best evidence; of what only a folder assigns, the notebooks.

    A notebook that can't be read may have metadata as good as any.
    """
    best = max(one.evidence for one in claims)
    if best < Evidence.NAME:
        return [one for one in claims if not one.is_script] or list(claims)
    return [
        one
        for one in claims
        if one.evidence >= best
        or (one.refused and not one.is_script and one.evidence >= Evidence.NAME)
    ]


def _is_helper(claim: Claim, student: str, matcher: Matcher) -> bool:
    """Whether a script's name says more than an assignment and whose it is: `embeddings_utils`."""
    owner = identity(matcher.read(stem(claim.held.node.name)).owner)
    known = identity(student)
    return bool(owner) and owner not in (known, known.rpartition("_")[0], known.rpartition("_")[2])


def in_order(claims: Sequence[Claim]) -> list[Claim]:
    """Return claims as one student's attempts, the first one first; nothing if they are not."""
    if not are_attempts([claim.held for claim in claims]):
        return []
    return sorted(claims, key=lambda claim: claim.held.node.origin.attempt)


def are_attempts(files: Sequence[Held]) -> bool:
    """Whether several files are one student's attempts at the same.

    Each must have a place of its own in the order, and those that came together be of one name.
    """
    origins = [held.node.origin for held in files]
    places = {origin.attempt for origin in origins}
    names = {(origin.attempt[:-2], origin.series) for origin in origins}
    rounds = {name[0] for name in names}
    return 1 < len(origins) == len(places) and all(places) and len(names) == len(rounds)
