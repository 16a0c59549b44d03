from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.cli.status import status_of
from grader.config.course import Course, load_course
from grader.gradebook import RunInfo, State
from grader.model import (
    OURS,
    Assignment,
    Check,
    Ending,
    EndingKind,
    Outcome,
    Problem,
    ProblemKind,
    Question,
    Run,
    Status,
    Submission,
    Suite,
)
from grader.scoring.points import collate, missing, percent, score

QUESTIONS = (
    Question(id="first", title="First", points=3),
    Question(id="second", title="Second", points=2),
    Question(id="extra", title="Extra", points=1, bonus=True),
)
CHECKS = (
    *(
        Check(id=f"test_a[{n}]", question="first", title="A", points=2 / 3, public=True)
        for n in range(3)
    ),
    Check(id="test_b", question="first", title="B", points=1, public=False),
    Check(id="test_c", question="second", title="C", points=2, public=False),
    Check(id="test_d", question="extra", title="D", points=1, public=False),
)
SUITE = Suite(
    assignment=Assignment(id="one", title="One", questions=QUESTIONS),
    checks=CHECKS,
    files=(),
    digest="",
)
IDS = [check.id for check in CHECKS]


def submission(student: str = "ada", assignment: str = "one") -> Submission:
    return Submission(student=student, assignment=assignment, path="p", name="n.ipynb", digest="d")


def run_of(*outcomes: Outcome, ending: Ending | None = None, student: str = "ada") -> Run:
    return Run(submission=submission(student), outcomes=outcomes, ending=ending or Ending())


def verdicts(status: Status, ids: list[str] = IDS) -> list[Outcome]:
    return [Outcome(check=name, status=status) for name in ids]


@functools.cache
def course(*ids: str) -> Course:
    table = "[tool.grader]\nid = 'c'\ntitle = 'C'\n"
    table += "".join(f"[[tool.grader.assignments]]\nid = '{i}'\ntitle = '{i}'\n" for i in ids)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(table)
        return load_course(Path(folder))


outcomes = st.lists(
    st.builds(
        Outcome,
        check=st.sampled_from([*IDS, "test_unknown", "test_a", ""]),
        status=st.sampled_from(Status),
    ),
    max_size=20,
)


def test_all_passed_is_full_marks_and_bonus_comes_on_top():
    result = score(run_of(*verdicts(Status.PASSED)), SUITE)
    assert (result.earned, result.possible) == (6.0, 5.0)
    assert result.questions == {"first": 3.0, "second": 2.0, "extra": 1.0}
    assert result.state is State.GRADED


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PASSED])
def test_only_passed_checks_earn(status):
    result = score(run_of(*verdicts(status)), SUITE)
    assert result.earned == 0
    assert result.questions == {"first": 0.0, "second": 0.0, "extra": 0.0}


def test_a_check_without_verdict_earns_nothing_and_says_why():
    stopped = Ending(kind=EndingKind.TIME, message="stopped after 300 s")
    result = score(run_of(*verdicts(Status.PASSED, IDS[:4]), ending=stopped), SUITE)
    assert result.earned == 3.0
    last = result.outcomes[-1]
    assert (last.check, last.status, last.earned) == ("test_d", Status.ERROR, 0.0)
    assert last.message == "not checked: stopped after 300 s"


def test_an_empty_run_earns_nothing():
    result = score(run_of(), SUITE)
    assert (result.earned, result.state) == (0.0, State.GRADED)
    assert all(outcome.message == "not checked: no verdict came" for outcome in result.outcomes)


@pytest.mark.parametrize("kind", sorted(OURS | {EndingKind.UNREADABLE}))
def test_what_nobody_could_judge_is_ungraded_whatever_passed(kind):
    result = score(run_of(*verdicts(Status.PASSED), ending=Ending(kind=kind)), SUITE)
    assert (result.state, result.earned, result.possible) == (State.UNGRADED, 0.0, 5.0)
    assert (result.questions, result.outcomes) == ({}, ())


@pytest.mark.parametrize("kind", sorted(set(EndingKind) - OURS - {EndingKind.UNREADABLE}))
def test_what_a_submission_did_to_itself_is_graded(kind):
    result = score(run_of(*verdicts(Status.PASSED), ending=Ending(kind=kind)), SUITE)
    assert (result.state, result.earned) == (State.GRADED, 6.0)


def test_the_worse_of_two_verdicts_counts_in_either_order():
    good, bad = verdicts(Status.PASSED, ["test_c"]) + verdicts(Status.FAILED, ["test_c"])
    for both in ((good, bad), (bad, good)):
        assert score(run_of(*both), SUITE).earned == 0


@given(outcomes)
def test_outcomes_are_the_plan_in_its_order(given_outcomes):
    result = score(run_of(*given_outcomes), SUITE)
    assert [outcome.check for outcome in result.outcomes] == IDS


@given(outcomes)
def test_points_are_those_of_checks_that_only_ever_passed(given_outcomes):
    result = score(run_of(*given_outcomes), SUITE)
    failed = {outcome.check for outcome in given_outcomes if outcome.status is not Status.PASSED}
    passed = {outcome.check for outcome in given_outcomes} - failed
    expected = sum(check.points for check in CHECKS if check.id in passed)
    assert result.earned == pytest.approx(expected, abs=1e-6)
    assert sum(result.questions.values()) == pytest.approx(expected, abs=1e-5)


@given(outcomes, st.sampled_from([*IDS, "test_unknown"]))
def test_a_further_verdict_never_raises_a_known_score(given_outcomes, name):
    known = [*given_outcomes, *verdicts(Status.PASSED)]
    again = [*known, Outcome(check=name, status=Status.PASSED)]
    assert score(run_of(*again), SUITE).earned == score(run_of(*known), SUITE).earned


def test_shares_add_up_exactly():
    """Three questions of a third of a point each are one point, not 0.999999."""
    questions = tuple(Question(id=f"q{n}", title="Q", points=1 / 3) for n in range(3))
    checks = tuple(
        Check(id=f"t{n}", question=f"q{n}", title="T", points=1 / 3, public=True) for n in range(3)
    )
    suite = Suite(
        assignment=Assignment(id="one", title="One", questions=questions),
        checks=checks,
        files=(),
        digest="",
    )
    result = score(run_of(*verdicts(Status.PASSED, ["t0", "t1", "t2"])), suite)
    assert (result.earned, result.possible, percent(result)) == (1.0, 1.0, 100.0)


def test_missing_has_no_points_in_any_question():
    result = missing("bo", SUITE)
    assert (result.state, result.earned, result.possible) == (State.MISSING, 0.0, 5.0)
    assert set(result.questions.values()) == {0.0}


def gradebook_of(*scores, problems=(), assignments=("one",)):
    suites = [
        msgspec.structs.replace(
            SUITE, assignment=msgspec.structs.replace(SUITE.assignment, id=name)
        )
        for name in assignments
    ]
    return collate(course(*sorted(assignments)), suites, scores, problems, None, RunInfo())


@given(st.permutations(range(6)), st.permutations(range(3)))
def test_the_order_of_arrival_does_not_show(score_order, problem_order):
    full = score(run_of(*verdicts(Status.PASSED)), SUITE)
    scores = [
        msgspec.structs.replace(full, student=student, assignment=assignment)
        for student in ("bo", "ada", "Zoë")
        for assignment in ("two", "one")
    ]
    problems = [
        Problem(kind="odd", message="m", student="bo", assignment="two"),
        Problem(kind="odd", message="m", student="bo", assignment="one"),
        Problem(kind="litter", message="n", where="w"),
    ]
    gradebook = gradebook_of(
        *(scores[n] for n in score_order),
        problems=[problems[n] for n in problem_order],
        assignments=("two", "one"),
    )
    assert [(s.student, s.assignment) for s in gradebook.scores] == [
        (student, assignment) for student in ("Zoë", "ada", "bo") for assignment in ("one", "two")
    ]
    assert [a.id for a in gradebook.assignments] == ["one", "two"]
    assert gradebook.problems == (problems[2], problems[1], problems[0])


def test_the_gradebook_holds_every_check_under_its_question():
    first = gradebook_of(missing("bo", SUITE)).assignments[0].questions[0]
    assert [check.id for check in first.checks] == IDS[:4]
    assert first.points == 3


def test_exit_codes():
    full = score(run_of(*verdicts(Status.PASSED)), SUITE)
    half = score(run_of(*verdicts(Status.PASSED, IDS[:4])), SUITE)
    fault = score(run_of(ending=Ending(kind=EndingKind.FAULT)), SUITE)
    assert status_of(gradebook_of(full, half)) == 0
    assert status_of(gradebook_of(full, half), fail_under=60) == 0
    assert status_of(gradebook_of(full, half), fail_under=60.1) == 1
    assert status_of(gradebook_of(full, missing("bo", SUITE)), fail_under=1) == 1
    assert status_of(gradebook_of(full, missing("bo", SUITE))) == 0
    assert status_of(gradebook_of(fault, half), fail_under=99) == 3


@pytest.mark.parametrize("kind", ProblemKind)
def test_work_that_is_nobodys_is_not_graded(kind):
    full = score(run_of(*verdicts(Status.PASSED)), SUITE)
    nobodys = gradebook_of(full, problems=[Problem(kind=kind, message="")])
    students = gradebook_of(full, problems=[Problem(kind=kind, message="", student="ada")])
    left = kind.keeps_from_grading
    assert status_of(nobodys) == (3 if left else 0)
    assert status_of(nobodys, fail_under=100) == (3 if left else 0)
    assert status_of(nobodys, everyone=False) == 0
    assert status_of(students) == 0


@given(st.integers(1, 400), st.data())
def test_a_score_at_the_threshold_is_not_below_it(possible, data):
    """100 * 29 / 100 is 28.999999999999996 the other way round: no rounding may cost a pass."""
    earned = data.draw(st.integers(0, possible))
    result = msgspec.structs.replace(
        missing("bo", SUITE), state=State.GRADED, earned=float(earned), possible=float(possible)
    )
    threshold = earned / possible * 100
    assert status_of(gradebook_of(result), fail_under=round(threshold, 6)) == 0
    assert status_of(gradebook_of(result), fail_under=threshold + 0.001) == 1


def test_nothing_to_earn_is_never_below_a_threshold():
    empty = msgspec.structs.replace(missing("bo", SUITE), possible=0.0)
    assert percent(empty) == 100.0
