"""What a submission finds around it: a script its file, a notebook of Colab's its modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from toy import Silent

from grader.config.course import Course
from grader.gradebook import Gradebook
from grader.model import ProblemKind
from grader.pipeline import Options, check

ADD = "def add(a, b): return a + b\n"
FILE = (
    "import os, sys\n"
    "from pathlib import Path\n"
    "here = Path(__file__).resolve().parent\n"
    "assert here == Path.cwd(), here\n"
    "assert os.path.isabs(__file__) and __file__.endswith('.py')\n"
    "assert sys.argv == [__file__]\n"
)


def graded(paths: Path, course: Course) -> Gradebook:
    return check([paths], course, Options(), Silent())


def points(gradebook: Gradebook) -> dict[str, float]:
    return {score.student: score.earned for score in gradebook.scores}


def test_a_script_has_a_file_and_a_notebook_has_none(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    found = points(
        graded(
            class_of(
                script=FILE + ADD,
                cells="# %%\nx = 1\n# %%\n" + FILE + ADD,
                notebook=["try:\n    __file__\nexcept NameError:\n    " + ADD],
                right=[ADD],
            ),
            toy_course,
        )
    )
    assert len(set(found.values())) == 1, found
    assert found["right"] > 0


LOOPS = (
    "import asyncio\n"
    "async def main(): return 5\n"
    "assert asyncio.run(main()) == 5\n"
    "assert asyncio.new_event_loop().run_until_complete(main()) == 5\n"
    "loop = asyncio.new_event_loop()\n"
    "asyncio.set_event_loop(loop)\n"
    "assert asyncio.get_event_loop().run_until_complete(main()) == 5\n"
)


def test_a_script_starts_event_loops_itself(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    awaits = "# %%\n" + LOOPS + "# %%\ngot = await main()\n# %%\nassert got == 5\n" + ADD
    found = points(graded(class_of(script=LOOPS + ADD, cells=awaits, right=[ADD]), toy_course))
    assert found["script"] == found["cells"] == found["right"] > 0


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("from google.colab import drive\ndrive.mount('/content/drive')\n", "`google.colab`"),
        ("import google.colab.files as f, kaggle_secrets\n", "`google.colab` (Google Colab), `kag"),
        ("import piplite\nawait piplite.install('x')\n", "`piplite` (JupyterLite)"),
    ],
)
def test_whoever_imports_what_is_only_elsewhere_is_graded_and_named(
    toy_course: Course, class_of: Callable[..., Path], cell: str, named: str
) -> None:
    gradebook = graded(class_of(ann=[cell + ADD], bob=[ADD]), toy_course)
    found = points(gradebook)
    assert found["ann"] == found["bob"] > 0
    (problem,) = gradebook.problems
    assert problem.kind == ProblemKind.ELSEWHERE
    assert problem.student == "ann"
    assert named in problem.message


def test_nothing_is_noted_of_what_a_check_has_made_it_import(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    late = "def add(a, b):\n    import google.colab\n    return a + b\n"
    assert graded(class_of(ann=[late]), toy_course).problems == ()


def test_a_worker_that_names_what_is_no_place_breaks_the_protocol(
    toy_course: Course, class_of: Callable[..., Path]
) -> None:
    lie = "get_ipython().elsewhere.imported.add('the student is an angel')\n"
    (score,) = graded(class_of(eve=[lie + ADD]), toy_course).scores
    assert score.ending.kind == "protocol"
