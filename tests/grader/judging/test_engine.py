"""Jobs over slots: what becomes of them when the grader's own processes fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from toy import RIGHT, write

from grader.config.course import Course
from grader.errors import GraderFault, SuiteError
from grader.intake.discovery import discover
from grader.judging.engine import TRIES, Engine
from grader.model import EndingKind, Job, Run, Status, Submission
from grader.pipeline import Options, plan

KILLS_ITS_JUDGE = '''
import os, signal
from grader.testing import check

class TestJudge:
    """The judge"""

    @check(points=1)
    def test_kills(self, submission):
        """Kills its judge"""
        if {condition}:
            os.kill(os.getppid(), signal.SIGKILL)
            signal.pause()
'''


def jobs_for(engine: Engine, folder: Path) -> list[Job]:
    found = discover([folder], engine.course)
    return plan(found.submissions, engine.suites, engine.course.limits, Options())


def with_suite(course: Course, condition: str) -> Course:
    assert course.suites is not None
    write(course.suites / "test_adding.py", KILLS_ITS_JUDGE.format(condition=condition))
    return course


def test_a_check_that_takes_too_long_on_the_reference_as_well_is_not_tried_again(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    endless = (
        "class TestOwn:\n    'Own'\n    @check(points=1, timeout_s=0.2)\n    def test_ends(self):\n"
    )
    assert toy_course.suites is not None
    write(
        toy_course.suites / "test_adding.py",
        f"from grader.testing import check\n{endless}        'Ends'\n        while True: pass\n",
    )
    begun: list[Submission] = []
    with Engine(toy_course) as engine:
        (run,) = engine.run(jobs_for(engine, class_of(ann=RIGHT)), 1, begun.append)
    assert run.ending.kind is EndingKind.FAULT
    assert "`test_ends` itself takes over 0.2 s" in run.ending.message
    assert len(begun) == 1


def test_jobs_begin_in_their_order(toy_course: Course, class_of: Callable[..., Path]) -> None:
    begun: list[Submission] = []
    with Engine(toy_course) as engine:
        jobs = jobs_for(engine, class_of(ann=RIGHT, bob=RIGHT, cat=RIGHT))[::-1]
        runs = list(engine.run(jobs, 1, begun.append))
    assert begun == [run.submission for run in runs] == [job.submission for job in jobs]


def test_checks_are_skipped_once_points_are_lost_where_no_more_is_asked(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    wrong = RIGHT.replace("a + b", "0").replace("self.n += 1", "")
    with Engine(toy_course) as engine:
        jobs = jobs_for(engine, class_of(ann=wrong, bob=RIGHT))
        asked = [msgspec.structs.replace(job, until_lost=True) for job in jobs]
        whole, short = (list(engine.run(some, 1)) for some in (jobs, asked))
    failed = [[o.check for o in run.outcomes if o.status is Status.FAILED] for run in whole]
    assert failed == [["test_small_sum", "test_counts", "test_rejects_text"], []]
    assert {o.status for o in short[0].outcomes[1:]} == {Status.SKIPPED}
    assert [o.status for o in short[1].outcomes] == [o.status for o in whole[1].outcomes]


def test_judges_that_die_are_replaced_until_it_is_hopeless(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    with Engine(with_suite(toy_course, "True")) as engine:
        begun: list[Submission] = []
        jobs = jobs_for(engine, class_of(ann=RIGHT, bob=RIGHT))
        runs = list(engine.run(jobs, 2, begun.append))
    assert [run.ending.kind for run in runs] == [EndingKind.FAULT] * 2
    assert len(begun) <= 2 * TRIES


def test_one_that_dies_costs_only_time(
    toy_course: Course, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    once = f"not os.path.exists({str(tmp_path / 'died')!r})"
    course = with_suite(toy_course, f"{once} and not open({str(tmp_path / 'died')!r}, 'w').close()")
    with Engine(course) as engine:
        jobs = jobs_for(engine, class_of(ann=RIGHT, bob=RIGHT))
        runs: list[Run] = list(engine.run(jobs, 2))
    assert (tmp_path / "died").exists()
    assert [run.ending.kind for run in runs] == [EndingKind.COMPLETED] * 2


def test_suites_that_are_known_start_nothing(toy_course: Course) -> None:
    with Engine(toy_course) as engine:
        suites = engine.suites
    with Engine(toy_course, known=suites) as engine:
        assert engine.suites == suites
        assert engine._crew is None


def test_suites_that_are_not_what_they_were_are_refused(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    with Engine(toy_course) as engine:
        jobs = jobs_for(engine, class_of(ann=RIGHT))
        suite = engine.suites["adding"]
    stale = msgspec.structs.replace(suite, checks=suite.checks[1:])
    with (
        Engine(toy_course, known={"adding": stale}) as engine,
        pytest.raises(SuiteError, match="have changed"),
    ):
        list(engine.run(jobs, 1))


def test_what_can_not_be_started_at_all_is_told(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    course = msgspec.structs.replace(toy_course, preload=("no_such_module",))
    with Engine(course) as engine, pytest.raises(GraderFault, match="no_such_module"):
        list(engine.run(jobs_for(engine, class_of(ann=RIGHT)), 1))
