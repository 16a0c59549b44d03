"""How much of the hidden checks a student is told."""

from __future__ import annotations

from grader.model import Status
from grader.reports.choices import Hidden
from grader.reports.feedback import compose

PUBLIC_ONLY = (Status.PASSED, Status.FAILED, Status.FAILED)


def texts(feedback) -> str:
    return repr(feedback)


def test_titles_name_every_check(make_score, assignment):
    told = compose(make_score(statuses=PUBLIC_ONLY), assignment, None, Hidden.TITLES)
    assert "Token vectors are scaled" in texts(told)
    assert "Multiply once." in texts(told)


def test_questions_count_hidden_checks_and_name_none(make_score, assignment):
    told = compose(make_score(statuses=PUBLIC_ONLY), assignment, None, Hidden.QUESTIONS)
    assert "Token vectors are scaled" not in texts(told)
    assert "Multiply once." not in texts(told)
    assert [(q.title, q.earned, q.summary) for q in told.questions][1] == (
        "Scale by sqrt(d_model)",
        0,
        "Hidden checks: 0 of 1 passed, 0 of 2 points",
    )


def test_none_leaves_hidden_questions_out_and_the_points_still_add_up(make_score, assignment):
    score = make_score(statuses=(Status.PASSED, Status.PASSED, Status.FAILED))
    told = compose(score, assignment, None, Hidden.NONE)
    assert [question.title for question in told.questions] == ["Shapes", "Hidden checks"]
    assert "Scale by sqrt" not in texts(told)
    assert sum(question.earned for question in told.questions) == score.earned


def test_advice_names_no_hidden_check_that_is_not_shown(make_score, assignment):
    for hidden in (Hidden.QUESTIONS, Hidden.NONE):
        told = compose(make_score(statuses=PUBLIC_ONLY), assignment, None, hidden)
        assert told.advice.startswith("The public checks pass.")
