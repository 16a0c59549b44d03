"""The code of each submission on a page of its own, beside what was lost with it."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from toy import RIGHT, Silent, notebook

from grader.config.course import Course
from grader.gradebook import Gradebook
from grader.pipeline import Options, check
from grader.reports.writing import write_reports

pytestmark = pytest.mark.slow

WRONG = RIGHT.replace("self.n = start", "self.n = 0").replace("return a + b", "return a + b + 1")
RAISES = "def add(a, b):\n    x = 1 / 0  # <b>\n    return x\n"


@pytest.fixture
def graded(toy_course: Course, class_of: Callable[..., Path]) -> Gradebook:
    work = class_of(ann=WRONG, bob=["import math", RAISES], cyd=RIGHT)
    return check([work], toy_course, Options(), Silent())


def written(gradebook: Gradebook, folder: Path) -> dict[str, str]:
    write_reports(gradebook, folder)
    pages = [*folder.glob("code/*/*.html"), *folder.glob("students/*.html")]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in pages}


def text_of(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page)


def test_what_was_lost_stands_beside_the_code(graded: Gradebook, tmp_path: Path) -> None:
    pages = written(graded, tmp_path / "out")
    bob = pages["code/bob/adding.html"]
    (lost,) = re.findall(r'<span class="line lost" id="c2-2">.*?</span></span>\n?', bob, re.S)
    assert "x = 1 / 0  # &lt;b&gt;" in text_of(lost)
    assert 'href="../../students/bob.html#check-adding-1"' in lost
    ann = pages["code/ann/adding.html"]
    assert 'id="answer-add"' in ann
    assert 'id="answer-Counter"' in ann
    assert '<span class="line about" id="c1-1">' in ann
    assert 'class="note"' not in pages["code/cyd/adding.html"]


def test_a_lost_check_leads_to_its_code_and_says_how_to_run_it_again(
    graded: Gradebook, tmp_path: Path
) -> None:
    pages = written(graded, tmp_path / "out")
    ann, bob = pages["students/ann.html"], pages["students/bob.html"]
    assert 'href="../code/ann/adding.html#answer-Counter"' in ann
    assert 'href="../code/bob/adding.html#c2-2"' in bob
    command = f"grader try --results {tmp_path / 'out'} ann adding test_counts"
    assert command in text_of(ann)
    failed = re.findall(r'<span class="line lost"><span class="number">(\d+)</span>(.*?)\n', ann)
    assert ("7", "assert counter.up().value() == start + 2") in [
        (number, text_of(line).strip()) for number, line in failed
    ]
    assert "Hint: Keep the count in the object." in ann


def test_pages_lead_from_student_to_student(graded: Gradebook, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for name, page in written(graded, folder).items():
        for link in re.findall(r'href="([^"#]+)', page):
            assert ((folder / name).parent / link).exists(), (name, link)
    bob = (folder / "code/bob/adding.html").read_text()
    assert '<a id="before" href="../../code/ann/adding.html">' in bob
    assert '<a id="after" href="../../code/cyd/adding.html">' in bob
    assert (
        '<a id="after" href="../students/bob.html">' in (folder / "students/ann.html").read_text()
    )


def test_only_pages_on_which_something_has_changed_are_made_anew(
    graded: Gradebook, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    written(graded, folder)
    for path in folder.glob("code/*/*.html"):
        os.utime(path, (0, 0))
    scores = [
        msgspec.structs.replace(one, earned=0.5) if one.student == "bob" else one
        for one in graded.scores
    ]
    written(msgspec.structs.replace(graded, scores=tuple(scores)), folder)
    fresh = [p.parent.name for p in folder.glob("code/*/*.html") if p.stat().st_mtime > 0]
    assert fresh == ["bob"]


def test_a_file_that_has_gone_is_told_until_it_is_back(graded: Gradebook, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    file = tmp_path / "submissions/ann/adding.py"
    file.rename(tmp_path / "away")
    assert "No code can be shown" in written(graded, folder)["code/ann/adding.html"]
    (tmp_path / "away").rename(file)
    assert "self.n = 0" in text_of(written(graded, folder)["code/ann/adding.html"])


def test_what_differs_between_two_attempts_out_of_an_archive(
    toy_course: Course, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "canvas.zip", "w") as archive:
        archive.writestr("roezoe_103_9003_adding.ipynb", notebook(RIGHT))
        archive.writestr("roezoe_103_9004_adding-1.ipynb", notebook(WRONG))
    options = Options(assignments=("adding",))
    book = check([tmp_path / "canvas.zip"], toy_course, options, Silent())
    page = written(book, tmp_path / "out")["code/roezoe_103/adding.html"]
    assert "What is different from attempt 1" in page
    assert '<span class="line gone">-        self.n = start\n' in page
    assert '<span class="line added">+        self.n = 0\n' in page
    assert "(in an archive)" in page
