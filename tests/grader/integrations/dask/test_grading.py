"""Who died of what: a submission is blamed for workers that die while it runs, and for no others."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from toy import RIGHT

from grader.config.course import Course
from grader.intake.reading import Reader, digest
from grader.integrations.dask.cluster import Cluster
from grader.integrations.dask.grading import Grading, Task
from grader.integrations.dask.messages import Answer, News, Said
from grader.integrations.dask.session import Gone
from grader.judging.engine import load_suites
from grader.model import Ending, EndingKind, Job, Run, Submission
from grader.serialization import to_json


class Scripted:
    """The far end of a session, played by a test: what is sent is noted, news are given."""

    def __init__(self, slots: int = 2) -> None:
        self.free = slots
        self.sent: dict[str, str] = {}
        self.waiting: list[tuple[str, object]] = []

    def slots(self, gpu: bool = False) -> int:
        return 0 if gpu else self.free

    def submit(self, key: str, order: bytes, content: bytes, *, gpu: bool) -> None:
        self.sent[key] = order.decode().partition('"student":"')[2].partition('"')[0]

    def news(self, wait_s: float) -> tuple[str, object]:
        if not self.waiting:
            raise queue.Empty
        return self.waiting.pop(0)

    def host(self, worker: str) -> str:
        return worker

    def left(self, worker: str) -> bool:
        return True

    def joined(self, said: Said) -> bool:
        return said.news is News.REFUSED

    def require_connection(self) -> None:
        """It is there."""


@pytest.fixture
def jobs(toy_course: Course, class_of: Callable[..., Path]) -> list[Job]:
    suite = load_suites(toy_course)["adding"]
    names = ("ann", "bob", "cat", "dan", "eve", "fay", "gil", "hal")
    folder = class_of(**dict.fromkeys(names, RIGHT))
    found = []
    for name in names:
        path = folder / name / "adding.py"
        submission = Submission(name, "adding", str(path), path.name, digest(path.read_bytes()))
        found.append(Job(submission, suite, "cpu", 0, toy_course.limits))
    return found


class Played:
    """A grading with its scripted far end."""

    def __init__(self, jobs: Iterator[Job] | list[Job], most: int | None = None) -> None:
        self.far = Scripted()
        self.grading = Grading(Cluster("local:1"), jobs, most, lambda *_: None)
        self.runs: list[Run] = []

    def round(self, *news: tuple[str, object]) -> dict[str, str]:
        """Send what there is room for after some news; what has just been sent, by student."""
        self.far.waiting += news
        self.far.sent = {}
        with Reader() as reader:
            self.runs += self.grading.hear(self.far)  # type: ignore[arg-type]
            self.runs += self.grading.send(self.far, reader)  # type: ignore[arg-type]
        return {student: key for key, student in self.far.sent.items()}


def begun(key: str, worker: str = "w1") -> tuple[str, Said]:
    return "", Said(News.BEGUN, worker, "host", key=key)


def gone(worker: str = "w1", *, expected: bool = False) -> tuple[str, Gone]:
    return "", Gone(worker, expected)


def answered(key: str, job: Job) -> tuple[str, bytes]:
    return key, to_json(Answer(Run(job.submission)))


def test_no_more_is_on_its_way_than_a_few_for_each_slot(jobs: list[Job]) -> None:
    assert len(Played(jobs).round()) == 4
    assert len(Played(jobs, most=1).round()) == 1


def test_jobs_are_taken_when_there_is_room_for_them(jobs: list[Job]) -> None:
    taken = []

    def one_by_one() -> Iterator[Job]:
        for job in jobs:
            taken.append(job)
            yield job

    Played(one_by_one()).round()
    assert len(taken) == 5


def test_a_worker_that_is_asked_to_go_is_nobodys_fault(jobs: list[Job]) -> None:
    played = Played(jobs)
    keys = played.round()
    for _ in range(5):
        assert not played.round(begun(keys["ann"]), gone(expected=True))
    assert not played.runs


def test_what_waited_on_a_worker_that_died_is_not_blamed(jobs: list[Job]) -> None:
    played = Played(jobs)
    keys = played.round()
    played.round(begun(keys["ann"]), gone(), begun(keys["ann"], "w2"), gone("w2"))
    tasks = {task.job.submission.student: task for task in sent(played)}
    assert tasks["bob"].deaths == 0
    assert "ann" not in tasks  # it waits until all others are done


def sent(played: Played) -> list[Task]:
    return list(played.grading._sent.values())


def test_the_third_worker_is_the_last_and_others_are_graded_before(jobs: list[Job]) -> None:
    played = Played(jobs[:3])
    keys = played.round()
    played.round(begun(keys["ann"]), gone(), begun(keys["ann"], "w2"), gone("w2"))
    alone = played.round(answered(keys["bob"], jobs[1]), answered(keys["cat"], jobs[2]))
    assert set(alone) == {"ann"}
    played.round(begun(alone["ann"], "w3"), gone("w3"))
    assert [run.ending.kind for run in played.runs] == [
        EndingKind.COMPLETED, EndingKind.COMPLETED, EndingKind.FAULT,
    ]  # fmt: skip
    assert played.runs[-1].submission.student == "ann"
    assert not played.grading.left


def test_an_answer_that_comes_twice_counts_once(jobs: list[Job]) -> None:
    played = Played(jobs[:1])
    keys = played.round()
    played.round(answered(keys["ann"], jobs[0]), answered(keys["ann"], jobs[0]))
    assert len(played.runs) == 1


def test_what_the_cluster_lost_is_sent_again_before_what_has_not_been_sent(jobs: list[Job]) -> None:
    played = Played(jobs)
    first = played.round()
    played.grading.take_back_all()
    again = played.round()
    assert list(again) == list(first)
    assert set(again.values()).isdisjoint(first.values())
    played.round(answered(first["ann"], jobs[0]))  # of the former cluster
    assert not played.runs


def test_a_fault_of_a_worker_that_is_unfit_is_not_the_submissions(jobs: list[Job]) -> None:
    played = Played(jobs[:1])
    keys = played.round()
    fault = Run(jobs[0].submission, ending=Ending(EndingKind.FAULT, "no room"))
    for _ in range(5):
        answer = to_json(Answer(fault, unfit="the disk is full"))
        keys = played.round((keys["ann"], answer))
    assert not played.runs
    for _ in range(2):
        keys = played.round((keys["ann"], to_json(Answer(fault))))
    played.round((keys["ann"], to_json(Answer(fault))))
    assert [run.ending.kind for run in played.runs] == [EndingKind.FAULT]
