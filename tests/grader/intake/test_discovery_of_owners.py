"""No file goes to somebody else: classes of any people and layouts, where the owners are known."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from class_folders import COURSE, fill, zipped
from class_layouts import Class, classes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import NothingToGrade
from grader.intake.discovery import discover
from grader.intake.reading import Reader, read_submission
from grader.names import clean_name

MANY = int(os.environ.get("GENERATED_CLASSES", "500"))
"""Classes of the slow test; 10,000 take some minutes."""


def require_owners(found_class: Class, as_zip: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        if as_zip:
            path = zipped(Path(place, "class of 2026.zip"), found_class.files)
        else:
            path = fill(Path(place, "class of 2026"), found_class.files)
        try:
            found = discover(
                [path], COURSE, assignments=["embeddings"], enrolment=found_class.enrolment
            )
        except NothingToGrade:
            pytest.fail("nothing was found")
        with Reader() as reader:
            given_to = [(one.student, read_submission(one, reader)) for one in found.submissions]
    owners = {
        content: {clean_name(owner) for owner in names}
        for content, names in found_class.owners.items()
    }
    people = {clean_name(one) for one in found_class.students}
    for student, content in given_to:
        if found_class.tells or student in people:
            assert student in owners[content], f"{owners[content]} -> {student}"
    graded = {content for _, content in given_to}
    named = {problem.student for problem in found.problems}
    told = " ".join(problem.where for problem in found.problems)
    for content, names in owners.items():
        assert content in graded or names & named or found_class.places[content] in told


@settings(deadline=None, max_examples=300, suppress_health_check=[*HealthCheck])
@given(classes(), st.booleans())
def test_no_file_goes_to_somebody_else(found_class: Class, as_zip: bool) -> None:
    require_owners(found_class, as_zip)


@pytest.mark.slow
@settings(deadline=None, max_examples=MANY, suppress_health_check=[*HealthCheck], database=None)
@given(classes(), st.booleans())
def test_in_many_classes_no_file_goes_to_somebody_else(found_class: Class, as_zip: bool) -> None:
    require_owners(found_class, as_zip)
