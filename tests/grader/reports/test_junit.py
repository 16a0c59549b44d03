"""The JUnit report, read by a consumer of such reports."""

from __future__ import annotations

import io

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from grader.model import Status
from grader.reports import junit

SECRET = "hidden-input-4711"


def read(gradebook) -> JUnitXml:
    return JUnitXml.fromfile(io.BytesIO(junit.encode(gradebook)))


def test_a_suite_for_everyone_who_handed_in(gradebook):
    suites = {suite.name: suite for suite in read(gradebook)}
    assert list(suites) == ["ada/embeddings", "bo/embeddings", "chen/embeddings"]
    assert [(s.tests, s.failures, s.errors, s.skipped) for s in suites.values()] == [
        (3, 0, 0, 0),
        (3, 1, 0, 1),
        (1, 0, 1, 0),
    ]


def test_a_failure_says_what_a_student_may_read_and_no_more(gradebook):
    cases = list(list(read(gradebook))[1])
    assert [[type(result) for result in case.result] for case in cases] == [
        [],
        [Failure],
        [Skipped],
    ]
    assert cases[1].result[0].message == "the result has the wrong shape"
    assert SECRET.encode() not in junit.encode(gradebook)


def test_what_is_ungraded_is_an_error(gradebook):
    (case,) = list(read(gradebook))[2]
    assert isinstance(case.result[0], Error)
    assert case.result[0].message == "not graded: a worker was not built"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(st.characters(), max_size=30))
def test_any_text_gives_well_formed_xml(gradebook, make_score, text):
    failed = (Status.FAILED, Status.ERROR, Status.TIMEOUT)
    odd = msgspec.structs.replace(gradebook, scores=(make_score("a" + text, failed, text),))
    (suite,) = read(odd)
    assert [(case.name, len(case.result)) for case in suite] == [
        ("The output is `(B, T, d_model)`", 1),
        ("Token vectors are scaled", 1),
        ("More", 1),
    ]
