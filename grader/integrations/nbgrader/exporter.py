"""What nbgrader's Autograde converts notebooks with: it has the whole class graded at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.api import MissingEntry
from nbgrader.converters import NbGraderException
from traitlets import Bool, Integer, Unicode

from grader.config.course import Course, load_course
from grader.config.policy import Policy
from grader.errors import GraderError, IntakeError
from grader.exit_status import ExitStatus
from grader.intake.files import read_regular
from grader.integrations.dask.cluster import Cluster
from grader.integrations.dask.connecting import require_dask
from grader.integrations.nbgrader.cells import Source, known_cells
from grader.integrations.nbgrader.enrolling import enrol
from grader.integrations.nbgrader.gradebook_db import open_gradebook, require_writable
from grader.integrations.nbgrader.marking import Marked, grade
from grader.integrations.nbgrader.people import Names, read_names
from grader.integrations.nbgrader.submitted import HandIn, list_hand_ins, pending, without_notebook
from grader.integrations.nbgrader.turns import turn
from grader.judging.engine import Engine
from grader.judging.executor import Starts
from grader.model import Suite
from grader.pipeline import Options
from grader.store.results import Results
from grader.text import one_line

GROUPS = 0o660


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

    cluster = Unicode(help="The address of a Dask cluster that grades.").tag(config=True)
    insecure_cluster = Bool(False, help="The cluster needs no TLS.").tag(config=True)

    roster = Unicode(help="A CSV file with names, ids and e-mail addresses of students.").tag(
        config=True
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._autograde = self.parent
        self._assignment: str = self._autograde.coursedir.assignment_id
        self._marked: dict[str, Marked] = {}
        self._ungraded: dict[str, str] = {}
        with self._giving_up():
            self._course = self._usable_course()
            self._source = self._known_to_the_gradebook()
        self._convert_notebooks = self._autograde.convert_notebooks
        self._autograde.convert_notebooks = self._convert_class

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Convert a notebook as it was handed in, or as the first pass has left it."""
        names = resources["nbgrader"]
        student, notebook = names["student"], names["notebook"]
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

    def _convert_class(self) -> None:
        """Grade whoever is due, then have nbgrader convert their notebooks as ever.

        Raises:
            SystemExit: somebody is not graded. nbgrader passes on a wish to exit, with its status.
        """
        coursedir = self._autograde.coursedir
        with self._giving_up(), turn(coursedir, self._assignment, self.log, self._mode()):
            due = pending(self._autograde)
            self._grade(due)
            self._enrol(one.student for one in due)
            for handed in without_notebook(self._autograde):
                self._leave_ungraded(handed.student, f"no `{handed.notebook.name}` was handed in")
            self._convert_notebooks()
        self._tell_of_the_ungraded()

    def _find(self, student: str) -> Marked:
        if student not in self._marked:  # it was not due a moment ago
            self._grade([one for one in list_hand_ins(self._autograde) if one.student == student])
        return self._marked[student]

    def _grade(self, handed: list[HandIn]) -> None:
        options = Options(assignments=(self._assignment,), jobs=self.jobs, sandbox=self.sandbox)
        present = [one for one in handed if one.notebook.exists()]
        if not present:
            return
        results = Results(
            Path(self._autograde.coursedir.root),
            sandbox=self.sandbox,
            force=self._autograde.force,
            mode=self._mode(),
        )
        suite, marked = grade(
            self._course, self._assignment, present, options, results, self.log, self._starts()
        )
        self._require_same_points(suite)
        self._marked |= marked
        self._source = self._source.sorted([q.id for q in suite.assignment.questions])
        for student, one in marked.items():
            if one.ungraded:
                self._leave_ungraded(student, one.score.ending.message)

    def _starts(self) -> Starts:
        """What grades: this machine, or a cluster."""
        if not self.cluster:
            return Engine
        require_dask()
        elsewhere = Cluster(self.cluster, insecure=self.insecure_cluster, tell=self.log.warning)
        for remark in elsewhere.remarks():
            self.log.warning("%s", remark)
        return elsewhere

    def _mode(self) -> int:
        """The mode of kept results: instructors who share a course root share those too."""
        return GROUPS if self._autograde.coursedir.groupshared else self._course.report_mode

    def _leave_ungraded(self, student: str, reason: str) -> None:
        self._ungraded[student] = reason
        self.log.error("%s: %s: not graded: %s", student, self._assignment, one_line(reason))

    def _tell_of_the_ungraded(self) -> None:
        if self._ungraded:
            names = ", ".join(sorted(self._ungraded))
            self.log.error("%s: not graded: %s", self._assignment, names)
            self.log.error(
                "hint: what was handed in waits in formgrader for a person, without a score"
            )
            raise SystemExit(ExitStatus.UNGRADED)

    def _enrol(self, students: Iterable[str]) -> None:
        if self._autograde.create_student:
            with open_gradebook(self._autograde.coursedir, self._assignment) as gradebook:
                refused = enrol(gradebook, students, self._names())
            for student, reason in refused.items():
                self._leave_ungraded(student, f"the gradebook does not take the name: {reason}")

    def _names(self) -> Names:
        """Who knows students' names. Without them everything else goes on."""
        if not self.roster:
            return Names()
        try:
            return Names(read_names(Path(self.roster).expanduser()))
        except GraderError as error:
            self.log.warning("students stay without names: %s", error)
            return Names()

    # ------------------------------------------------------------ before anything is graded

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Let nbgrader end, when nothing can be graded, with our words in its log."""
        try:
            yield
        except GraderError as error:
            self.log.error("nothing is graded: %s", error)
            if error.hint:
                self.log.error("hint: %s", error.hint)
            raise NbGraderException(str(error)) from None

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
        with open_gradebook(self._autograde.coursedir, self._assignment) as gradebook:
            require_writable(gradebook)
            try:
                return known_cells(gradebook.find_notebook(self._assignment, self._assignment))
            except MissingEntry:
                raise GraderError(
                    f"the gradebook does not know `{self._assignment}`",
                    hint=f"run `nbgrader generate_assignment {self._assignment}` first",
                ) from None

    def _source_of(self, notebook: str) -> Source:
        if notebook == self._assignment:
            return self._source
        with open_gradebook(self._autograde.coursedir, self._assignment) as gradebook:
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


def _read(filename: str) -> Any:
    """A notebook in format 4, or an empty one: whatever is wrong, the engine has said it."""
    try:
        return nbformat.reads(read_regular(filename).decode("utf-8-sig"), as_version=4)
    except IntakeError:
        return nbformat.v4.new_notebook()
    except Exception:  # a stranger's file: nbformat raises many kinds
        return nbformat.v4.new_notebook()
