"""Tables of the strict gate to fill in: entries for what they lack, without checks or reasons."""

from __future__ import annotations

from grader.authoring.generated import entry, load_equivalents
from grader.authoring.lessons import lesson_path, read_lesson
from grader.authoring.partial import PartialTable, load_partial, missing_losses
from grader.authoring.promises import load_promises, missing_entries, promises_path
from grader.authoring.release import solution_sources
from grader.authoring.strict import Fate, StrictGate
from grader.authoring.survivors import EQUIVALENTS_HEADING
from grader.authoring.tables import add_entries, table_path
from grader.config.course import Course

PROMISES_HEADING = """Each sentence that students get, with the checks that demand it and mutants
that break it; or free = "why nobody checks it". docs/write-a-course.md says more."""

PARTIAL_HEADING = """Which questions ask for each stub, and what else half-finished work must lose.
Fill in [asks] first; then `grader verify ASSIGNMENT --strict --write-tables` adds the losses."""


def count_unpromised(course: Course, assignment: str) -> int:
    """How many sentences that students get no promise quotes.

    Raises:
        SuiteError, ReleaseError: the table or the lesson can't be used.
    """
    lesson = read_lesson(lesson_path(course, assignment))
    return len(missing_entries(load_promises(lesson) or (), solution_sources(course, lesson)))


def write_skeletons(course: Course, assignment: str) -> list[str]:
    """Add to an assignment's tables what can be known without grading anything.

    Returns:
        What was done, a line for each table.

    Raises:
        SuiteError, ReleaseError: a table or the lesson can't be used. OSError: no place to write.
    """
    lesson = read_lesson(lesson_path(course, assignment))
    sources = solution_sources(course, lesson)
    path = promises_path(lesson)
    entries = missing_entries(load_promises(lesson) or (), sources)
    added = add_entries(path, "promise", entries, PROMISES_HEADING)
    told = [f"{path}: {added} added"]
    partial = table_path(lesson, "partial")
    if load_partial(lesson) is None:
        partial.parent.mkdir(parents=True, exist_ok=True)
        comment = "".join(f"# {line}\n" for line in PARTIAL_HEADING.splitlines())
        asks = "".join(f'"{answer}" = []\n' for answer in sources)
        partial.write_text(f"{comment}\n[asks]\n{asks}", encoding="utf-8")
        told.append(f"{partial}: written")
    return told


def write_findings(course: Course, assignment: str, gate: StrictGate) -> list[str]:
    """Add an entry without a reason for each survivor and for each loss that none explains.

    Losses wait until the table says which questions ask for which stub.

    Returns:
        What was done, a line for each table.
    """
    lesson = read_lesson(lesson_path(course, assignment))
    told = []
    if gate.generated is not None:
        accepted = {one.mutant for one in load_equivalents(lesson)}
        entries = [
            entry(one.id, one.change)
            for one in gate.generated.results
            if one.fate is Fate.SURVIVES and one.id not in accepted
        ]
        path = table_path(lesson, "equivalents")
        added = add_entries(path, "equivalent", entries, EQUIVALENTS_HEADING)
        told.append(f"{path}: {added} added")
    if gate.partial is not None:
        table = load_partial(lesson) or PartialTable()
        if all(table.own(one.stub) for one in gate.partial.results):
            path = table_path(lesson, "partial")
            added = add_entries(path, "lost", missing_losses(lesson, gate.partial.results))
            told.append(f"{path}: {added} added")
    return told
