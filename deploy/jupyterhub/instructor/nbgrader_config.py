"""The instructor's nbgrader: where the course is, and that our engine gives the points."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 (nbgrader defines it)

c.CourseDirectory.course_id = os.environ.get("NBGRADER_COURSE_ID", "transformer")
# formgrader wants it below the folder that the instructor's server shows: the home
c.CourseDirectory.root = os.environ.get("NBGRADER_ROOT", str(Path.home() / "nbgrader"))
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", "/srv/nbgrader/exchange")

from grader.integrations.nbgrader import configure  # noqa: E402

configure(c, course=os.environ.get("GRADER_COURSE", str(Path.home() / "transformer")))
