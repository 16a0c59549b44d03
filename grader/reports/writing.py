"""The gradebook as files: what each is called, and in which order they are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from grader.gradebook import AssignmentReport, Gradebook, Score, State
from grader.names import component, components
from grader.reports import csv_file, feedback_markdown, gradebook_json, gradescope, junit
from grader.reports.choices import DEFAULT, Format, Hidden
from grader.reports.feedback import Feedback, compose
from grader.reports.made_from import fingerprint, is_made_from
from grader.reports.students import by_student
from grader.store.fingerprint import engine_digest
from grader.store.output import (
    CHECKS,
    FEEDBACK,
    GRADEBOOK,
    GRADESCOPE,
    INDEX,
    JUNIT,
    PRIVATE,
    SCORES,
    STUDENTS,
    write_atomically,
)


def write_reports(
    gradebook: Gradebook,
    output: Path,
    formats: Collection[Format] = DEFAULT,
    hidden: Hidden = Hidden.TITLES,
    mode: int = PRIVATE,
    unchanged: Collection[tuple[str, str]] = (),
) -> tuple[Path, ...]:
    """Write reports, as files of this mode, into a folder and return their paths.

    Feedback on scores that are `unchanged` since an earlier run (student and assignment) is left
    alone where it is there: what the notebook printed may not be known any more.

    Who handed nothing in gets no feedback. The gradebook is always written, because every other
    command reads it, and after everything but the class report: where it is new, all else is.

    Raises:
        GraderError: a file can't be written.
    """
    folders = components(score.student for score in gradebook.scores)
    written = _write_feedback(
        gradebook, output / FEEDBACK, folders, formats, hidden, mode, unchanged
    )
    if Format.HTML in formats:
        written += _write_students(gradebook, output, folders, mode)
        written += _write_checks(gradebook, output, folders, mode)
    if Format.GRADESCOPE in formats:
        written += _write_gradescope(gradebook, output / GRADESCOPE, folders, hidden, mode)
    whole: list[tuple[str, bytes | str]] = []
    if Format.CSV in formats:
        whole.append((SCORES, csv_file.encode(gradebook)))
    if Format.JUNIT in formats:
        whole.append((JUNIT, junit.encode(gradebook)))
    if Format.HTML in formats:
        from grader.reports.html.class_report import class_report

        whole.append((INDEX, class_report(gradebook, folders)))
    whole.append((GRADEBOOK, gradebook_json.encode(gradebook)))
    for name, content in whole:
        write_atomically(output / name, content, mode=mode)
    return (*(output / name for name, _ in whole), *written)


def _write_feedback(
    gradebook: Gradebook,
    folder: Path,
    folders: Mapping[str, str],
    formats: Collection[Format],
    hidden: Hidden,
    mode: int,
    unchanged: Collection[tuple[str, str]],
) -> list[Path]:
    writers = _feedback_writers(formats)
    written = []
    for score, assignment in _graded(gradebook) if writers else ():
        name = gradebook.names.get(score.student, "")
        feedback = compose(score, assignment, gradebook.isolation, hidden, name)
        for ending, write in writers.items():
            path = folder / folders[score.student] / f"{component(score.assignment)}{ending}"
            if (score.student, score.assignment) in unchanged and path.is_file():
                continue
            # hundreds of files that the gradebook can give again: no need to wait for the disk
            write_atomically(path, write(feedback), durable=False, mode=mode)
            written.append(path)
    return written


def _feedback_writers(formats: Collection[Format]) -> dict[str, Callable[[Feedback], str]]:
    writers: dict[str, Callable[[Feedback], str]] = {}
    if Format.MARKDOWN in formats:
        writers[".md"] = feedback_markdown.write
    if Format.HTML in formats:
        from grader.reports.html.feedback_page import feedback_page

        writers[".html"] = feedback_page
    return writers


def _graded(gradebook: Gradebook) -> Iterator[tuple[Score, AssignmentReport]]:
    assignments = {assignment.id: assignment for assignment in gradebook.assignments}
    for score in gradebook.scores:
        if score.state is not State.MISSING and score.assignment in assignments:
            yield score, assignments[score.assignment]


def _write_students(
    gradebook: Gradebook, output: Path, folders: Mapping[str, str], mode: int
) -> list[Path]:
    from grader.reports.case import Neighbours
    from grader.reports.code_writing import write_code
    from grader.reports.html.check_page import check_addresses
    from grader.reports.html.page import address
    from grader.reports.html.student_page import student_page

    code, written = write_code(gradebook, output, folders, mode)
    checks = {one.id: check_addresses(one) for one in gradebook.assignments}
    students = by_student(gradebook)
    totals = {one.student: one for one in gradebook.totals}
    names = (f"{folders[student]}.html" for student in students)
    pages = ["", *(address("..", STUDENTS, name) for name in names), ""]
    for_all = fingerprint(
        engine_digest(),
        gradebook.assignments,
        gradebook.course,
        gradebook.course_title,
        gradebook.isolation,
        str(output),
        checks,
    )
    for place, (student, scores) in enumerate(students.items()):
        path = output / STUDENTS / f"{folders[student]}.html"
        beside = Neighbours(pages[place], pages[place + 2])
        made_from = fingerprint(
            for_all,
            student,
            folders[student],
            gradebook.names.get(student),
            totals.get(student),
            [msgspec.structs.replace(score, output="") for score in scores.values()],
            [code.get((student, assignment)) for assignment in scores],
            beside,
        )
        if not is_made_from(path, made_from):
            page = student_page(
                student, folders[student], gradebook, scores, code, beside, f"{output}", checks,
                made_from,
            )  # fmt: skip
            write_atomically(path, page, durable=False, mode=mode)
            written.append(path)
    return written


def _write_checks(
    gradebook: Gradebook, output: Path, folders: Mapping[str, str], mode: int
) -> list[Path]:
    from grader.reports.html.check_page import check_files, check_pages

    written = []
    for assignment in gradebook.assignments:
        files = check_files(assignment)
        for check, page in check_pages(gradebook, assignment, folders):
            path = output / CHECKS / files[check]
            write_atomically(path, page, durable=False, mode=mode)
            written.append(path)
    return written


def _write_gradescope(
    gradebook: Gradebook, folder: Path, folders: Mapping[str, str], hidden: Hidden, mode: int
) -> list[Path]:
    written = []
    for score, assignment in _graded(gradebook):
        if score.state is not State.GRADED:
            continue  # without results Gradescope says that grading failed, and gives no zero
        path = folder / folders[score.student] / f"{component(score.assignment)}.json"
        feedback = compose(score, assignment, gradebook.isolation, hidden)
        write_atomically(path, gradescope.encode(score, feedback), durable=False, mode=mode)
        written.append(path)
    return written
