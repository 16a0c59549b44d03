"""Scripts as somebody hands them in, as jobs for an engine that a test has started."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grader.judging.engine import Engine
from grader.model import Job, Limits, Submission


def job(engine: Engine, assignment: str, path: Path, text: str) -> Job:
    """Write a script and plan its grading; the student is called what the file is."""
    path.write_text(text)
    submission = Submission(
        student=path.stem,
        assignment=assignment,
        path=str(path),
        name=path.name,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    suite = engine.suites[assignment]
    return Job(submission=submission, suite=suite, device="cpu", seed=0, limits=Limits())
