"""Under nbgrader, our engine decides the points.

In `nbgrader_config.py`:

    c = get_config()
    from grader.integrations.nbgrader import configure
    configure(c, course="/srv/transformer")

Everything else stays nbgrader's: release, collect, gradebook, formgrader, late penalties, feedback.
`nbgrader autograde` runs no student code itself: the submitted files go through the wall.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

_HERE = "grader.integrations.nbgrader"


def configure(
    c: Any,
    course: str | Path,
    *,
    roster: str | Path = "",
    sandbox: bool = True,
    jobs: int | None = None,
    cluster: str = "",
    insecure_cluster: bool = False,
) -> None:
    """Let nbgrader's Autograde grade with our engine.

    Nothing is read or imported here, and nothing can fail: after an error in its configuration
    nbgrader goes on with what it had, and would run student code by itself.

    Args:
        c: nbgrader's configuration, from `get_config()`.
        course: the folder with the course's `pyproject.toml`. Relative to where nbgrader starts.
        roster: a CSV file that knows students by id, login or e-mail address, and their names;
            without it their accounts on this machine may know them.
        sandbox: False gives up the wall's isolation.
        jobs: how many submissions are graded at once; None: as many as there are cores.
        cluster: the address of a Dask cluster that grades, as `grader check --cluster` has it.
        insecure_cluster: whether that needs no TLS, because its network is yours alone.
    """
    expect_known_warnings()
    c.Autograde.exporter_class = f"{_HERE}.exporter.GradingExporter"
    c.Autograde.sanitize_preprocessors = [f"{_HERE}.restoring.RestoreCells"]
    c.Autograde.autograde_preprocessors = [
        f"{_HERE}.recording.RecordScores",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    c.GradingExporter.course = str(course)
    c.GradingExporter.roster = str(roster)
    c.GradingExporter.sandbox = sandbox
    c.GradingExporter.jobs = jobs
    c.GradingExporter.cluster = cluster
    c.GradingExporter.insecure_cluster = insecure_cluster
    c.ExchangeFactory.collect = f"{_HERE}.collecting.CarefulCollect"
    c.ExportApp.plugin_class = f"{_HERE}.export.QuotedCsv"
    # what students wrote is shown in the browsers of graders: no script of theirs runs there
    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {
        "markdown2html": f"{_HERE}.pages.markdown2html",
        "without_mathjax": f"{_HERE}.pages.without_mathjax",
    }
    c.HTMLExporter.template_file = str(Path(__file__).parent / "templates/graded_page.html.j2")


def expect_known_warnings() -> None:
    """Leave out what SQLAlchemy says of how nbgrader adds submissions: nobody can act on it."""
    warnings.filterwarnings("ignore", message="Object of type <Submitted")
