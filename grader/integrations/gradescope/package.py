"""The archive that Gradescope wants, to grade there with this engine.

    setup.sh            installs Python packages, once for an image
    run_autograder      runs `run.py` for a submission
    requirements.txt    what engine and course need, for any version of Python that it supports
    grader/             this engine
    course/             the course, as far as this assignment needs it: hidden checks, the reference

The archive holds hidden checks: it is for Gradescope alone.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import grader
from grader.config import policy_table
from grader.config.course import AssignmentConfig, Course
from grader.config.data import data_files
from grader.config.suite_files import assignment_of
from grader.errors import ConfigError
from grader.reports.choices import Hidden
from grader.times import format_iso

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
exec "$python" -m grader.integrations.gradescope.run "$root" {assignment} {hidden}
"""


def package(course: Course, assignment: AssignmentConfig, hidden: Hidden) -> bytes:
    """Return the archive for one assignment; the same course gives the same bytes.

    Raises:
        ConfigError: the course lies in places that can't be packed.
    """
    members = {
        "setup.sh": SETUP.encode(),
        "run_autograder": RUN.format(assignment=assignment.id, hidden=hidden.value).encode(),
        "requirements.txt": "".join(f"{line}\n" for line in _requirements(course)).encode(),
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


def _requirements(course: Course) -> Iterator[str]:
    """What the engine and the course need; versions are open: the image has a Python of its own."""
    command = entry_points(group="console_scripts")["grader"]
    for line in sorted((command.dist and command.dist.requires) or ()):
        if "extra ==" not in line:
            yield line
    yield from course.requirements


def _engine() -> Iterator[tuple[str, bytes]]:
    top = Path(grader.__file__).parent
    for path in sorted(top.rglob("*")):
        relative = path.relative_to(top)
        if path.is_file() and not LEFT_OUT & set(relative.parts) and path.suffix != ".pyc":
            yield f"grader/{relative.as_posix()}", path.read_bytes()


def _course_files(course: Course, assignment: AssignmentConfig) -> Iterator[tuple[str, bytes]]:
    places = (
        course.checks, course.suites, course.reference, *course.public, *course.known_answers
    )  # fmt: skip
    lesson = course.one_file.get(assignment.id)
    if lesson is not None:
        yield f"course/{_relative(lesson, course)}", lesson.read_bytes()
    for place in places:
        if place is None:
            continue
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in files:
            if path.is_file() and _is_needed(path, course, assignment):
                yield f"course/{_relative(path, course)}", path.read_bytes()
    for place in (*course.data_of(assignment.id), *course.hidden_data):
        for _, path in data_files(place):
            yield f"course/{_relative(path, course)}", path.read_bytes()


def _is_needed(path: Path, course: Course, assignment: AssignmentConfig) -> bool:
    data = {place for one in course.assignments for place in course.data_of(one.id)}
    if data.intersection((path, *path.parents)):  # its own comes by itself
        return False
    if path.suffix in (".pyc", ".ipynb") or "__pycache__" in path.parts:
        return False
    return assignment_of(path, (course.checks, course.suites)) in (None, assignment.id)


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
    if assignment.id in course.one_file:
        places["lessons"] = course.lessons
    limits = course.limits
    lines = [
        "[tool.grader]",
        line("id", course.id),
        line("title", course.title),
        *(line(key, _relative(path, course)) for key, path in places.items() if path is not None),
        line("public", [_relative(path, course) for path in course.public]),
        line("known_answers", [_relative(path, course) for path in course.known_answers]),
        line("data", [_relative(path, course) for path in course.data_of(assignment.id)]),
        line("hidden_data", [_relative(path, course) for path in course.hidden_data]),
        line("preload", list(course.preload)),
        line("preload_later", list(course.preload_later)),
        *([line("timezone", course.timezone)] if course.timezone else []),
        *([line("extensions", EXTENSIONS)] if course.extensions else []),
        "[tool.grader.limits]",
        *(line(key, getattr(limits, key)) for key in ("wall_s", "cell_s", "check_s")),
        line("memory", f"{limits.memory_bytes >> 10} KiB"),
        *policy_table.format_policy(assignment.policy),
        "[[tool.grader.assignments]]",
        line("id", assignment.id),
        line("title", assignment.title),
        line("aliases", list(assignment.aliases)),
        line("withheld", list(assignment.withheld)),
        *([line("due", format_iso(assignment.due))] if assignment.due else []),
    ]
    return "\n".join(lines) + "\n"
