"""A comparison with pages: a class in which somebody has taken over somebody's answers."""

from __future__ import annotations

from pathlib import Path

from toy import notebook, write

from grader.alike.comparing import Options, compare
from grader.alike.values import Alike
from grader.config.course import load_course
from grader.reports.alike_writing import write_alike

TABLE = """
[tool.grader]
id = "sums"
title = "{title}"
notebooks = "notebooks"

[[tool.grader.assignments]]
id = "adding"
title = "Adding"
"""
STUB = "def spread(values):\n    raise NotImplementedError()"
ANSWER = '''
def middle(values):
    """{words}"""
    total = 0
    for value in values:
        total += value
    return total / len(values)


def spread(values):
    # {words}
    mean = middle(values)
    squares = [(value - mean) ** 2 for value in values]
    if not squares:
        raise ValueError("{words}")
    return (sum(squares) / len(squares)) ** 0.5
'''
OTHER = "def spread(values):\n    import statistics\n    return statistics.pstdev([float(one) for one in values], mu=0)"


def write_class(
    folder: Path, *, words: str = "The same", title: str = "Sums", students: int = 3
) -> Path:
    """Write a course and its class: everybody but the last has the same answer."""
    write(folder / "course/pyproject.toml", TABLE.format(title=title))
    write(folder / "course/notebooks/adding.ipynb", notebook(STUB, assignment="adding"))
    for number in range(students):
        source = ANSWER.replace("{words}", words) if number < students - 1 else OTHER
        cells = notebook(
            "import math", source.replace("mean", f"mean{number}"), assignment="adding"
        )
        write(folder / f"class/student{number}/{words[:20].replace('/', ' ')}.ipynb", cells)
    return folder


def write_pages(folder: Path, **options: object) -> tuple[Path, Alike]:
    """Compare that class, and write everything."""
    home = write_class(folder, **options)  # type: ignore[arg-type]
    course = load_course(home / "course")
    compared, problems = compare([home / "class"], course, Options())
    return home / "out", write_alike(compared, problems, course.title, home / "out", 0o600)
