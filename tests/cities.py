"""A small course about a data file, with a lesson, and hidden data for its hidden checks."""

from __future__ import annotations

from pathlib import Path

from toy import write

TABLE = """
[tool.grader]
id = "cities"
title = "Cities"
public = ["handout"]
checks = "handout/checks"
notebooks = "handout/notebooks"
suites = "private/suites"
reference = "private/reference/cities.py"
lessons = "private/lessons"
data = ["handout/data"]
hidden_data = ["private/data"]

[tool.grader.limits]
wall_s = 30
cell_s = 1
check_s = 1
memory = "512 MiB"

[[tool.grader.assignments]]
id = "rivers"
title = "Rivers"

[[tool.grader.assignments]]
id = "people"
title = "People"
data = ["handout/people.csv"]
"""

PUBLIC = """
from grader.testing import assert_equal, check, data_path

ROWS = data_path("data/rivers/lengths.csv").read_text().splitlines()


class TestFile:
    '''A file is read'''

    @check(points=1)
    def test_rows(self, submission):
        '''Counts the rows of the file'''
        assert_equal(submission.rows("data/rivers/lengths.csv").value(), len(ROWS), "the rows")
"""

HIDDEN = '''
from grader.testing import assert_equal, check, data_path

OTHERS = data_path("others.csv").read_text()


class TestAdding:
    """Lengths are added"""

    @check(points=2)
    def test_other_rivers(self, submission, reference):
        """Adds the lengths of other rivers"""
        assert_equal(submission.total(OTHERS).value(), reference.total(OTHERS), "the sum")
'''
"""As docs/write-a-course.md shows it."""

RIGHT = """
def rows(path):
    with open(path) as file:
        return len(file.read().splitlines())


def total(text):
    return sum(int(line.split(",")[1]) for line in text.splitlines())
"""

LESSON = """
# %% [markdown]
# # Rivers

# %% solution="rows"

# %% question="file"

# %% solution="total"

# %% question="adding"
"""

LENGTHS = "Elbe,1094\nOder,840\nSpree,400\n"


def write_cities(root: Path) -> Path:
    """Write the course: 1 public point and 2 hidden ones in `rivers`; `people` has no checks."""
    write(root / "pyproject.toml", TABLE)
    write(root / "handout/__init__.py", "")
    (root / "handout/notebooks").mkdir(parents=True, exist_ok=True)
    write(root / "handout/README.md", "Start here.\n")
    write(root / "handout/requirements.txt", "pytest\n")
    write(root / "handout/checks/test_rivers.py", PUBLIC)
    write(root / "handout/data/rivers/lengths.csv", LENGTHS)
    write(root / "handout/people.csv", "Ada\nBen\n")
    write(root / "private/suites/test_rivers.py", HIDDEN)
    write(root / "private/reference/cities.py", RIGHT)
    write(root / "private/lessons/01_rivers.py", LESSON)
    write(root / "private/data/others.csv", "Rhine,1230\nMain,527\n")
    return root
