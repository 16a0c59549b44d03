"""What nbgrader's Autograde converts notebooks with: it has the whole class graded at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import NbGraderException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from traitlets import Bool, Integer, Unicode

from grader.config import Course, load_course
from grader.errors import GraderError, IntakeError
from grader.files import read_regular
from grader.integrations.nbgrader.cells import Source, known_cells
from grader.integrations.nbgrader.grading import Marked, grade
from grader.integrations.nbgrader.submitted import Handed, handed_in, pending, without_notebook
from grader.model import Suite
from grader.pipeline import Options
from grader.reports.text import one_line
from grader.results import Results
from grader.rules import Policy

SOMETHING_UNGRADED = 3


class GradingExporter(NotebookExporter):
    """Lives as long as one run of nbgrader's Autograde, its parent.

    The class is graded at once, so that torch is loaded once; and before the first submission is
    converted, so that nothing of anybody's has changed when it turns out that nothing can be
    graded. What was found out goes to the preprocessors, in `resources["grader"]`. It is also kept
    in the course root, so that what interrupts nbgrader costs no grading.
    """

    course = Unicode("", help="The folder with the course's pyproject.toml.").tag(config=True)
    sandbox = Bool(True, help="False gives up the wall around submissions.").tag(config=True)
    jobs = Integer(
        None, allow_none=True, help="Submissions graded at once; one for each core by default."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._autograde = self.parent
        self._assignment: str = self._autograde.coursedir.assignment_id
        self._marked: dict[str, Marked] = {}
        self._ungraded: dict[str, str] = {}
        self._converted = ""
        try:
            self._course = self._usable_course()
            self._source = self._known_to_the_gradebook()
            self._grade(pending(self._autograde))
        except GraderError as error:
            raise self._given_up(error) from None
        for handed in without_notebook(self._autograde):
            self._leave_ungraded(handed.student, f"no `{handed.notebook.name}` was handed in")
        self._their_hook = self._autograde.post_convert_hook
        self._autograde.post_convert_hook = self._after_student

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Convert a notebook as it was handed in, or as the first pass has left it."""
        names = resources["nbgrader"]
        student, notebook = names["student"], names["notebook"]
        self._converted = student
        graded = notebook == self._assignment
        resources["grader"] = {
            "course_id": self._autograde.coursedir.course_id,
            "marked": self._find(student) if graded else None,
            "source": self._source_of(notebook),
        }
        resources["metadata"] = {"name": notebook, "path": str(Path(filename).parent)}
        converted: tuple[Any, Any] = self.from_notebook_node(
            _read(filename), resources=resources, **kw
        )
        return converted

    # ------------------------------------------------------------ grading

    def _find(self, student: str) -> Marked:
        if student not in self._marked:  # it was not due a moment ago
            self._grade([one for one in handed_in(self._autograde) if one.student == student])
        return self._marked[student]

    def _grade(self, handed: list[Handed]) -> None:
        options = Options(assignments=(self._assignment,), jobs=self.jobs, sandbox=self.sandbox)
        present = [one for one in handed if one.notebook.exists()]
        if not present:
            return
        results = Results(
            Path(self._autograde.coursedir.root), sandbox=self.sandbox, force=self._autograde.force
        )
        suite, marked = grade(self._course, self._assignment, present, options, results, self.log)
        self._require_same_points(suite)
        self._marked |= marked
        self._source = self._source.sorted([q.id for q in suite.assignment.questions])
        for student, one in marked.items():
            if one.ungraded:
                self._leave_ungraded(student, one.score.ending.message)

    def _leave_ungraded(self, student: str, reason: str) -> None:
        self._ungraded[student] = reason
        self.log.error("%s: %s: not graded: %s", student, self._assignment, one_line(reason))

    def _after_student(self, **arguments: Any) -> None:
        """Run the course's own hook; after the last student, end if somebody is not graded."""
        try:
            if self._their_hook is not None:
                self._their_hook(**arguments)
        finally:
            self._tell_of_the_ungraded()

    def _tell_of_the_ungraded(self) -> None:
        """Name those who are not graded, also in the exit status.

        nbgrader swallows what a hook raises, all but a wish to exit.
        """
        if self._ungraded and not pending(self._autograde, after=self._converted):
            names = ", ".join(sorted(self._ungraded))
            self.log.error("%s: not graded: %s", self._assignment, names)
            self.log.error(
                "hint: what was handed in waits in formgrader for a person, without a score"
            )
            raise SystemExit(SOMETHING_UNGRADED)

    # ------------------------------------------------------------ before anything is graded

    def _given_up(self, error: GraderError) -> NbGraderException:
        self.log.error("nothing is graded: %s", error)
        if error.hint:
            self.log.error("hint: %s", error.hint)
        return NbGraderException(str(error))

    def _usable_course(self) -> Course:
        if not self.course:
            raise GraderError(
                "no course is named",
                where="nbgrader_config.py",
                hint='call configure(c, course="FOLDER")',
            )
        course = load_course(Path(self.course).expanduser())
        course.assignment(self._assignment)
        if course.policy != Policy():
            self.log.warning(
                "points are stored without the rules of [tool.grader.policy]: late penalties and "
                "rounding are nbgrader's own here"
            )
        return course

    def _known_to_the_gradebook(self) -> Source:
        coursedir = self._autograde.coursedir
        try:
            with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
                _require_writable(gradebook)
                return known_cells(gradebook.find_notebook(self._assignment, self._assignment))
        except MissingEntry:
            raise GraderError(
                f"the gradebook does not know `{self._assignment}`",
                hint=f"run `nbgrader generate_assignment {self._assignment}` first",
            ) from None
        except OperationalError as error:
            raise GraderError(
                f"the gradebook can't be used ({error.orig})",
                where=f"{self._assignment}, {gradebook_place(coursedir.db_url)}",
                hint="end what else is using it, see that you may write to it, autograde again",
            ) from None

    def _source_of(self, notebook: str) -> Source:
        if notebook == self._assignment:
            return self._source
        coursedir = self._autograde.coursedir
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            return known_cells(gradebook.find_notebook(notebook, self._assignment))

    def _require_same_points(self, suite: Suite) -> None:
        """Demand that the gradebook asks the suite's questions for the suite's points.

        nbgrader has no bonus questions. One that is worth nothing there can still earn points, and
        they count above the maximum.
        """
        asked = {question.id: question.towards_maximum for question in suite.assignment.questions}
        known = {
            cell.name: cell.points
            for cell in self._source.cells
            if cell.graded and not cell.solution
        }
        wrong = sorted(name for name in asked | known if asked.get(name) != known.get(name))
        if wrong:
            raise GraderError(
                "the gradebook and the checks disagree on questions or points",
                where=f"{self._assignment}: {', '.join(wrong)}",
                hint="write the source again with `grader release --nbgrader`, then run "
                f"`nbgrader generate_assignment {self._assignment} --force`",
            )


def gradebook_place(db_url: str) -> str:
    """Where the gradebook is, without a password."""
    return str(make_url(db_url).render_as_string(hide_password=True))


def _require_writable(gradebook: Any) -> None:
    """Write something and take it back: a lock or a missing permission shows now, not midway."""
    if gradebook.engine.dialect.name == "sqlite":
        with gradebook.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("CREATE TABLE trial (number INTEGER)")
            connection.rollback()


def _read(filename: str) -> Any:
    """A notebook in format 4, or an empty one: whatever is wrong, the engine has said it."""
    try:
        return nbformat.reads(read_regular(filename).decode("utf-8-sig"), as_version=4)
    except IntakeError:
        return nbformat.v4.new_notebook()
    except Exception:  # a stranger's file: nbformat raises many kinds
        return nbformat.v4.new_notebook()
