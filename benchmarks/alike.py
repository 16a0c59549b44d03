"""How long `grader alike` takes for a class, by default of 1,000 students with six notebooks each.

    python -m benchmarks.alike [STUDENTS]

Everybody hands in the reference, an answer in another style, or one with a known mistake, in turn,
in the cells of the released notebook. So whole parts of the class share text: for an inverted index
that is the worst that may come.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.classroom import code, write_notebook
from grader.authoring.cases import Kind, plan_cases
from grader.config.course import load_course

ROOT = Path(__file__).parents[1]
KINDS = (Kind.REFERENCE, Kind.STYLE, Kind.MUTANT)


def write_class(folder: Path, students: int) -> int:
    """Write everybody's notebooks, and return how many they are."""
    course = load_course(ROOT)
    for assignment in course.assignments:
        cases = [one for one in plan_cases(course, [assignment.id], kinds=KINDS) if not one.origin]
        for number, case in zip(range(students), itertools.cycle(cases), strict=False):
            cells = [f"# handed in by {number}", *(cell.source for cell in case.cells)]
            path = folder / f"student{number:05}" / f"{assignment.id}.ipynb"
            write_notebook(path, [code(text, f"c{n}") for n, text in enumerate(cells)])
    return students * len(course.assignments)


def main() -> None:
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        files = write_class(home / "class", students)
        command = [sys.executable, "-m", "grader.cli", "alike", str(home / "class"), "--quiet"]
        began = time.perf_counter()
        subprocess.run([*command, "--output", str(home / "out")], cwd=ROOT, check=True)
        seconds = time.perf_counter() - began
    each = 1000 * seconds / files
    print(f"{files} notebooks of {students} students: {seconds:.1f} s, {each:.1f} ms for each")


if __name__ == "__main__":
    main()
