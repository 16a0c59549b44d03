"""What client and workers say to each other: JSON of these values, in bytes that Dask carries."""

from __future__ import annotations

import enum
import hashlib

import msgspec

from grader.model import Job, Limits, Run, Submission, Suite, Value


class Setup(Value, frozen=True):
    """What a worker grades with.

    `engine` is the digest of the grader and the versions that it runs on; `suites` are those of the
    suites, by assignment; `root` is where the client has the course, which a worker may see, too;
    `archive` the SHA-256 of the course's archive, empty where it is too large to travel.
    """

    engine: str
    versions: dict[str, str]
    suites: dict[str, str]
    root: str
    archive: str
    sandbox: bool

    @property
    def crew(self) -> str:
        """Names the crew that this asks for: what is the same may share one."""
        parts = repr((self.engine, sorted(self.suites.items()), self.archive, self.sandbox))
        return hashlib.sha256(parts.encode()).hexdigest()[:16]


class Order(Value, frozen=True):
    """A `Job` without its suite, which the worker has. The submission's bytes go beside it."""

    submission: Submission
    device: str
    seed: int
    limits: Limits
    until_lost: bool = False
    first: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    known_to_pass: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Job) -> Order:
        """The order for a job."""
        return cls(
            submission=job.submission,
            device=job.device,
            seed=job.seed,
            limits=job.limits,
            until_lost=job.until_lost,
            first=job.first,
            checks=job.checks,
            known_to_pass=job.known_to_pass,
        )

    def job(self, suites: dict[str, Suite]) -> Job:
        """The job, on a worker."""
        return Job(
            submission=self.submission,
            suite=suites[self.submission.assignment],
            device=self.device,
            seed=self.seed,
            limits=self.limits,
            until_lost=self.until_lost,
            first=self.first,
            checks=self.checks,
            known_to_pass=self.known_to_pass,
        )


class Answer(Value, frozen=True):
    """What came of an order.

    `reading_s`: what it took of the student's time for reading. `unfit`: why this worker can't
    grade any more, so that its fault is nobody's.
    """

    run: Run
    reading_s: float = 0.0
    unfit: str = ""


class News(enum.StrEnum):
    """What a worker tells without being asked."""

    READY = "ready"
    REFUSED = "refused"
    BEGUN = "begun"


class Said(Value, frozen=True):
    """A worker's news. `key` is the task that has begun; `reason` why it grades nothing."""

    news: News
    worker: str
    host: str
    slots: int = 0
    gpus: int = 0
    key: str = ""
    reason: str = ""
    hint: str = ""


class Host(Value, frozen=True):
    """What `grader doctor` learns of one worker.

    `missing` names the properties of the wall that do not hold; `error` says why nothing could be
    found out. `clock` is the worker's, in seconds since 1970; sizes are bytes.
    """

    worker: str
    host: str
    engine: str = ""
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    mode: str = ""
    complete: bool = False
    missing: tuple[str, ...] = ()
    cores: int = 0
    slots: int = 0
    gpus: int = 0
    free_bytes: int = 0
    clock: float = 0.0
    error: str = ""
    hint: str = ""
