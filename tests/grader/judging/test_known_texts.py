"""What students have of the course's own, and what becomes of it when it is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from toy import RIGHT, Silent, notebook, write

from grader.config.course import Course, load_course
from grader.errors import SuiteError
from grader.gradebook import Gradebook, State
from grader.intake.notebook import read_cells
from grader.judging.known_texts import known_texts, name_known_answers
from grader.model import ProblemKind, Submission
from grader.pipeline import Options, check
from grader.reports.analysis import concerns
from grader.reports.html.class_report import class_report
from grader.wire.definitions import definitions

ROOT = Path(__file__).parents[3]

PARTS = '''
"""Parts."""


def add(a, b):
    """Adds, in its own way."""
    total = 0
    for number, sign in ((a, 1), (b, 1)):
        step = sign if number >= 0 else -sign
        whole = int(abs(number))
        rest = abs(number) - whole
        for _ in range(whole):
            total = total + step
        total = total + (rest if step > 0 else -rest) if rest else total
    return total


def shown(numbers):
    lines = []
    for place, number in enumerate(numbers, start=1):
        bar = "#" * int(abs(number))
        mark = "-" if number < 0 else "+"
        lines.append(f"{place:>3} {mark} {bar} {number}")
        if place % 10 == 0:
            lines.append("")
    return "\\n".join(lines) if lines else ""
'''
ADD = PARTS[PARTS.index("def add") : PARTS.index("def shown")]
SHOWN = PARTS[PARTS.index("def shown") :]
RENAMED = (
    ADD.replace("total", "result").replace("whole", "n").replace('"""Adds, in its own way."""', "#")
)


@pytest.fixture
def course(toy: Path) -> Course:
    """A course whose hand-out can add, and has a term behind it."""
    write(toy / "kit/__init__.py", "")
    write(toy / "kit/parts.py", PARTS)
    write(
        toy / "books/adding.ipynb", notebook(SHOWN.replace("shown", "given"), "def add(a, b): ...")
    )
    table = (toy / "pyproject.toml").read_text()
    table = table.replace("reference = ", 'public = ["kit"]\nnotebooks = "books"\nreference = ', 1)
    table += 'withheld = ["kit.parts.add"]\n'
    (toy / "pyproject.toml").write_text(table)
    return load_course(toy)


def with_answers(course: Course, **files: str) -> Course:
    for name, text in files.items():
        write(course.root / "last term" / name.replace("__", "."), text)
    return msgspec.structs.replace(course, known_answers=(course.root / "last term",))


def labels(course: Course) -> set[str]:
    return set(known_texts(course, ["adding"]).get("adding", {}).values())


def test_what_is_withheld_is_known_and_nothing_else_of_the_hand_out(course: Course) -> None:
    assert labels(course) == {"`add` of `kit/parts.py`"}


def test_a_course_that_withholds_nothing_has_nothing_to_compare(toy_course: Course) -> None:
    assert known_texts(toy_course, ["adding"]) == {}


def test_answers_of_earlier_are_known_but_not_what_everybody_is_handed(course: Course) -> None:
    plain = msgspec.structs.replace(
        course, assignments=(msgspec.structs.replace(course.assignments[0], withheld=()),)
    )
    solved = with_answers(
        plain, adding__py=RENAMED.replace("sign", "s").replace("+ step", "- -step")
    )
    assert labels(solved) == {"`add` of `last term/adding.py`"}
    assert labels(with_answers(plain, adding__py=SHOWN)) == set()


def test_a_file_is_of_the_assignment_that_it_is_named_after(course: Course) -> None:
    other = msgspec.structs.replace(course.assignments[0], id="other", title="Other", withheld=())
    both = msgspec.structs.replace(course, assignments=(*course.assignments, other))
    other_text = ADD.replace("total + step", "step + total")
    known = known_texts(with_answers(both, other__py=other_text), ["adding", "other"])
    assert set(known["adding"].values()) == {"`add` of `kit/parts.py`"}
    assert set(known["other"].values()) == {"`add` of `last term/other.py`"}
    known = known_texts(with_answers(both, whatever__py=other_text), ["adding", "other"])
    assert all("`add` of `last term/whatever.py`" in one.values() for one in known.values())


def test_a_file_that_can_not_be_read_is_told(course: Course) -> None:
    with pytest.raises(SuiteError, match="a text of the course can't be read") as caught:
        labels(with_answers(course, adding__ipynb="{"))
    assert caught.value.where.endswith("adding.ipynb")


@dataclass
class Grading:
    """A class, graded with a course on disk."""

    course: Course
    class_of: Callable[..., Path]

    def __call__(self, **students: str | list[str]) -> Gradebook:
        return check([self.class_of(**students)], self.course, Options(), Silent())


@pytest.fixture
def graded(course: Course, class_of: Callable[..., Path]) -> Grading:
    return Grading(course, class_of)


def named(gradebook: Gradebook) -> dict[str | None, str]:
    return {
        one.student: one.message for one in gradebook.problems if one.kind == ProblemKind.HANDOUT
    }


def test_whoever_hands_it_in_is_graded_and_named(graded: Grading) -> None:
    gradebook = graded(
        ann=RIGHT,
        bob=["x = 1", RENAMED],
        eve=f"exec({ADD!r})",
        kim=f"%%time\n{ADD}",
        pat=[
            "from pathlib import Path\nimport kit.parts",
            "exec(Path(kit.parts.__file__).read_text())",
        ],
        ray="from kit.parts import add",
        zoe=[SHOWN, RIGHT],
    )
    points = {score.student: score.questions["small"] for score in gradebook.scores}
    assert points == {"ann": 1, "bob": 1, "eve": 1, "kim": 1, "pat": 0, "ray": 0, "zoe": 1}
    assert all(score.state is State.GRADED for score in gradebook.scores)
    text = "the course's own text, handed in as an answer: `add` of `kit/parts.py` (code cell "
    assert named(gradebook) == {"bob": f"{text}2)", "eve": f"{text}1)", "kim": f"{text}1)"}


def test_the_class_report_names_them_too(graded: Grading) -> None:
    gradebook = graded(ann=RIGHT, bob=RENAMED)
    (concern,) = [one for one in concerns(gradebook) if one.kind == "handout"]
    assert (concern.student, concern.assignment) == ("bob", "adding")
    page = class_report(gradebook, {"ann": "ann", "bob": "bob"})
    attention = page[page.index('id="attention"') : page.index('id="students"')]
    assert "The course&#39;s own text, handed in as an answer" in attention


def test_nobody_gets_out_of_it_by_what_the_code_does_when_it_runs(graded: Grading) -> None:
    gradebook = graded(
        bob=["import ast, hashlib\nast.parse = hashlib.blake2b = None", ADD],
        eve=["import os, signal\nsignal.alarm(0)", f"{ADD}\nos._exit(0)"],
    )
    assert set(named(gradebook)) == {"bob", "eve"}


def test_it_names_a_few_and_counts_the_rest() -> None:
    known = {f"d{n}": f"`f{n}` of `x.py`" for n in range(8)}
    submission = Submission(student="s", assignment="a", path="", name="a.py", digest="")
    (problem,) = name_known_answers(
        known, [(1, ["d0", "d0", "none"]), (4, list(known))], submission
    )
    assert problem.message.count("`f") == 5
    assert problem.message.endswith(" and 3 more")
    assert "`f0` of `x.py` (code cell 1)" in problem.message
    assert list(name_known_answers(known, [(1, ["none"])], submission)) == []


WORK = [
    *sorted((ROOT / "tests/styles").glob("*.py")),
    *sorted((ROOT / "solutions/tiny_transformer").glob("*.py")),
    *sorted((ROOT / "course/notebooks").glob("*.ipynb")),
]


def test_no_right_answer_and_no_notebook_of_this_course_is_taken_for_the_hand_outs() -> None:
    course = load_course(ROOT)
    known = known_texts(course, [one.id for one in course.assignments])
    assert set(known) == {"embeddings", "blocks", "full_model", "weight_tying"}
    forms = {digest for one in known.values() for digest in one}
    for path in WORK:
        for cell in read_cells(path.read_bytes(), path.name):
            assert not {one.name for one in definitions(cell.source) if one.digest in forms}, path
