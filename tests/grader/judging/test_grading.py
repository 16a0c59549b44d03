"""What is known is recalled, the rest graded: the order, and what is said of all."""

from __future__ import annotations

import json
from pathlib import Path

from toy import write

from grader.gradebook import Score, State
from grader.judging.grading import Graded, GradedJobs, longest_first
from grader.model import Assignment, Ending, Isolation, Job, Limits, Submission, Suite
from grader.store.results import Results

SUITE = Suite(assignment=Assignment(id="adding", title="Adding"), checks=(), files=(), digest="d")


def job(student: str, path: Path) -> Job:
    submission = Submission(
        student=student, assignment="adding", path=str(path), name=path.name, digest=student
    )
    return Job(submission=submission, suite=SUITE, device="cpu", seed=0, limits=Limits())


def students(jobs: list[Job]) -> str:
    return "".join(job.submission.student for job in jobs)


def test_the_largest_file_is_graded_first(tmp_path: Path) -> None:
    jobs = [
        job(name, write(tmp_path / name, "x" * size))
        for name, size in zip("abc", (5, 9, 7), strict=True)
    ]
    jobs.append(job("gone", tmp_path / "nowhere"))
    assert students(longest_first(jobs, Results(None))) == "bcagone"


def test_who_took_long_last_time_is_graded_before_who_did_not(tmp_path: Path) -> None:
    write(
        tmp_path / "gradebook.json",
        '{"run": {"seconds_per_submission": {"a/adding": 1, "b/adding": 3, "c/adding": 2}}}',
    )
    jobs = [job(name, write(tmp_path / name, "x" * 9)) for name in "abcn"]
    assert students(longest_first(jobs, Results(tmp_path))) == "nbca"


def test_what_is_known_to_be_slow_is_graded_last(tmp_path: Path) -> None:
    seconds = {
        f"{name}/adding": took for name, took in zip("abcde", (1, 90, 2, 30, 3), strict=True)
    }
    ends = [
        {"student": "c", "assignment": "adding", "ending": {"kind": "time"}},
        {"student": "a", "assignment": "adding", "ending": {"kind": "completed"}},
    ]
    book = {"run": {"seconds_per_submission": seconds}, "scores": ends}
    write(tmp_path / "gradebook.json", json.dumps(book))
    jobs = [job(name, write(tmp_path / name, "x" * 9)) for name in "abcden"]
    assert students(longest_first(jobs, Results(tmp_path))) == "neabdc"


def graded(*held: Isolation | None) -> GradedJobs:
    score = Score(
        student="a", assignment="adding", state=State.GRADED, earned=0, possible=0, ending=Ending()
    )
    return GradedJobs(
        {
            job(str(number), Path("a.py")).submission: Graded(
                score=score, isolation=isolation, problems=(), wall_s=0.0, seconds_of={}
            )
            for number, isolation in enumerate(held)
        }
    )


def test_the_wall_that_is_reported_held_for_everyone() -> None:
    full = Isolation(mode="full", layers=("namespaces", "landlock", "seccomp"))
    pod = Isolation(mode="pod", layers=("landlock", "seccomp"))
    assert graded(full, None, pod, full).isolation == pod
    assert graded(None).isolation is None
