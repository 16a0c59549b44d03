"""The engine end to end, on real processes: the small course's submissions through the wall."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from toy import HIDDEN, RIGHT, Silent, write

from grader.config.course import Course, load_course
from grader.gradebook import Gradebook, Score, State
from grader.judging.judge_process import LEAST_BYTES
from grader.model import EndingKind, Status
from grader.pipeline import Options, check


def graded(path: Path, course: Course, **options: object) -> Gradebook:
    return check([path], course, Options(**options), Silent())  # type: ignore[arg-type]


def scores(gradebook: Gradebook) -> dict[str, Score]:
    return {score.student: score for score in gradebook.scores}


LEFT_BEHIND = """

class TestLater:
    'A check that failed has left nothing'

    @check(points=1)
    def test_broken(self, submission):
        'Fails while another name stands in'
        with standing_in(submission.Counter, print=submission.add):
            submission.add(1)  # raises, and nobody waits for it
            assert False, "a verdict"

    @check(points=1)
    def test_own(self, submission):
        "Sees the notebook's own names"
        names = attribute(attribute(submission.Counter, "__init__"), "__globals__")
        assert names.get("print").value() is None
"""


def test_a_failed_check_takes_its_stand_ins_away(toy: Path, class_of: Callable[..., Path]) -> None:
    imports = "from grader.testing import attribute, standing_in\n"
    write(toy / "hidden/test_adding.py", imports + HIDDEN.lstrip() + LEFT_BEHIND)
    (score,) = graded(class_of(right=RIGHT), load_course(toy)).scores
    assert score.questions["later"] == 1.0


NEEDS_GPU = """

class TestGpu:
    'What needs a GPU'

    @check(points=4, devices=["cuda"])
    def test_fast(self, submission):
        'Never run here'
        raise RuntimeError
"""


def test_what_needs_a_gpu_is_left_out_of_the_score(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    write(toy / "hidden/test_adding.py", HIDDEN.lstrip() + NEEDS_GPU)
    gradebook = graded(class_of(right=RIGHT), load_course(toy))
    (score,) = gradebook.scores
    assert (score.earned, score.possible) == (5.0, 5.0)
    assert {o.check: o.status for o in score.outcomes}["test_fast"] is Status.SKIPPED
    (remark,) = gradebook.problems
    assert remark.kind == "device"
    assert "worth 4 points" in remark.message


def test_scores_are_what_the_work_deserves(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    folder = class_of(
        all_right=RIGHT,
        in_cells=["print('hello')", *RIGHT.split("\n\n")],
        only_small="def add(a, b): return 3",
        no_counter="def add(a, b): return a + b",
        empty="# nothing yet",
        lazy="def add(a, b): raise NotImplementedError\nclass Counter: pass",
    )
    found = scores(graded(folder, toy_course))
    assert {name: score.questions for name, score in found.items()} == {
        "all_right": {"small": 1.0, "any": 2.0, "state": 2.0},
        "in_cells": {"small": 1.0, "any": 2.0, "state": 2.0},
        "only_small": {"small": 1.0, "any": 0.0, "state": 0.0},
        "no_counter": {"small": 1.0, "any": 2.0, "state": 1.0},
        "empty": {"small": 0.0, "any": 0.0, "state": 0.0},
        "lazy": {"small": 0.0, "any": 0.0, "state": 0.0},
    }
    assert all(score.state is State.GRADED for score in found.values())
    assert found["in_cells"].output == "hello\n"


def test_what_depends_on_a_failed_check_is_skipped(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    (score,) = graded(class_of(ann="def add(a, b): return 4"), toy_course).scores
    by_check = {outcome.check: outcome for outcome in score.outcomes}
    assert by_check["test_small_sum"].status is Status.FAILED
    assert by_check["test_any_sum[1]"].status is Status.SKIPPED
    assert "test_small_sum" in by_check["test_any_sum[1]"].message


def test_a_cell_that_raises_does_not_stop_the_next(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    (score,) = graded(class_of(ann=["x = 1\n1 / 0", "def broken(:", RIGHT]), toy_course).scores
    assert score.earned == 5.0
    assert [(e.cell, e.line, e.error) for e in score.cell_errors] == [
        (1, 2, "ZeroDivisionError"),
        (2, 1, "SyntaxError"),
    ]
    assert score.cell_errors[0].source_line == "1 / 0"


def test_a_missing_name_says_which_cell_is_to_blame(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    (score,) = graded(class_of(ann=["x = 1", "def add(a, b):\nreturn a + b"]), toy_course).scores
    message = next(o.message for o in score.outcomes if o.check == "test_small_sum")
    assert "`add` is not defined: code cell 2, line 2: IndentationError" in message


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("while True: pass", EndingKind.TIME),
        (
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            EndingKind.TIME,
        ),
        ("import os; os._exit(0)", EndingKind.EXITED),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", EndingKind.SIGNAL),
        ("x = bytearray(1 << 34)", EndingKind.MEMORY),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", EndingKind.OUTPUT),
        ("import os; os.close(4)", EndingKind.EXITED),
        ("import os; os.write(4, b'\\0\\0\\0\\1x')", EndingKind.PROTOCOL),
    ],
)
def test_a_deadly_cell_costs_itself_and_is_named(
    toy_course: Course, class_of: Callable[..., Path], cell: str, kind: EndingKind
) -> None:
    folder = class_of(ann=[cell, RIGHT], zoe=RIGHT)
    found = scores(graded(folder, toy_course))
    assert found["ann"].ending.kind is kind, found["ann"].ending
    assert found["ann"].earned == 5.0
    assert found["ann"].cell_errors[0].cell == 1
    assert found["zoe"].earned == 5.0
    assert found["zoe"].ending.kind is EndingKind.COMPLETED


def test_a_check_that_hangs_costs_itself(toy_course: Course, class_of: Callable[..., Path]) -> None:
    hangs = RIGHT.replace("self.n += 1", "while True: pass")
    (score,) = graded(class_of(ann=hangs), toy_course).scores
    assert score.questions == {"small": 1.0, "any": 2.0, "state": 1.0}
    (late,) = [o for o in score.outcomes if o.status is Status.TIMEOUT]
    assert late.message == "stopped after 1 s in `test_counts` (limit 1 s per check)"
    assert score.ending.kind is EndingKind.TIME


def test_what_a_check_can_not_use_is_the_submissions_fault(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    assert toy_course.suites is not None
    write(
        toy_course.suites / "test_adding.py",
        '''
        from grader.testing import check


        class TestLength:
            """Lengths"""

            @check(points=1)
            def test_length(self, submission):
                """Has a length"""
                assert submission.add([1], [2]).value()[1] == 2
        ''',
    )
    folder = class_of(ann="def add(a, b): return 3", bob="def add(a, b): return a + b")
    gradebook = graded(folder, toy_course)
    found = scores(gradebook)
    assert found["bob"].questions["length"] == 1.0
    assert found["ann"].questions["length"] == 0.0
    assert found["ann"].state is State.GRADED
    (problem,) = gradebook.problems
    assert (problem.student, problem.kind) == ("ann", "check")
    assert "TypeError" in problem.message


def test_what_is_told_of_a_check_that_raised_is_short(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    assert toy_course.suites is not None
    write(
        toy_course.suites / "test_adding.py",
        '''
        from grader.testing import check


        class TestNumber:
            """Numbers"""

            @check(points=1)
            def test_number(self, submission):
                """Is a number"""
                float(submission.add(1, 2).value())
        ''',
    )
    folder = class_of(ann="def add(a, b): return 'x' * 900_000")
    (problem,) = graded(folder, toy_course).problems
    assert "ValueError" in problem.message
    assert len(problem.message) < 1000


def test_what_a_submission_returns_does_not_fill_the_judges_memory(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    assert toy_course.suites is not None
    write(
        toy_course.suites / "test_adding.py",
        '''
        from grader.testing import check


        class TestLength:
            """Lengths"""

            @check(points=1)
            def test_length(self, submission):
                """Is as long as it says"""
                size = submission.add(1, 2).value()
                assert len(bytearray(size)) == size
        ''',
    )
    too_much = 2 * max(toy_course.limits.memory_bytes, LEAST_BYTES)
    folder = class_of(ann=f"def add(a, b): return {too_much}", bob="def add(a, b): return a + b")
    gradebook = graded(folder, toy_course)
    found = scores(gradebook)
    assert found["bob"].questions["length"] == 1.0
    assert found["ann"].questions["length"] == 0.0
    assert found["ann"].state is State.GRADED
    (problem,) = gradebook.problems
    assert "MemoryError" in problem.message


def test_a_check_that_is_wrong_itself_leaves_everyone_ungraded(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    assert toy_course.suites is not None
    write(
        toy_course.suites / "test_adding.py",
        '''
        from grader.testing import check


        class TestWrong:
            """Wrong"""

            @check(points=1)
            def test_wrong(self, submission):
                """Divides by zero"""
                1 / 0
        ''',
    )
    (score,) = graded(class_of(ann=RIGHT), toy_course).scores
    assert score.state is State.UNGRADED
    assert score.ending.kind is EndingKind.FAULT
    assert "ZeroDivisionError" in score.ending.message


def test_a_handle_that_is_compared_is_the_checks_fault(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    assert toy_course.suites is not None
    write(
        toy_course.suites / "test_adding.py",
        '''
        from grader.testing import check


        class TestWrong:
            """Wrong"""

            @check(points=1)
            def test_wrong(self, submission):
                """Lets the submission decide"""
                assert submission.add(1, 2) == 3
        ''',
    )
    (score,) = graded(class_of(ann=RIGHT), toy_course).scores
    assert score.state is State.UNGRADED


def test_the_same_input_gives_the_same_gradebook_but_for_the_run(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    from grader.reports import csv_file, gradebook_json

    folder = class_of(ann=RIGHT, bob="def add(a, b): return a * b", eve="while True: pass")
    first, second = (graded(folder, toy_course, jobs=jobs) for jobs in (1, 3))
    assert csv_file.encode(first) == csv_file.encode(second)
    assert (
        gradebook_json.encode(first).split(b'"run"')[0]
        == gradebook_json.encode(second).split(b'"run"')[0]
    )


def test_random_inputs_follow_the_seed(toy_course: Course, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann="def add(a, b): return 3")
    details = {
        seed: [o.detail for o in graded(folder, toy_course, seed=seed).scores[0].outcomes]
        for seed in (0, 1)
    }
    assert details[0] != details[1]


def test_what_tests_print_is_not_kept(toy_course: Course, class_of: Callable[..., Path]) -> None:
    noisy = "print('loading')\ndef add(a, b):\n    print('saw', a, b)\n    return a + b"
    (score,) = graded(class_of(ann=noisy), toy_course).scores
    assert score.output == "loading\n"
