"""A worker's crew: whom it refuses, and what it does for several threads at once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from processes import eventually
from toy import RIGHT

import grader.integrations.dask.crews as crews
from grader.config.course import Course
from grader.errors import GraderFault
from grader.integrations.dask.archive import pack
from grader.integrations.dask.crews import Crew, Stopped
from grader.integrations.dask.messages import Answer, Order, Setup
from grader.judging.engine import Engine
from grader.model import EndingKind, Job, Run, Submission
from grader.serialization import from_json, to_json
from grader.store.fingerprint import engine_digest, suite_digests, versions


def setup_of(course: Course, archive: bytes = b"") -> Setup:
    return Setup(
        engine=engine_digest(),
        versions=versions(),
        suites=suite_digests(course, ["adding"]),
        root=str(course.root),
        archive=hashlib.sha256(archive).hexdigest() if archive else "",
        sandbox=True,
    )


def order(code: str, course: Course, student: str = "ann") -> tuple[bytes, bytes]:
    content = code.encode()
    submission = Submission(
        student=student,
        assignment="adding",
        path="/nowhere/adding.py",
        name="adding.py",
        digest=hashlib.sha256(content).hexdigest(),
    )
    asked = Order(submission=submission, device="cpu", seed=0, limits=course.limits)
    return to_json(asked), content


@pytest.fixture
def crew(toy_course: Course, tmp_path: Path) -> Iterator[Crew]:
    archive = pack(toy_course)
    assert archive is not None
    made = Crew(setup_of(toy_course, archive), archive, str(tmp_path))
    yield made
    made.close()


@pytest.mark.slow
def test_an_answer_is_what_the_engine_of_this_machine_finds_out(
    crew: Crew, toy_course: Course, tmp_path: Path
) -> None:
    asked, content = order(RIGHT, toy_course)
    answer = from_json(crew.grade("k", asked, content, lambda: None), Answer)
    with Engine(toy_course) as engine:
        path = tmp_path / "adding.py"
        path.write_bytes(content)
        submission = msgspec.structs.replace(answer.run.submission, path=str(path))
        job = Job(submission, engine.suites["adding"], "cpu", 0, toy_course.limits)
        [run] = engine.run([job], 1)
    assert _verdicts(answer.run) == _verdicts(run)
    assert not answer.unfit


def _verdicts(run: Run) -> list[tuple[object, ...]]:
    return [(one.check, one.status, one.detail, one.message) for one in run.outcomes]


@pytest.mark.slow
def test_several_threads_share_one_judge(crew: Crew, toy_course: Course) -> None:
    def grade(number: int) -> EndingKind:
        asked, content = order(RIGHT, toy_course, f"s{number}")
        return from_json(
            crew.grade(f"k{number}", asked, content, lambda: None), Answer
        ).run.ending.kind

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(grade, range(9))) == {EndingKind.COMPLETED}


@pytest.mark.slow
def test_what_nobody_wants_any_more_ends_within_seconds(crew: Crew, toy_course: Course) -> None:
    asked, content = order("import time\ntime.sleep(20)", toy_course)
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        graded = pool.submit(crew.grade, "k", asked, content, begun.set)
        assert begun.wait(10)
        began = time.monotonic()
        crew.forget("k")
        with pytest.raises(Stopped):
            graded.result(10)
    assert time.monotonic() - began < 3


@pytest.mark.slow
def test_a_crew_that_rests_leaves_nothing_on_the_disk_and_starts_again(
    crew: Crew, toy_course: Course, tmp_path: Path
) -> None:
    [folder] = tmp_path.glob("grader-course-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    crew.rest()
    assert not list(tmp_path.glob("grader-course-*"))
    asked, content = order(RIGHT, toy_course)
    answer = from_json(crew.grade("k", asked, content, lambda: None), Answer)
    assert answer.run.ending.kind is EndingKind.COMPLETED
    crew.close()
    assert eventually(lambda: not list(tmp_path.glob("grader-course-*")))


def test_another_engine_is_refused_with_both_digests_and_what_differs(toy_course: Course) -> None:
    setup = msgspec.structs.replace(
        setup_of(toy_course), engine="f" * 64, versions=versions() | {"torch": "9.9"}
    )
    with pytest.raises(GraderFault, match="another engine") as refused:
        Crew(setup, b"", "/tmp")
    assert engine_digest()[:16] in refused.value.message
    assert "f" * 16 in refused.value.message
    assert "instead of 9.9" in refused.value.message


def test_other_checks_are_refused_with_both_digests(toy_course: Course, tmp_path: Path) -> None:
    archive = pack(toy_course)
    assert archive is not None
    setup = msgspec.structs.replace(setup_of(toy_course, archive), suites={"adding": "e" * 64})
    with pytest.raises(GraderFault, match="other checks") as refused:
        Crew(setup, archive, str(tmp_path))
    assert "e" * 16 in refused.value.message
    assert not list(tmp_path.glob("grader-course-*"))


@pytest.mark.slow
def test_a_course_that_does_not_travel_is_read_where_it_is(toy_course: Course) -> None:
    crew = Crew(setup_of(toy_course), b"", "/tmp")
    try:
        asked, content = order(RIGHT, toy_course)
        answer = from_json(crew.grade("k", asked, content, lambda: None), Answer)
        assert answer.run.ending.kind is EndingKind.COMPLETED
    finally:
        crew.close()


def test_a_course_that_neither_travels_nor_is_there_is_refused(toy_course: Course) -> None:
    setup = msgspec.structs.replace(setup_of(toy_course), root="/nowhere")
    with pytest.raises(GraderFault, match="too large to be sent, and is not seen here"):
        Crew(setup, b"", "/tmp")


def test_a_worker_without_room_refuses(
    toy_course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(crews, "LEAST_FREE", 1 << 60)
    with pytest.raises(GraderFault, match="MiB are free"):
        Crew(setup_of(toy_course), b"", str(tmp_path))


def test_a_worker_that_may_not_write_refuses(toy_course: Course) -> None:
    with pytest.raises(GraderFault, match="can't write to its folder"):
        Crew(setup_of(toy_course), b"", "/proc")


@pytest.mark.slow
def test_a_disk_that_gets_full_makes_the_worker_unfit(
    crew: Crew, toy_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "LEAST_FREE", 1 << 60)
    asked, _ = order(RIGHT, toy_course)
    device = msgspec.structs.replace(from_json(asked, Order), device="cuda")  # there is none
    monkeypatch.setattr(crews, "find_gpus", tuple)
    answer = from_json(crew.grade("k", to_json(device), b"", lambda: None), Answer)
    assert answer.run.ending.kind is EndingKind.FAULT
    assert "MiB are free" in answer.unfit
