"""What runs in Gradescope's container for each submission."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grader.config.course import AssignmentConfig, Course, load_course
from grader.errors import GraderError, GraderFault
from grader.exit_status import status_of_error
from grader.gradebook import Gradebook, Score, State
from grader.intake.roster import folded_id
from grader.reports.choices import Hidden
from grader.reports.feedback import compose
from grader.reports.gradescope import encode
from grader.store.output import write_atomically
from grader.text import one_line
from grader.times import parse_time

if TYPE_CHECKING:
    from grader.pipeline import Options


LEARNER = "learner"  # Gradescope knows whose submission it is; nobody else needs to


def run(root: Path, assignment: str, hidden: Hidden) -> None:
    """Grade what lies in `ROOT/submission` and write `ROOT/results/results.json`.

    Raises:
        GraderError: there is no score; nothing is written, so that Gradescope gives none either.
    """
    course = load_course(root / "source/course")
    options = _options(course, course.assignment(assignment), root / "submission_metadata.json")
    gradebook = _grade(course, root / "submission", options)
    score = next((one for one in gradebook.scores if one.student == LEARNER), None)
    if score is None or score.state is not State.GRADED:
        raise GraderFault(_reason(gradebook, score), hint="this is neither zero nor full marks")
    feedback = compose(score, gradebook.assignments[0], gradebook.isolation, hidden)
    write_atomically(root / "results/results.json", encode(score, feedback))
    for problem in gradebook.problems:  # what is printed is for instructors alone
        print(one_line(problem.message))


class _User(msgspec.Struct):
    id: int | str = ""
    email: str = ""
    sid: str | None = None


class _Metadata(msgspec.Struct):
    """What Gradescope says of a submission, as far as we need it."""

    created_at: str = ""
    users: list[_User] = []


def _metadata(path: Path) -> _Metadata:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Metadata)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GraderFault(
            f"it can't be told when this was handed in: {reason}", where=str(path)
        ) from None


def _options(course: Course, assignment: AssignmentConfig, path: Path) -> Options:
    """Give our learner the time that Gradescope tells, and the extensions of its people."""
    from grader.gradesheets.timetables import read_extensions
    from grader.pipeline import Options
    from grader.scoring.deadlines import Row, Times

    # a person marks there what a person marks
    options = Options(assignments=(assignment.id,), jobs=1, manual=False)
    if assignment.due is None:  # then no time makes a difference
        return options
    metadata = _metadata(path)
    me = frozenset({LEARNER})
    try:
        at = parse_time(metadata.created_at)
    except ValueError:
        raise GraderFault("it can't be told when this was handed in", where=str(path)) from None
    told = Row(names=me, assignment=assignment.id, line=1, at=at)
    extensions = None
    if course.extensions is not None:
        mine = {folded_id(str(n)) for one in metadata.users for n in (one.id, one.email, one.sid)}
        found = read_extensions(course.extensions, course, narrowed=True)
        rows = (row for row in found.rows if row.names & mine)
        own = tuple(msgspec.structs.replace(row, names=me) for row in rows)
        extensions = msgspec.structs.replace(found, rows=own)
    times = Times(path=path.name, rows=(told,), by_assignment=True)
    return msgspec.structs.replace(options, times=times, extensions=extensions)


def _grade(course: Course, submission: Path, options: Options) -> Gradebook:
    from grader.pipeline import check
    from grader.reports.terminal import Progress

    with tempfile.TemporaryDirectory() as folder:
        # a folder in a folder is a student in a class, whatever the files are called
        shutil.copytree(submission, Path(folder, "class", LEARNER), symlinks=True)
        with Progress(quiet=True) as silent:
            return check([Path(folder, "class")], course, options, silent)


def _reason(gradebook: Gradebook, score: Score | None) -> str:
    reasons = [score.ending.message] if score is not None and score.ending.message else []
    reasons += [problem.message for problem in gradebook.problems]
    return "; ".join(dict.fromkeys(reasons)) or "nothing that could be graded was handed in"


def main() -> None:
    """What `run_autograder` calls: `ROOT ASSIGNMENT HIDDEN`."""
    from grader.reports.terminal import print_error

    root, assignment, hidden = sys.argv[1:]
    try:
        run(Path(root), assignment, Hidden(hidden))
    except GraderError as error:
        print_error(error)
        sys.exit(status_of_error(error))


if __name__ == "__main__":
    main()
