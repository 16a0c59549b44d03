"""`[tool.grader]`: whatever stands in it, a course or a sentence; and which course is taken."""

from __future__ import annotations

import json
import math
import os
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from toy import write

from grader.config.course import Course, load_course
from grader.config.pyproject import MAX_BYTES, find_course
from grader.errors import ConfigError
from grader.intake.discovery import names_of_assignments
from grader.scoring.deadlines import deadlines
from grader.scoring.lateness import penalty

ASSIGNMENT = {"id": "words", "title": "Words", "due": "2026-03-01 23:59 Europe/Berlin"}
COURSE: dict[str, Any] = {"id": "texts", "title": "Texts"}
TEXTS = ("id", "title", "checks", "suites", "reference", "lessons", "mutants", "styles",
         "notebooks", "timezone", "extensions")  # fmt: skip
KEYS: dict[tuple[str, ...], Any] = {
    **{(key,): "a text" for key in TEXTS},
    **{(key,): ["a", "b"] for key in ("public", "preload", "preload_later")},
    ("gpu",): True,
    ("workers_per_gpu",): 2,
    **{("limits", key): 3.0 for key in ("wall_s", "cell_s", "check_s")},
    ("limits", "memory"): "1 GiB",
    ("policy", "attempts"): "latest",
    ("policy", "late"): {"penalty": "10 %"},
    ("policy", "bonus"): "cap",
    ("policy", "round_to"): 0.5,
    ("policy", "drop_lowest"): 1,
    **{("policy", "late", key): "1 day" for key in ("grace", "zero_after")},
    **{("policy", "late", key): "10 %" for key in ("penalty", "at_most")},
    ("policy", "late", "per"): "day",
    ("assignments", "id"): "words",
    ("assignments", "title"): "Words",
    ("assignments", "aliases"): ["lab 1"],
    ("assignments", "due"): "2026-03-01 23:59 Europe/Berlin",
    ("assignments", "policy"): {"bonus": "cap"},
    ("assignments", "manual"): [{"id": "why", "title": "Why?", "points": 2}],
    ("no_such_key",): 1,
    ("limits", "no_such_key"): 1,
    (): COURSE,
    ("assignments",): [],
    ("limits",): {},
    ("policy",): {},
}
NUMBERS = [0, -1, 1, 2**63, 2**64, -(2**63), 10**30, 10**400, 1e300, 1e12, 1e-300, 0.0, -0.0,
           math.inf, -math.inf, math.nan]  # fmt: skip
SIZES = ["1e400 MiB", "inf GiB", "nan MiB", "-1 GiB", "0 GiB", "1e-30 KiB", "4", "GiB", "1e300 GiB",
         "9" * 400 + " %", "-1 %", "1000 %", "9" * 400 + " days", "1e5 days", "٣ days",
         "2026-13-99 99:99", "0001-01-01 00:00Z", "9999-12-31 23:59Z"]  # fmt: skip
NAMES = ["", " ", ".", "..", "/", "a\x00b", "x" * 5000, "../" * 2000, "\x1b[31m", "é" * 300, "~",
         "latest", "UTC", "Europe", "../../etc/passwd"]  # fmt: skip
MOMENTS = [date(1, 1, 1), datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59),
           datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))),
           datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=12)))]  # fmt: skip
odd = st.sampled_from(
    [*NUMBERS, *SIZES, *NAMES, *MOMENTS, True, False, [], [[]], {}, [1, 2], ["a", "a"], {"a": {}}]
) | st.text(max_size=12).filter(lambda text: text.isprintable())


def toml(value: Any) -> str:
    """One value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}[str(value)]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
        )
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def changed(key: tuple[str, ...], value: Any) -> Any:
    """A course in which one key has this value."""
    if not key:
        return value
    table: Any = {**COURSE, "assignments": [dict(ASSIGNMENT)]}
    place = table
    for name in key[:-1]:
        if name == "assignments":
            place = place["assignments"][0]
        else:
            place = place.setdefault(name, {"penalty": "10 %"} if name == "late" else {})
    place[key[-1]] = value
    return table


def read(folder: Path, content: str) -> Course | ConfigError:
    write(folder / "pyproject.toml", content)
    try:
        return load_course(folder)
    except ConfigError as error:
        return error


def assert_a_sentence(error: ConfigError, folder: Path) -> None:
    assert "\n" not in error.message
    assert len(error.message) < 1500
    assert "Error(" not in error.message
    assert str(folder) in error.where


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("course")


@given(key=st.sampled_from(sorted(KEYS)), value=odd)
@example(key=("notebooks",), value="9" * 300)
def test_every_key_takes_a_value_or_says_what_is_wrong_with_it(
    folder: Path, key: tuple[str, ...], value: Any
) -> None:
    found = read(folder, f"tool = {{grader = {toml(changed(key, value))}}}\n")
    if isinstance(found, ConfigError):
        assert_a_sentence(found, folder)
        if key and "no_such_key" not in key:
            assert key[-1] in found.message or key[0] in found.message or "two" in found.message
        return
    # what was taken can be used
    names_of_assignments(found).matcher.read("words")
    for one in found.assignments:
        due = deadlines(found, None)("ann", one.id)
        if one.policy.late is not None and due is not None:
            penalty(8.0, 10.0, due.at + timedelta(days=40), due.at, one.policy.late)
    limits = found.limits
    assert all(0 < s < 1e6 for s in (limits.wall_s, limits.cell_s, limits.check_s))
    assert 1 << 20 < limits.memory_bytes < 1 << 60


@pytest.mark.parametrize("key", sorted(KEYS))
def test_the_usual_values_are_taken(folder: Path, key: tuple[str, ...]) -> None:
    for path in ("a text", "a", "b"):
        write(folder / path, "")
    found = read(folder, f"tool = {{grader = {toml(changed(key, KEYS[key]))}}}\n")
    refused = {("no_such_key",), ("limits", "no_such_key"), ("timezone",)}
    assert isinstance(found, ConfigError) == (key in refused), found


@pytest.mark.parametrize(
    "content",
    ["tool = 5", "tool.grader = 5", "tool.grader = []", "[tool]", "", "x = " + "[" * 100_000,
     "x = " + "9" * 5000, "x = 1\nx = 2", "\x00", "#" * (MAX_BYTES + 1)],
    ids=lambda content: content[:20].replace("\x00", "NUL"),
)  # fmt: skip
def test_a_file_that_holds_no_course_is_told(tmp_path: Path, content: str) -> None:
    found = read(tmp_path, content)
    assert isinstance(found, ConfigError)
    assert_a_sentence(found, tmp_path)


@pytest.mark.parametrize("place", ["checks", "suites", "public"])
@pytest.mark.parametrize("path", ["x" * 300, "a\x00b", "nowhere", ""], ids=lambda path: path[:9])
def test_a_folder_that_cannot_be_is_named(tmp_path: Path, place: str, path: str) -> None:
    value = [path] if place == "public" else path
    found = read(tmp_path, f"tool = {{grader = {toml(changed((place,), value))}}}\n")
    assert isinstance(found, ConfigError)
    assert f"{place} = " in found.message


# ---------------------------------------------------------------- which course


TABLE = '[tool.grader]\nid = "c"\ntitle = "C"\nassignments = [{id = "words", title = "Words"}]\n'


@pytest.fixture
def term(tmp_path: Path) -> Path:
    """A course with the folders of two students, one of whom has handed in a course."""
    write(tmp_path / "term/pyproject.toml", TABLE)
    write(tmp_path / "term/submissions/ann/words.py", "")
    write(tmp_path / "term/submissions/eve/pyproject.toml", TABLE)
    write(tmp_path / "term/submissions/eve/deep/words.py", "")
    write(tmp_path / "term/submissions/eve/words.ipynb", "{}")
    return tmp_path / "term"


@pytest.mark.parametrize("start", ["submissions/eve", "submissions/eve/deep"])
@pytest.mark.parametrize(
    "graded", [[], ["words.ipynb"], ["."], [".."], ["../eve"], ["../ann", "."], ["/"], ["gone.py"]]
)
def test_a_course_below_another_is_never_taken(term: Path, start: str, graded: list[str]) -> None:
    here = term / start
    with pytest.raises(ConfigError) as error:
        find_course(here, [here / path for path in graded])
    assert "--course" in error.value.hint


@pytest.mark.parametrize(
    "graded",
    [".", "..", "/", "words.ipynb", "link", "loop", "link.py", "../alone/words.ipynb"],
)
def test_a_course_within_what_is_graded_is_never_taken(tmp_path: Path, graded: str) -> None:
    alone = tmp_path / "alone"
    write(alone / "pyproject.toml", TABLE)
    write(alone / "words.ipynb", "{}")
    (alone / "link").symlink_to(tmp_path)
    (alone / "loop").symlink_to(alone)
    (alone / "link.py").symlink_to(alone / "words.ipynb")
    with pytest.raises(ConfigError, match="may be part") as error:
        find_course(alone, [alone / graded])
    assert "--course" in error.value.hint


@pytest.mark.parametrize(
    ("start", "graded"),
    [
        (".", ["submissions"]),
        (".", ["submissions/eve/words.ipynb"]),
        (".", ["download.zip"]),
        ("submissions", ["."]),
        ("submissions/ann", ["words.py"]),
        ("submissions/ann", ["."]),
        ("submissions/ann", ["../eve"]),
        (".", []),
    ],
)
def test_the_course_around_submissions_is_taken(term: Path, start: str, graded: list[str]) -> None:
    here = term / start
    assert find_course(here, [here / path for path in graded]) == term


def test_a_file_further_up_that_nobody_can_read_is_no_course(term: Path) -> None:
    write(term.parent / "pyproject.toml", "tool = [")
    assert find_course(term / "submissions") == term


def test_a_broken_file_on_the_way_is_told_with_a_way_around_it(term: Path) -> None:
    write(term / "submissions/ann/pyproject.toml", "tool = [")
    with pytest.raises(ConfigError, match="not valid TOML") as error:
        find_course(term / "submissions/ann")
    assert "--course" in error.value.hint


def test_a_course_that_is_named_is_taken_wherever_it_lies(term: Path) -> None:
    eve = term / "submissions/eve"
    assert load_course(eve, [eve]).root == eve


@pytest.mark.skipif(os.name == "nt", reason="the folder one is in can't be removed there")
def test_a_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ConfigError, match="is gone"):
        load_course()
