"""What a run is asked for, kept in the gradebook so that another command can do the same again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.config.course import Course
    from grader.gradebook import Asked, Gradebook, Regrade
    from grader.pipeline import Options


def absolute(path: Path | None) -> str:
    """Return a path as it is found from anywhere; empty for none."""
    return "" if path is None else str(path.absolute())


def user() -> str:
    """Who is asking; empty where the system doesn't know."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def grading_options(
    course: Course,
    asked: Asked,
    output: Path,
    *,
    assignments: Sequence[str] = (),
    only: tuple[str, ...] = (),
    device: str = "auto",
    jobs: int | None = None,
    sandbox: bool = True,
    regrades: Sequence[Regrade] = (),
    checks: tuple[str, ...] = (),
    apart: Sequence[Path] = (),
    cluster: bool = False,
) -> Options:
    """Read the tables that a run is asked for, and what people have decided by hand.

    Raises:
        GraderError: a table can't be read, or there is no such assignment or device.
    """
    from grader.gradesheets.enrolment import read_enrolment
    from grader.gradesheets.roster import read_roster
    from grader.gradesheets.timetables import read_extensions, read_times
    from grader.judging.gpus import device_of_cluster, resolve_device
    from grader.pipeline import Options
    from grader.store import adjustments, marks

    path = Path(asked.roster) if asked.roster else None
    roster = None if path is None else read_roster(path)
    longer = Path(asked.extensions) if asked.extensions else course.extensions
    return Options(
        assignments=tuple(dict.fromkeys(course.assignment(name).id for name in assignments)),
        only=only,
        checks=checks,
        device=(device_of_cluster if cluster else resolve_device)(device, course),
        seed=asked.seed,
        timeout_s=asked.timeout_s,
        jobs=jobs,
        sandbox=sandbox,
        roster=roster,
        adjustments=adjustments.in_force(adjustments.read(output)),
        marks=marks.read(output),
        kept=tuple(one for regrade in regrades for one in regrade.kept),
        times=read_times(Path(asked.submitted_at), course, roster) if asked.submitted_at else None,
        extensions=None if longer is None else read_extensions(longer, course, roster),
        apart=tuple(apart) or (output,),
        enrolment=read_enrolment(path),
    )


def with_record(gradebook: Gradebook, asked: Asked, regrades: Sequence[Regrade]) -> Gradebook:
    """Return a gradebook that says what its run was asked for, and keeps the log of regradings."""
    import msgspec

    run = msgspec.structs.replace(gradebook.run, asked=asked)
    return msgspec.structs.replace(gradebook, run=run, regrades=tuple(regrades))
