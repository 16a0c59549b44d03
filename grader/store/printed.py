"""What notebooks printed, which a gradebook leaves out: kept so that feedback can be written anew.

    OUTPUT/.results/printed.json

It is about the gradebook beside it: one text for each score whose notebook printed something.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.gradebook import Gradebook
from grader.model import Value
from grader.store.output import PRIVATE, RESULTS, write_atomically

NAME = "printed.json"


class Printed(Value, frozen=True):
    """What the notebook of this digest printed."""

    student: str
    assignment: str
    digest: str
    output: str


def keep(gradebook: Gradebook, folder: Path, mode: int = PRIVATE) -> None:
    """Keep what the notebooks of all scores printed.

    Raises:
        GraderError: it can't be written.
    """
    found = [
        Printed(_text(one.student), one.assignment, one.digest, _text(one.output))
        for one in gradebook.scores
        if one.output.strip()
    ]
    path = folder / RESULTS / NAME
    if found or path.is_file():
        write_atomically(path, msgspec.json.encode(found), durable=False, mode=mode)


def restore(gradebook: Gradebook, folder: Path) -> Gradebook:
    """Return a gradebook that was read with what its notebooks printed, as far as that is known."""
    try:
        content = (folder / RESULTS / NAME).read_bytes()
        found = msgspec.json.decode(content, type=tuple[Printed, ...])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return gradebook  # nothing but the end of the feedback files is lost
    known = {(one.student, one.assignment, one.digest): one.output for one in found}
    scores = tuple(
        msgspec.structs.replace(
            one, output=known.get((one.student, one.assignment, one.digest), one.output)
        )
        for one in gradebook.scores
    )
    return msgspec.structs.replace(gradebook, scores=scores)


def _text(value: str) -> str:
    """A text without what UTF-8 can't hold, as the gradebook writes it."""
    return value.encode("utf-8", "replace").decode("utf-8")
