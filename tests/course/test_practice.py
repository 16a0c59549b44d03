"""Notebooks that are never graded: they run, their checks tell right from wrong, no grading sees them."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from practice_notebooks import LESSONS, run
from stated_numbers import stated

from course.checking import Report, check_namespace
from grader.authoring.lessons import practice_lessons, read_lesson
from grader.authoring.nbgrader_tree import write_tree
from grader.authoring.release import build_notebooks
from grader.authoring.student_release import student_zip
from grader.config.course import load_course
from grader.errors import ReleaseError
from grader.intake.discovery import discover
from grader.judging.engine import load_suites

LESSON = LESSONS["00_tokens"]
FUNCTIONS = ("count_pairs", "merge", "train_bpe", "encode", "decode")


@pytest.fixture(scope="module")
def solved() -> tuple[str, dict[str, Any]]:
    return run("00_tokens", solved=True)


def test_it_runs_to_its_end_unsolved() -> None:
    printed, _ = run("00_tokens", solved=False)
    assert "comes alive when the cells above are solved" in printed
    assert "This demonstration stopped" not in printed
    assert "✓" not in printed


def test_its_own_answers_pass_every_check(solved: tuple[str, dict[str, Any]]) -> None:
    printed, _ = solved
    assert "✗" not in printed
    assert "Nothing is graded here." in printed
    assert "This demonstration stopped" not in printed


def test_a_check_alone_is_told_as_practice(solved: tuple[str, dict[str, Any]]) -> None:
    assert "Counting pairs: practice, 2 of 2 right" in repr(check_namespace(solved[1], "pairs"))


def reported(names: dict[str, Any], **wrong: Callable[..., Any]) -> Report:
    return check_namespace({**names, **wrong}, None)


WRONG: dict[str, tuple[str, Callable[..., Any]]] = {
    "count_pairs": ("counts", lambda ids: dict.fromkeys(pairwise(ids), 1)),
    "count_pairs that closes the row": ("short", lambda ids: {(a, ids[i - 1]): 1 for i, a in enumerate(ids)}),
    "merge that loses the last": ("examples", lambda ids, pair, new: ids[:-1]),
    "merge that changes nothing": ("overlapping", lambda ids, pair, new: list(ids)),
    "merge of the first alone": ("any_row", lambda ids, pair, new: [new, *ids[2:]]),
    "train_bpe from 0": ("ids", lambda text, n: {}),
    "train_bpe of rare pairs": ("most_frequent", lambda text, n: {(b, b): 256 for b in text.encode()[:1]}),
    "train_bpe that never stops": ("stops", lambda text, n: {(i, i): 256 + i for i in range(n)}),
    "encode of characters": ("back", lambda text, merges: [ord(c) % 256 for c in text]),
    "encode of bytes": ("order", lambda text, merges: list(text.encode())),
    "decode that is strict": ("no_text", lambda ids, merges: bytes(ids).decode()),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_noticed_by_its_check(name: str, solved: tuple[str, dict[str, Any]]) -> None:
    check, answer = WRONG[name]
    failed = {
        result.check
        for result in reported(solved[1], **{name.split()[0]: answer}).results
        if not result.passed
    }
    assert any(check in one for one in failed)


STUMBLING: dict[str, tuple[Callable[..., Any], str]] = {
    "train_bpe": (lambda text, n: {max([]): 256}, "Stop when the most frequent pair occurs"),
    "decode": (lambda ids, merges: bytes([255]).decode(), "join the bytes of all pieces"),
}


@pytest.mark.parametrize("name", STUMBLING)
def test_the_typical_error_of_an_answer_gets_the_hint(
    name: str, solved: tuple[str, dict[str, Any]]
) -> None:
    wrong, hint = STUMBLING[name]
    made = reported(solved[1], **{name: wrong})
    assert any(hint in result.hint for result in made.results)


def test_a_wrong_merge_is_not_looked_for_in_decode(solved: tuple[str, dict[str, Any]]) -> None:
    names = dict(solved[1])
    exec("def merge(ids, pair, new_id):\n    return ids[:-1]", names)
    exec(
        "def encode(text, merges):\n    ids = list(text.encode())\n"
        "    for pair, new_id in merges.items():\n        ids = merge(ids, pair, new_id)\n"
        "    return ids",
        names,
    )
    (back,) = {
        result.message.partition(":")[0]
        for result in reported(names).results
        if result.check.startswith("test_back") and not result.passed
    }
    assert back == "`encode` gave ids of other bytes than the text's"


class OtherStyle:
    """Right answers that look different: loops, recursion, the pair that was learned first."""

    @staticmethod
    def count_pairs(ids: list[int]) -> dict[tuple[int, int], int]:
        counts: dict[tuple[int, int], int] = {}
        for at in range(len(ids) - 1):
            counts[ids[at], ids[at + 1]] = counts.get((ids[at], ids[at + 1]), 0) + 1
        return counts

    @staticmethod
    def merge(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
        for at in range(len(ids) - 1):
            if (ids[at], ids[at + 1]) == tuple(pair):
                return [*ids[:at], new_id, *OtherStyle.merge(ids[at + 2 :], pair, new_id)]
        return list(ids)

    @staticmethod
    def train_bpe(text: str, n_merges: int) -> dict[tuple[int, int], int]:
        ids, found = list(text.encode()), {}
        while len(found) < n_merges:
            ranked = sorted(OtherStyle.count_pairs(ids).items(), key=lambda one: (-one[1], one[0]))
            if not ranked or ranked[0][1] == 1:
                return found
            found[ranked[0][0]] = 256 + len(found)
            ids = OtherStyle.merge(ids, ranked[0][0], found[ranked[0][0]])
        return found

    @staticmethod
    def encode(text: str, merges: dict[tuple[int, int], int]) -> list[int]:
        ids = list(text.encode())
        while known := [pair for pair in OtherStyle.count_pairs(ids) if pair in merges]:
            first = min(known, key=merges.__getitem__)
            ids = OtherStyle.merge(ids, first, merges[first])
        return ids

    @staticmethod
    def decode(ids: list[int], merges: dict[tuple[int, int], int]) -> str:
        halves = {new: pair for pair, new in merges.items()}

        def spelled(token: int) -> bytes:
            return b"".join(map(spelled, halves[token])) if token in halves else bytes([token])

        return b"".join(map(spelled, ids)).decode(errors="replace")


def test_other_right_answers_pass(solved: tuple[str, dict[str, Any]]) -> None:
    made = reported(solved[1], **{name: getattr(OtherStyle, name) for name in FUNCTIONS})
    assert all(result.passed for result in made.results), made


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_comes_back_and_gets_no_longer(
    solved: tuple[str, dict[str, Any]], text: str, other: str
) -> None:
    names = solved[1]
    merges = names["train_bpe"](text, 10)
    for one in (text, other):
        ids = names["encode"](one, merges)
        assert names["decode"](ids, merges) == one
        assert len(ids) <= len(one.encode())


def test_the_numbers_in_its_text_are_those_that_come_out(
    solved: tuple[str, dict[str, Any]],
) -> None:
    cells = (cell.source for cell in read_lesson(LESSON).cells if cell.kind == "markdown")
    prose = " ".join(" ".join(cells).split())
    (vocabulary,) = stated(prose, r"\$V = ([\d{},]+)\$")
    bytes_, merges = stated(prose, r"GPT-2 has (\d+) bytes, ([\d,]+) merges and one token more")
    assert vocabulary == bytes_ + merges + 1
    assert "the paragraph has nearly a thousand bytes" in prose
    assert 900 < len(solved[1]["PARAGRAPH"].encode()) < 1000
    (first,) = stated(prose, r"some ([\d,]+) of them, and attention")
    assert first == 6 * 1000  # five letters and a space


# ---------------------------------------------------------------- the engine


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of one assignment, with a notebook for practice."""
    from grader.authoring.new_course import new_course

    root = tmp_path_factory.mktemp("small") / "texts"
    new_course(root, split=True)
    (root / "private/practice").mkdir()
    (root / "private/practice/00_warm_up.py").write_text(
        "# %% [markdown]\n# # Warm up\n\n# %% solution\ndef twice(x):\n    return 2 * x\n"
    )
    settings = root / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(
        re.sub(r"^lessons = .*$", '\\g<0>\npractice = "private/practice"', text, flags=re.M)
    )
    return root


def test_it_is_handed_out_with_all_and_not_with_one(small: Path) -> None:
    course = load_course(small)
    suites = tuple(load_suites(course).values())
    names = [lesson.notebook_name for lesson, _ in build_notebooks(course, suites)]
    assert names == ["01_words.ipynb", "00_warm_up.ipynb"]
    with zipfile.ZipFile(io.BytesIO(student_zip(course, suites))) as archive:
        members = [name.partition("/")[2] for name in archive.namelist()]
        text = archive.read("texts/notebooks/00_warm_up.ipynb").decode()
    assert "notebooks/00_warm_up.ipynb" in members
    assert "2 * x" not in text
    assert [one.notebook_name for one, _ in build_notebooks(course, suites, assignments=["words"])] == ["01_words.ipynb"]  # fmt: skip


def test_nbgrader_collects_nothing_for_it(small: Path, tmp_path: Path) -> None:
    course = load_course(small)
    made = write_tree(course, load_suites(course).values(), tmp_path / "nb")
    assert [path.name for path in made] == ["words.ipynb"]


def test_who_hands_it_in_beside_an_answer_hears_nothing_of_it(small: Path, tmp_path: Path) -> None:
    from grader.authoring.release import notebook_bytes

    course = load_course(small)
    ada = tmp_path / "class/ada"
    shutil.copytree(small / "submissions/ada", ada)
    for lesson, notebook in build_notebooks(course, load_suites(course).values()):
        if lesson.assignment == "warm_up":
            (ada / lesson.notebook_name).write_bytes(notebook_bytes(notebook))
    found = discover([tmp_path / "class"], course)
    assert [one.assignment for one in found.submissions] == ["words"]
    assert found.problems == ()


def test_it_is_called_after_no_assignment(small: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(small, root)
    (root / "private/practice/00_warm_up.py").rename(root / "private/practice/00_words.py")
    with pytest.raises(ReleaseError, match="called after the assignment `words`"):
        practice_lessons(load_course(root))
