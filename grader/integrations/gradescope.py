"""Grading inside Gradescope: the archive that it wants, and what runs there for each submission.

    setup.sh            installs Python packages, once for an image
    run_autograder      runs this module for a submission
    requirements.txt    what this engine needs, for any version of Python that it supports
    grader/             this engine
    course/             the course, as far as this assignment needs it: hidden checks, the reference

The archive holds hidden checks: it is for Gradescope alone.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grader import policy_table
from grader.config import AssignmentConfig, Course, load_course
from grader.errors import ConfigError, GraderError, GraderFault
from grader.model import Gradebook, Score, State
from grader.reports.feedback import Hidden, compose
from grader.reports.gradescope import encode
from grader.reports.text import one_line
from grader.store import write_atomically
from grader.times import read_time

if TYPE_CHECKING:
    from grader.pipeline import Options

LEARNER = "learner"  # Gradescope knows whose submission it is; nobody else needs to
EXTENSIONS = "extensions.csv"
LEFT_OUT = frozenset({"__pycache__", "templates", "nbgrader"})

SETUP = """\
#!/usr/bin/env bash
# Runs once, when Gradescope builds the image. For a smaller image without GPU packages, set
# TORCH_INDEX to the CPU index that pytorch.org shows under "Get started".
set -euo pipefail
TORCH_INDEX=${TORCH_INDEX:-}
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv
python3 -m venv /autograder/venv
cd /autograder/source
for file in requirements.txt course/*/requirements.txt; do
    test ! -f "$file" || /autograder/venv/bin/python -m pip install \\
        ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r "$file"
done
"""

RUN = """\
#!/usr/bin/env bash
# Runs for each submission; writes results/results.json, or fails without a score.
root=${{AUTOGRADER_ROOT:-/autograder}}
python=${{AUTOGRADER_PYTHON:-$root/venv/bin/python}}
cd "$root/source/course" || exit 1
export PYTHONPATH="$root/source"
exec "$python" -m grader.integrations.gradescope "$root" {assignment} {hidden}
"""


def package(course: Course, assignment: AssignmentConfig, hidden: Hidden) -> bytes:
    """Return the archive for one assignment; the same course gives the same bytes.

    Raises:
        ConfigError: the course lies in places that can't be packed.
    """
    members = {
        "setup.sh": SETUP.encode(),
        "run_autograder": RUN.format(assignment=assignment.id, hidden=hidden.value).encode(),
        "requirements.txt": "".join(f"{line}\n" for line in _requirements()).encode(),
        "course/pyproject.toml": _table(course, assignment).encode(),
    }
    members.update(_engine())
    members.update(_course_files(course, assignment))
    if course.extensions is not None:
        members[f"course/{EXTENSIONS}"] = course.extensions.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, whatever this is made on
            executable = name in ("setup.sh", "run_autograder")
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(info, members[name])
    return stream.getvalue()


def _requirements() -> Iterator[str]:
    """What the engine itself needs; versions are open, for the image has a Python of its own."""
    command = entry_points(group="console_scripts")["grader"]
    for line in sorted((command.dist and command.dist.requires) or ()):
        if "extra ==" not in line:
            yield line


def _engine() -> Iterator[tuple[str, bytes]]:
    top = Path(__file__).parents[1]
    for path in sorted(top.rglob("*")):
        relative = path.relative_to(top)
        if path.is_file() and not LEFT_OUT & set(relative.parts) and path.suffix != ".pyc":
            yield f"grader/{relative.as_posix()}", path.read_bytes()


def _course_files(course: Course, assignment: AssignmentConfig) -> Iterator[tuple[str, bytes]]:
    places = (
        course.checks, course.suites, course.reference, *course.public, *course.known_answers
    )  # fmt: skip
    for place in places:
        if place is None:
            continue
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in files:
            if path.is_file() and _is_needed(path, course, assignment):
                yield f"course/{_relative(path, course)}", path.read_bytes()


def _is_needed(path: Path, course: Course, assignment: AssignmentConfig) -> bool:
    if path.suffix in (".pyc", ".ipynb") or "__pycache__" in path.parts:
        return False
    of_checks = path.parent in (course.checks, course.suites) and path.name.startswith("test_")
    return not of_checks or path.name == f"test_{assignment.id}.py"


def _relative(path: Path, course: Course) -> str:
    below = path.is_relative_to(course.root) and ".." not in path.parts
    if not below:
        raise ConfigError(
            "this lies outside of the course's folder and can't be packed",
            where=str(path),
            hint="move it below the folder of `pyproject.toml`",
        )
    return path.relative_to(course.root).as_posix()


def _table(course: Course, assignment: AssignmentConfig) -> str:
    """`[tool.grader]` with this assignment alone. A JSON string is one of TOML too."""

    def line(key: str, value: object) -> str:
        return f"{key} = {json.dumps(value, ensure_ascii=False)}"

    places = {"checks": course.checks, "suites": course.suites, "reference": course.reference}
    limits = course.limits
    lines = [
        "[tool.grader]",
        line("id", course.id),
        line("title", course.title),
        *(line(key, _relative(path, course)) for key, path in places.items() if path is not None),
        line("public", [_relative(path, course) for path in course.public]),
        line("known_answers", [_relative(path, course) for path in course.known_answers]),
        line("preload", list(course.preload)),
        line("preload_later", list(course.preload_later)),
        *([line("timezone", course.timezone)] if course.timezone else []),
        *([line("extensions", EXTENSIONS)] if course.extensions else []),
        "[tool.grader.limits]",
        *(line(key, getattr(limits, key)) for key in ("wall_s", "cell_s", "check_s")),
        line("memory", f"{limits.memory_bytes >> 10} KiB"),
        *policy_table.lines(assignment.policy),
        "[[tool.grader.assignments]]",
        line("id", assignment.id),
        line("title", assignment.title),
        line("aliases", list(assignment.aliases)),
        line("withheld", list(assignment.withheld)),
        *([line("due", assignment.due)] if assignment.due else []),
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- inside Gradescope


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
    from grader.gradesheets.deadlines import Row, Times, read_extensions
    from grader.pipeline import Options

    options = Options(assignments=(assignment.id,), jobs=1)
    if assignment.due is None:  # then no time makes a difference
        return options
    metadata = _metadata(path)
    me = frozenset({LEARNER})
    try:
        at = read_time(metadata.created_at)
    except ValueError:
        raise GraderFault("it can't be told when this was handed in", where=str(path)) from None
    told = Row(names=me, assignment=assignment.id, line=1, at=at)
    extensions = None
    if course.extensions is not None:
        mine = {str(n).casefold() for one in metadata.users for n in (one.id, one.email, one.sid)}
        found = read_extensions(course.extensions, course)
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
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
