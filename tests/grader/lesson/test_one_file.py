"""What a lesson in one file carries, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_file import as_notebook, write_lesson
from toy import write

from grader.errors import ReleaseError, SuiteError
from grader.lesson.one_file import carries_assignment, read_one_file


def test_questions_and_their_checks_are_found_in_order(tmp_path: Path) -> None:
    lesson = read_one_file(write_lesson(tmp_path / "01_adding.py"))
    assert lesson.assignment == "adding"
    assert [(one.id, one.title) for one in lesson.questions] == [
        ("examples", "Examples"), ("totals", "Totals of numbers"), ("half", "Half"),
    ]  # fmt: skip
    functions = [(one.public, f.name, f.points) for one in lesson.checks for f in one.functions]
    assert functions == [
        (True, "test_small", 1), (False, "test_any", 1.5), (False, "test_text", 1.5),
        (False, "test_half", 2),
    ]  # fmt: skip


def test_titles_and_hints_come_from_docstrings_or_names(tmp_path: Path) -> None:
    lesson = read_one_file(write_lesson(tmp_path / "01_adding.py"))
    found = {f.name: (f.title, f.hint) for one in lesson.checks for f in one.functions}
    assert found["test_small"] == ("Adds one and two", "Begin with nothing.")
    assert found["test_text"] == ("Text", "")


def test_wrong_and_whole_answers_are_found(tmp_path: Path) -> None:
    lesson = read_one_file(write_lesson(tmp_path / "01_adding.py"))
    assert [(one.name, one.loses, one.bug) for one in lesson.mutants] == [
        ("first_only", ("examples", "totals"), "CANARY-MUTANT only the first number counts"),
        ("refuses_nothing", ("totals",), "Refuses nothing"),
        ("quarter", ("half",), "Quarter"),
    ]
    assert [(one.name, one.at_most) for one in lesson.fakes] == [("by_heart", 1)]
    assert [one.name for one in lesson.styles] == ["builtin"]


def test_functions_of_a_question_share_the_points_of_the_header(tmp_path: Path) -> None:
    assert points_of_totals(write_lesson(tmp_path / "01_adding.py")) == [1.5, 1.5]


def test_functions_of_a_cell_share_its_points(tmp_path: Path) -> None:
    path = write_lesson(tmp_path / "01_adding.py", "# points = 3\n", "")
    path.write_text(path.read_text().replace("question=totals\n", "question=totals points=4\n"))
    assert points_of_totals(path) == [2, 2]


def test_points_that_are_said_twice_may_be_the_same(tmp_path: Path) -> None:
    path = write_lesson(tmp_path / "01_adding.py", "points = 3", "points = 3.0")
    text = path.read_text().replace("question=totals\n", "question=totals points=3\n")
    path.write_text(text.replace("def test_half", "@check(points=2)\ndef test_half"))
    assert points_of_totals(path) == [1.5, 1.5]


def test_cells_without_points_share_what_the_header_says(tmp_path: Path) -> None:
    cell = "# %% check hidden question=totals points=5\ndef test_one(submission): pass\n\n"
    path = write_lesson(tmp_path / "01_adding.py", "# %% mutant first", f"{cell}# %% mutant first")
    assert points_of_totals(path) == [1.5, 1.5, 5]


def points_of_totals(path: Path) -> list[float | None]:
    cells = [one for one in read_one_file(path).checks if one.question == "totals"]
    return [function.points for cell in cells for function in cell.functions]


def test_a_decorated_function_keeps_what_it_says(tmp_path: Path) -> None:
    path = write_lesson(
        tmp_path / "01_adding.py", "def test_text", "@check(points=7)\ndef test_text"
    )
    assert points_of_totals(path) == [3, None]


HIDDEN = "check hidden question=totals"
HALF = "# %% check hidden question=half"
HELPS = "# %% check public question=half"
TITLE = '# title = "Adding up"'
MISTAKES = [
    (HIDDEN, "chek hidden question=totals", "chek", "marked with `chek`"),
    (HIDDEN, "check question=totals", "check question", "public or hidden"),
    (HIDDEN, "check hidden", "check hidden\n", "`test_any` belongs to no question"),
    (HIDDEN, "check hidden question=Totals", "=Totals", "no name for a question"),
    (HIDDEN, f"{HIDDEN} pts=3", "pts", "marked with `pts`"),
    (HIDDEN, f"{HIDDEN} points=no", "points=no", "no number of points"),
    (HIDDEN, f"{HIDDEN} points=-1", "points=-1", "no number of points"),
    (HIDDEN, "check hidden extra question=totals", "extra", "marked with `extra`"),
    ("question=half points=2", "question=half", "def test_half", "`test_half` earns no points"),
    ("def test_text", "def test_any", "def test_any(submission):", "two checks are called"),
    ("numbers = [rng", "numbers = = [rng", "= =", "not valid Python"),
    ("def test_any(", "class TestAny:\n    x = 1\ndef test_any(", "class TestAny", "are functions"),
    ("test_small(submission)", "test_small(submission, reference)", "test_small(", "the reference"),
    ("loses=half", "loses=halves", "loses=halves", "`loses` names no question: `halves`"),
    ("loses=half ", "", "mutant quarter", "does not say what it loses"),
    ("mutant quarter", "mutant", 'by="HALF = 0.25"', "has no name"),
    ('replace="HALF = 0.5" by="HALF = 0.25"', "", "mutant quarter", "either definitions or one"),
    (' by="HALF = 0.25"', "", "mutant quarter", "either definitions or one replacement"),
    (" at_most=1", "", "fake by_heart", "what it may earn"),
    ("# points = 3", "# points = three", "= three", "not valid TOML"),
    ("# points = 3", "# point = 3", "# point = 3", "unknown field"),
    ("# points = 3", '# points = "3"', '# points = "3"', "got `str`"),
    ("# points = 3", "# points = 3\n# [questions.Total]", "# [questions.Total]", "no name for"),
    ("[questions.totals]", "[questions.total]", "# [questions.total]", "asks the question `total`"),
    (TITLE, f"{TITLE}\n# questions.hlf = 'H'", "# questions.hlf", "asks the question `hlf`"),
    (TITLE, f"{TITLE}\n# questions.x = 'X'", "# questions.x", "asks the question `x`"),
    (
        HIDDEN,
        f"{HIDDEN} points=4",
        "# points = 3",
        "the header says 3 points, and the checks have 4",
    ),
    (
        "def test_half",
        "@check(points=1.5)\ndef test_half",
        HALF,
        "says 2 points, and the checks have",
    ),
    ("def test_half", "def half", HALF, "has no check, and its marker says `points`"),
    ("def test_half", "def tset_half", HALF, "has no check, and its marker says `points`"),
    ("# %% mutant first", f"{HELPS} title=X\nx = 1\n# %% mutant first", HELPS, "says `title`"),
    ("# %% mutant first", f"{HELPS}\nx = 1\n# %% mutant first", HELPS, "says `question`"),
    ("def test_text", "def text_", "def text_", "`text_` takes a submission, and nobody runs it"),
    ("def test_text", "@check(points=1)\ndef text_", "def text_", "nobody runs it"),
    ("START = 0", "START = = 0", "START = = 0", "not valid Python"),
    ("START = 0", "START = 0\x00", "# %%\nSTART", "null bytes"),
    ("START = 0", "%matplotlib inline\nSTART = (0", "START = (0", "not valid Python"),
    ("# %% style", "# %% [grader]\n# x = 1\n# %% style", "[grader]\n# x", "one header"),
    (
        "sum(numbers, START)  #",
        "sum(numbers, START  #",
        "sum(numbers, START  #",
        "not valid Python",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "message"), MISTAKES)
def test_mistakes_are_named_with_their_line(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    path = write_lesson(tmp_path / "01_adding.py", old, new)
    text = path.read_text(encoding="utf-8")
    line = text.count("\n", 0, text.index(place)) + 1
    with pytest.raises((SuiteError, ReleaseError)) as caught:
        read_one_file(path)
    assert message in str(caught.value)
    assert caught.value.where.startswith(f"{path}:{line}"), caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize("tags", [False, True])
def test_a_mistake_in_a_notebook_is_named_with_its_cell(tmp_path: Path, tags: bool) -> None:
    path = write_lesson(tmp_path / "01_adding.py", "question=half points=2", "question=half")
    notebook = as_notebook(path, tags=tags)
    with pytest.raises(SuiteError) as caught:
        read_one_file(notebook)
    assert f"{notebook}, cell 8:" in caught.value.where


@pytest.mark.parametrize(
    ("text", "carries"),
    [
        ("# %% [markdown]\n# A check\n", False),
        ("# %% solution\nx = 1\n", False),
        ('# %% question="check"\n', False),
        ("# %% check hidden question=a points=1\n", True),
        ("#%% mutant a loses=b\n", True),
        ("# %% [grader]\n", True),
        ("x = '# %% checks'\n", False),
    ],
)
def test_a_lesson_carries_an_assignment_if_it_has_checks(
    tmp_path: Path, text: str, carries: bool
) -> None:
    assert carries_assignment(write(tmp_path / "01_a.py", text)) is carries


def test_what_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "01_a.py"
    path.write_bytes("# %% [markdown]\n# Ein Wort: W\u00f6rter\n".encode("latin-1"))
    for read in (carries_assignment, read_one_file):
        with pytest.raises(ReleaseError, match="not UTF-8") as caught:
            read(path)
        assert caught.value.where == f"{path}:2"


def test_a_mark_of_the_byte_order_hides_no_header(tmp_path: Path) -> None:
    path = write_lesson(tmp_path / "01_adding.py")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert carries_assignment(path)
    assert read_one_file(path).header.table["title"] == "Adding up"


ONLY_IN_IPYTHON = [
    "%matplotlib inline",
    "!ls",
    "files = !ls",
    "if True:\n    %time x = 1",
    "%%bash\nls | wc",
    "sum?",
    "await nothing()",
    "y = %time sum([1])",
]


@pytest.mark.parametrize("line", ONLY_IN_IPYTHON)
def test_a_plain_cell_may_hold_what_a_notebook_understands(tmp_path: Path, line: str) -> None:
    path = write_lesson(tmp_path / "01_adding.py", "# %%\nSTART", f"# %%\n{line}\n\n# %%\nSTART")
    assert read_one_file(path).assignment == "adding"


def test_a_plain_cell_may_be_there_to_fail(tmp_path: Path) -> None:
    cell = '# %% tags=["raises-exception"]\nx = = 3\n\n# %%\nSTART'
    path = write_lesson(tmp_path / "01_adding.py", "# %%\nSTART", cell)
    assert read_one_file(path).assignment == "adding"


@pytest.mark.parametrize("used", ["helped(submission)", "map(helped, [submission])"])
def test_what_a_check_uses_is_no_forgotten_check(tmp_path: Path, used: str) -> None:
    path = write_lesson(
        tmp_path / "01_adding.py",
        "def test_half(submission):",
        f"def helped(submission): ...\n\n\ndef test_half(submission):\n    {used}",
    )
    assert read_one_file(path).assignment == "adding"
