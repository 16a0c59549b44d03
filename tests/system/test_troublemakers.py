"""Nothing that a submission does while it is graded makes it ungraded, or costs more than it may."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent

import msgspec
import pytest
from toy import RIGHT, Silent, write

from grader.config.course import Course
from grader.gradebook import Score, State
from grader.judging import attempts
from grader.judging import engine as scheduler
from grader.model import EndingKind, Status
from grader.pipeline import Options, check
from grader.reports import feedback_markdown

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a wall is built on Linux only")

HEAD = """
import math, os, signal
from grader.testing import assert_equal, check

class TestAny:
    '''Any numbers'''
"""


def with_checks(course: Course, *bodies: str) -> Course:
    """The small course with these hidden checks; each is called after its place."""
    assert course.suites is not None
    text = HEAD
    for number, body in enumerate(bodies):
        function = f"def test_{number}(self, submission):\n    '''Check {number}'''\n    {body}\n"
        text += indent(f"@check(points=1)\n{function}", "    ")
    write(course.suites / "test_adding.py", text)
    return course


def graded(
    course: Course, class_of: Callable[..., Path], work: Mapping[str, str]
) -> dict[str, Score]:
    book = check([class_of(**work)], course, Options(jobs=2), Silent())
    return {score.student: score for score in book.scores}


def with_limits(course: Course, **limits: float) -> Course:
    return msgspec.structs.replace(course, limits=msgspec.structs.replace(course.limits, **limits))


def hidden(score: Score) -> list[Status]:
    return [one.status for one in score.outcomes if one.check != "test_small_sum"]


# ---------------------------------------------------------------- words

SECRETS = (47110815, 90210733)
LEAKS = {
    "message": "raise ValueError(str(a))",
    "class_name": "raise type(f'E{a}', (Exception,), {})()",
    "undefined": "raise sys.modules['grader.testing.objects'].NameNotDefined(str(a))",
    "line": "exec(compile('\\n' * (a % 65536 - 1) + 'raise ValueError()', '<cell 1>', 'exec'))",
    "source_line": "linecache.cache['<cell 1>'] = (9, None, [str(a)] * 99, '<cell 1>'); 1 / 0",
    "syntax_error": "raise SyntaxError('no', ('<cell 1>', a, 1, str(a)))",
    "exit_code": "os._exit(a % 256)",
    "signal": "os.kill(os.getpid(), (signal.SIGTERM, signal.SIGUSR1)[a % 2])",
    "not_plain": "return type(f'E{a}', (), {})()",
    "prints": "print(a, flush=True); raise ValueError",
    "reply": "os.write(4, str(a).encode()); return 1",
    "later": "SEEN.append(a); return a",
}
LEAKY = """
import linecache, os, signal, sys
SEEN = []
def add(a, b):
    if a < 9:
        if SEEN:
            raise ValueError(str(SEEN))
        return a + b
    {leak}
"""


def test_feedback_is_the_same_whatever_hidden_checks_ask(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    told = []
    for secret in SECRETS:
        body = f"assert_equal(submission.add({secret}, 1).value(), {secret + 1})"
        course = with_checks(toy_course, body)
        work = {name: LEAKY.format(leak=leak) for name, leak in LEAKS.items()}
        book = check([class_of(**work)], course, Options(jobs=2), Silent())
        told.append(
            {
                score.student: feedback_markdown.render(score, book.assignments[0], book.isolation)
                for score in book.scores
            }
        )
    for name in LEAKS:
        assert told[0][name] == told[1][name], name


def test_lines_that_are_really_there_tell_of_one_hidden_input_at_most(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    asked = [3, 14, 15, 92, 65, 35]
    course = with_checks(toy_course, *(f"submission.add({n + 9}, 1).value()" for n in asked))
    lines = "\n".join(f"    elif a == {n}: raise ValueError" for n in range(9, 120))
    leak = f"def add(a, b):\n    if a < 9: return a + b\n{lines}\n"
    (score,) = graded(course, class_of, {"ann": leak}).values()
    messages = [one.message for one in score.outcomes if one.check != "test_small_sum"]
    assert sum("line " in message for message in messages) == 1
    assert set(messages[1:]) == {"your code raised ValueError"}


# ---------------------------------------------------------------- time


def test_the_judges_own_time_is_bounded_and_the_submissions(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    counts = "n = submission.add(1, 2).value()\n    while n > 0: n -= 1"
    course = with_limits(with_checks(toy_course, *[counts] * 5), check_s=0.2)
    found = graded(
        course, class_of, {"ann": RIGHT, "eve": "def add(a, b): return 10 ** 300 + a - 1 + b - 2"}
    )
    assert hidden(found["ann"]) == [Status.PASSED] * 5
    assert found["eve"].state is State.GRADED
    assert found["eve"].ending.kind is EndingKind.TIME
    assert hidden(found["eve"]) == [Status.TIMEOUT] * 3 + [Status.SKIPPED] * 2


def test_a_check_that_takes_too_long_by_itself_is_its_own_fault(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    counts = "submission.add(1, 2).value()\n    while True: pass"
    course = with_limits(with_checks(toy_course, counts), check_s=0.2)
    (score,) = graded(course, class_of, {"ann": RIGHT}).values()
    assert score.state is State.UNGRADED
    assert "test_0" in score.ending.message


@pytest.mark.slow
def test_a_judge_that_nothing_cuts_off_is_ended_from_outside(
    toy_course: Course, class_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "JUDGE_SLACK_S", 0.5)
    course = with_checks(toy_course, "3 ** (submission.add(1, 2).value() + 1)")
    course = with_limits(course, check_s=0.5)
    found = graded(
        course, class_of, {"ann": RIGHT, "eve": "def add(a, b): return 10 ** 9 * (a + b)"}
    )
    assert found["ann"].state is found["eve"].state is State.GRADED
    assert found["eve"].ending.kind is EndingKind.TIME
    assert hidden(found["ann"]) == [Status.PASSED]


def test_limits_shrink_after_the_first_check_that_is_late(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    course = with_checks(toy_course, *["submission.Counter().up().value()"] * 4)
    course = with_limits(course, check_s=1.0, patience_s=0.1)
    late = RIGHT.replace("self.n += 1", "while True: pass")
    (score,) = graded(course, class_of, {"eve": late}).values()
    assert hidden(score) == [Status.TIMEOUT] * 4
    limits = [one.message.split()[2] for one in score.outcomes if one.check != "test_small_sum"]
    assert limits == ["1", "0.25", "0.1", "0.1"]


# ---------------------------------------------------------------- ends

KILLS = "os.kill(os.getpid(), signal.SIGKILL)"


def test_who_kills_itself_is_tried_once_and_no_more(
    toy_course: Course, class_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "TRIES", 99)  # no second try, however many there may be
    course = with_checks(toy_course, *["submission.add(9, 2).value()"] * 3)
    kills = f"import os, signal\ndef add(a, b):\n    if a == 9: {KILLS}\n    return a + b"
    (score,) = graded(course, class_of, {"eve": kills}).values()
    assert score.state is State.GRADED
    assert score.ending.kind is EndingKind.SIGNAL
    assert score.questions == {"small": 1.0, "any": 0.0}


def test_a_check_that_breaks_costs_its_points_where_nothing_can_tell_whose_fault_it_is(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    course = with_checks(toy_course, "submission.add(1, 2).value() + 1")
    course = msgspec.structs.replace(course, reference=None)
    found = graded(course, class_of, {"ann": RIGHT, "eve": "def add(a, b): return 'x'"})
    assert hidden(found["ann"]) == [Status.PASSED]
    assert hidden(found["eve"]) == [Status.FAILED]
    assert found["eve"].state is State.GRADED


def test_what_can_not_be_sent_back_is_the_fault_of_who_returned_it(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    body = "v = submission.add([1], [2]).value(); submission.add([v, v], []).value()"
    much = "def add(a, b): return ['x' * (1 << 20)] * 40"
    course = with_limits(with_checks(toy_course, body), check_s=10.0)  # it is a lot to fetch
    found = graded(course, class_of, {"ann": RIGHT, "eve": much})
    assert found["ann"].state is found["eve"].state is State.GRADED
    assert hidden(found["eve"]) == [Status.FAILED]


def test_what_fills_the_judges_memory_for_good_is_the_submissions_fault(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    body = (
        "kept = [bytearray(1 << 28)]\n    n = submission.add(1, 2).value()\n"
        "    while n > 0: kept.append(bytearray(1 << 26)); n -= 1"
    )
    eve = "def add(a, b): return 1_000"
    found = graded(with_checks(toy_course, body), class_of, {"ann": RIGHT, "eve": eve})
    assert found["ann"].state is found["eve"].state is State.GRADED
    assert hidden(found["ann"]) == [Status.PASSED]
    # A judge without memory may be too late to say what went wrong.
    assert hidden(found["eve"]) in ([Status.FAILED], [Status.TIMEOUT])


def test_what_ends_its_judge_on_every_try_is_graded(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    body = "if submission.add(1, 2).value() == 4: os.kill(os.getpid(), signal.SIGKILL)"
    found = graded(
        with_checks(toy_course, body), class_of, {"ann": RIGHT, "eve": "def add(a, b): return 4"}
    )
    assert found["ann"].state is found["eve"].state is State.GRADED
    assert found["eve"].ending.kind is EndingKind.SIGNAL
    assert found["eve"].earned == 0.0


def test_a_plain_assert_puts_no_more_into_words_than_it_shows(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    course = with_checks(toy_course, "assert submission.add(1, 2).value() == 3")
    eve = graded(course, class_of, {"eve": "def add(a, b): return 1 << 1100"})["eve"]
    assert [one.detail for one in eve.outcomes if one.check == "test_0"] == [
        "assert an integer of 1101 bits == 3"
    ]
