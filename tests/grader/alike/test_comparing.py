"""A class is compared: real files, real processes."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from disguises import disguised
from toy import notebook, write

from grader.alike.comparing import Compared, Options, compare
from grader.config.course import Course, load_course
from grader.errors import NothingToGrade, UsageError
from grader.intake.groups import Enrolled, Enrolment
from grader.serialization import to_json

TABLE = """
[tool.grader]
id = "sums"
title = "Sums"
notebooks = "notebooks"
public = ["parts"]
styles = "styles"

[[tool.grader.assignments]]
id = "adding"
title = "Adding"

[[tool.grader.assignments]]
id = "sorting"
title = "Sorting"
"""

STUBS = [
    "import math\n\ndef given(values):\n    low, high = min(values), max(values)\n    return [(value - low) / (high - low) * math.tau for value in values]",
    'def average(values):\n    """The mean."""\n    raise NotImplementedError()',
    'def spread(values):\n    """The deviation."""\n    raise NotImplementedError()',
]

# as different as answers to one question can be
WAYS = {
    "ann": (
        "def average(values):\n    total = 0\n    for value in values:\n        total += value\n    return total / len(values)",
        "def spread(values):\n    mean = average(values)\n    squares = [(value - mean) ** 2 for value in values]\n    return math.sqrt(sum(squares) / len(squares)) or 0.0",
    ),
    "bob": (
        "import statistics\ndef average(values):\n    kept = list(values)\n    if not kept:\n        raise ValueError('none')\n    return statistics.fmean(kept)",
        "def spread(values):\n    import statistics\n    kept = tuple(float(one) for one in values)\n    return statistics.pstdev(kept, mu=statistics.fmean(kept))",
    ),
    "cy": (
        "import functools, operator\ndef average(values):\n    first, *rest = values\n    return functools.reduce(operator.add, rest, first) / (1 + len(rest))",
        "def spread(values):\n    n, s, q = len(values), sum(values), sum(map(lambda v: v * v, values))\n    while n < 0:\n        n = -n\n    return (q / n - (s / n) ** 2) ** 0.5",
    ),
    "dee": (
        "def average(values, *, start=0):\n    count = start\n    mean = 0.0\n    it = iter(values)\n    while (value := next(it, None)) is not None:\n        count = count + 1\n        mean += (value - mean) / count\n    return mean",
        "class Deviation:\n    def __init__(self):\n        self.seen = []\n    def push(self, value):\n        self.seen.append(value)\n        return self\n    def result(self):\n        middle = average(self.seen)\n        return math.hypot(*[one - middle for one in self.seen]) / math.sqrt(len(self.seen))\n\ndef spread(values):\n    found = Deviation()\n    for one in values:\n        found.push(one)\n    return found.result()",
    ),
}  # fmt: skip


@pytest.fixture
def course(tmp_path: Path) -> Course:
    write(tmp_path / "course/pyproject.toml", TABLE)
    write(tmp_path / "course/notebooks/1_adding.ipynb", notebook(*STUBS, assignment="adding"))
    parts = "def part(x):\n    return [one for one in x if one is not None and one > 0.5][:10]\n"
    write(tmp_path / "course/parts/__init__.py", parts)
    (tmp_path / "course/styles").mkdir()
    return load_course(tmp_path / "course")


def hand_in(folder: Path, student: str, *answers: str, name: str = "adding") -> None:
    write(folder / student / f"{name}.ipynb", notebook(STUBS[0], *answers, assignment=name))


@pytest.fixture
def class_(tmp_path: Path) -> Path:
    for student, answers in WAYS.items():
        hand_in(tmp_path / "class", student, *answers)
    return tmp_path / "class"


def compared(class_: Path, course: Course, **options: object) -> list[Compared]:
    return list(compare([class_], course, Options(**options))[0])  # type: ignore[arg-type]


def top(one: Compared) -> set[str]:
    pair = one.found.pairs[0]
    return {*one.found.works[pair.left].students, *one.found.works[pair.right].students}


def test_whoever_takes_answers_over_is_at_the_top_with_whom_they_are_from(course, class_):
    for victim, answers in WAYS.items():
        source = disguised("\n".join(answers), Random(victim), {"average", "spread"})
        hand_in(class_, "eve", source)
        (found,) = compared(class_, course)
        assert top(found) == {"eve", victim}
        assert all(
            one.likeness < found.found.pairs[0].likeness / 1.5 for one in found.found.pairs[1:]
        )


def test_one_answer_taken_over_is_listed_among_many(course, class_):
    for number in range(20):
        own = "\n".join(f"    v{n} = values[{n}] ** {number} - {n * number}" for n in range(12))
        hand_in(class_, f"x{number}", f"def average(values):\n{own}\n    return v1", WAYS["bob"][1])
        hand_in(class_, f"y{number}", f"def average(values):\n{own}\n    return v2")
    hand_in(class_, "eve", WAYS["ann"][0] + "\n" * 3, WAYS["dee"][1])
    (found,) = compared(class_, course, top=5)
    pairs = [{*found.found.works[p.left].students, *found.found.works[p.right].students} for p in found.found.pairs]  # fmt: skip
    assert {"dee", "eve"} in pairs
    place = pairs.index({"dee", "eve"})
    assert found.found.pairs[place].answers[0].answer == "spread"


def test_what_everybody_was_given_makes_nobody_alike(course, class_, tmp_path):
    pasted = "def part(x):\n    return [one for one in x if one is not None and one > 0.5][:10]\n"
    for student in ("ann", "bob"):
        hand_in(
            class_, student, *WAYS[student], pasted, "def average(v):\n    return part(given(v))"
        )
    (found,) = compared(class_, course)
    shared = [p.likeness for p in found.found.pairs if p.left == 0 and p.right == 1]
    assert shared in ([], [pytest.approx(0, abs=0.1)])
    assert found.found.answers == ("average", "spread")


def test_demonstrations_and_notes_of_ones_own_are_not_compared(course, class_):
    talk = "\n".join(f"print(given([{n}, {n + 1}, {n + 2}]), math.sqrt({n}))" for n in range(40))
    for student in ("ann", "bob"):
        hand_in(class_, student, *WAYS[student], talk)
    (found,) = compared(class_, course)
    assert all(pair.likeness < 0.1 for pair in found.found.pairs)


def test_an_earlier_years_answer_is_found_and_earlier_years_are_not_compared(
    course, class_, tmp_path
):
    earlier = tmp_path / "2025"
    for student in ("old", "older"):
        hand_in(earlier, student, *WAYS["dee"])
    hand_in(earlier, "ann", *WAYS["cy"])
    (found,) = compared(class_, course, against=(earlier,))
    works = found.found.works
    assert [work.origin for work in works] == [""] * 4 + [str(earlier)] * 3
    pairs = {(works[p.left].students[0], works[p.right].students[0]): p for p in found.found.pairs}
    assert pairs["dee", "old"].likeness == pairs["dee", "older"].likeness > 0.5
    assert ("old", "older") not in pairs
    assert not pairs["cy", "ann"].same_person
    assert all(not works[p.left].origin for p in found.found.pairs)


def test_ones_own_earlier_work_is_named_as_such(course, class_, tmp_path):
    hand_in(tmp_path / "2025", "Ann", *WAYS["ann"])
    (found,) = compared(class_, course, against=(tmp_path / "2025",))
    assert found.found.pairs[0].same_person


def test_what_a_group_hands_in_together_is_one(course, tmp_path):
    folder = tmp_path / "moodle"
    cells = notebook(STUBS[0], *WAYS["ann"], assignment="adding")
    write(folder / "Team 1_7_assignsubmission_file_/adding.ipynb", cells)
    other = notebook(STUBS[0], *WAYS["bob"], assignment="adding")
    write(folder / "Bob B_12_assignsubmission_file_/adding.ipynb", other)
    people = tuple(Enrolled(number=str(n), name=name, groups=("Team 1",)) for n, name in ((10, "Ann A"), (11, "Cy C")))  # fmt: skip
    (found,) = compared(folder, course, enrolment=Enrolment(people=people))
    assert sorted(work.students for work in found.found.works) == [("Ann A_10", "Cy C_11"), ("Bob B_12",)]  # fmt: skip


def test_the_same_bytes_of_two_people_are_two(course, class_):
    hand_in(class_, "eve", *WAYS["ann"])
    (found,) = compared(class_, course)
    assert found.found.pairs[0].left_share == found.found.pairs[0].right_share == 1


def test_who_can_not_be_read_is_named_and_all_others_are_compared(course, class_):
    hand_in(class_, "eve", *WAYS["ann"])
    hand_in(class_, "mal", "(" * 150_000)
    hand_in(class_, "nils", "def average(values):\n    return \0")
    (found,) = compared(class_, course)
    assert top(found) == {"ann", "eve"}
    noted = {work.students[0] for work in found.found.works if work.notes}
    assert noted == {"mal", "nils"}


def test_notebooks_scripts_and_every_order_of_files_give_the_same(course, class_, tmp_path):
    write(class_ / "eve/adding.py", "import math\n" + "\n\n".join(WAYS["ann"]))
    (found,) = compared(class_, course)
    assert top(found) == {"ann", "eve"}
    again = compared(class_, course)[0].found
    assert again == found.found


def test_assignments_are_compared_each_by_itself(course, class_):
    hand_in(class_, "ann", *WAYS["bob"], name="sorting")
    adding, sorting = compared(class_, course)
    assert (adding.found.assignment, sorting.found.assignment) == ("adding", "sorting")
    assert not sorting.found.pairs
    assert sorting.found.answers == ()  # nothing was handed out for it: every function counts
    (alone,) = compared(class_, course, assignments=("adding",))
    assert alone.found == adding.found


def test_clusters_are_held_together_by_pairs(course, class_):
    hand_in(class_, "eve", *WAYS["ann"])
    hand_in(class_, "fay", *WAYS["ann"])
    (found,) = compared(class_, course)
    names = [{found.found.works[one].students[0] for one in cluster} for cluster in found.found.clusters]  # fmt: skip
    assert names == [{"ann", "eve", "fay"}]


def test_passages_lie_in_the_code_that_is_shown(course, class_):
    hand_in(class_, "eve", *WAYS["dee"])
    (found,) = compared(class_, course)
    pair = found.found.pairs[0]
    assert pair.passages
    for place, sides in ((pair.left, [p.left for p in pair.passages]), (pair.right, [p.right for p in pair.passages])):  # fmt: skip
        cells, prints = found.code[place]
        text = "\n".join(cell.source for cell in cells).split("\n")
        shown = {line for first, last in prints.spans for line in range(first, last + 1)}
        lines = {line for side in sides for line in side}
        assert lines <= shown
        assert any("middle = average" in text[line - 1] for line in lines)


def test_independent_styles_say_what_chance_does(course, class_):
    for name, answers in WAYS.items():
        write(course.root / f"styles/adding_{name}.py", "\n".join(answers))
    made = "# made from adding_ann\n" + "\n".join(WAYS["ann"])
    write(course.root / "styles/adding_again.py", made)
    (found,) = compared(class_, course)
    said = found.found.independent
    assert said is not None
    assert said.works == tuple(f"adding_{name}" for name in sorted(WAYS))
    assert 0 <= said.median <= said.largest < 0.2


def test_what_is_not_there_is_an_error(course, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToGrade):
        compare([tmp_path / "empty"], course, Options())
    with pytest.raises(UsageError):
        compare([tmp_path / "nowhere"], course, Options())


def test_it_is_json(course, class_):
    (found,) = compared(class_, course)
    assert json.loads(to_json(found.found))["assignment"] == "adding"
