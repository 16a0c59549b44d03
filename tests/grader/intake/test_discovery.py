from __future__ import annotations

import pytest
from class_folders import COURSE, NB, Files, fill, kinds, notebook, pairs, posix, zipped

from grader.errors import ConfigError, IntakeError, NothingToGrade, UsageError
from grader.intake.discovery import discover
from grader.intake.reading import read_submission
from tests.grader.intake.test_discovery_of_assignments import _with_assignment

# ---------------------------------------------------------------- layouts

LAYOUTS: list[tuple[Files, list[tuple[str, str, str]]]] = [
    (
        {"alice/embeddings.ipynb": NB, "bob/01-Embeddings (2).ipynb": NB, "bob/hw2.py": b"x"},
        [
            ("alice", "embeddings", "embeddings.ipynb"),
            ("bob", "blocks", "hw2.py"),
            ("bob", "embeddings", "01-Embeddings (2).ipynb"),
        ],
    ),
    (
        {
            "alice/embeddings/work.ipynb": NB,
            "alice/blocks/work.ipynb": NB,
            "bob/blocks/x.ipynb": NB,
        },
        [
            ("alice", "blocks", "work.ipynb"),
            ("alice", "embeddings", "work.ipynb"),
            ("bob", "blocks", "x.ipynb"),
        ],
    ),
    (
        {"alice.ipynb": notebook("blocks"), "embeddings_bob.ipynb": NB, "bob-blocks_v2.ipynb": NB},
        [
            ("alice", "blocks", "alice.ipynb"),
            ("bob", "blocks", "bob-blocks_v2.ipynb"),
            ("bob", "embeddings", "embeddings_bob.ipynb"),
        ],
    ),
    (
        {
            "class of 2026/alice/embeddings.ipynb": NB,
            "class of 2026/bob/embeddings.ipynb": NB,
            "class of 2026/README.txt": b"",
        },
        [("alice", "embeddings", "embeddings.ipynb"), ("bob", "embeddings", "embeddings.ipynb")],
    ),
    (
        {"submissions/alice/embeddings.ipynb": NB, "submissions/README.txt": b""},
        [("alice", "embeddings", "embeddings.ipynb")],
    ),
    (
        {"alice/deep/er/embeddings.ipynb": NB, "bob/hw1.ipynb": NB},
        [("alice", "embeddings", "embeddings.ipynb"), ("bob", "embeddings", "hw1.ipynb")],
    ),
    (
        {"embeddings/alice/x.ipynb": NB, "embeddings/bob/x.ipynb": NB, "blocks/alice/y.ipynb": NB},
        # one of the folders has one person only: still folders of assignments
        [
            ("alice", "blocks", "y.ipynb"),
            ("alice", "embeddings", "x.ipynb"),
            ("bob", "embeddings", "x.ipynb"),
        ],
    ),
]


@pytest.mark.parametrize(("files", "expected"), LAYOUTS)
def test_a_folder_and_its_archives_give_the_same(root, tmp_path, files, expected):
    assert pairs(discover([fill(root, files)], COURSE)) == expected
    flat = zipped(tmp_path / "flat.zip", files)
    assert pairs(discover([flat], COURSE)) == expected
    wrapped = {f"submissions/{name}": files[name] for name in files}
    assert pairs(discover([zipped(tmp_path / "x.zip", wrapped)], COURSE)) == expected
    assert pairs(discover([fill(tmp_path / "x", wrapped)], COURSE)) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"embeddings.ipynb": NB, "02 blocks.ipynb": notebook(source="y")},
        {"embeddings/a.ipynb": NB, "blocks/b.ipynb": NB},
        {"embeddings.ipynb": NB, "blocks/b.ipynb": NB, "data/x.csv": b""},
    ],
)
def test_a_folder_of_assignments_is_one_students(tmp_path, files):
    for path in (
        fill(tmp_path / "alice", files),
        zipped(tmp_path / "alice.zip", files),
        zipped(tmp_path / "download.zip", {f"alice/{name}": files[name] for name in files}),
        fill(tmp_path / "all", {f"alice/{name}": files[name] for name in files}),
    ):
        found = discover([path], COURSE)
        assert [(one.student, one.assignment) for one in found.submissions] == [
            ("alice", "blocks"),
            ("alice", "embeddings"),
        ]
        assert found.problems == ()


def test_a_folder_with_a_file_of_no_telling_name_is_one_students(tmp_path):
    path = fill(tmp_path / "alice", {"Untitled1.ipynb": notebook("blocks")})
    assert pairs(discover([path], COURSE)) == [("alice", "blocks", "Untitled1.ipynb")]


def test_an_assignments_folder_of_a_student_can_be_named(tmp_path):
    fill(tmp_path / "submitted", {"alice/embeddings/work.ipynb": NB})
    found = discover([tmp_path / "submitted/alice/embeddings"], COURSE)
    assert pairs(found) == [("alice", "embeddings", "work.ipynb")]


def test_a_folder_named_after_an_assignment_holds_its_students(tmp_path):
    path = fill(tmp_path / "embeddings", {"alice.ipynb": NB, "bob.ipynb": NB, "carl/x.ipynb": NB})
    assert [(one.student, one.assignment) for one in discover([path], COURSE).submissions] == [
        ("alice", "embeddings"),
        ("bob", "embeddings"),
        ("carl", "embeddings"),
    ]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("alice/embeddings.ipynb", "alice"),
        ("alice/embeddings/hw1.py", "alice"),
        ("x/embeddings_bob.ipynb", "bob"),
    ],
)
def test_a_single_file_is_its_students(tmp_path, name, student):
    fill(tmp_path, {name: NB})
    assert [one.student for one in discover([tmp_path / name], COURSE).submissions] == [student]


def test_a_single_file_that_names_its_student_is_told_by_its_metadata(tmp_path):
    fill(tmp_path, {"carl.ipynb": notebook("full_model")})
    assert pairs(discover([tmp_path / "carl.ipynb"], COURSE)) == [
        ("carl", "full_model", "carl.ipynb")
    ]


def test_archives_inside_a_folder_are_students_or_their_files(root):
    zipped(root / "alice.zip", {"embeddings.ipynb": NB})
    zipped(root / "bob/work.zip", {"some/where/hw1.ipynb": NB, "hw2.py": b"x"})
    found = discover([root], COURSE)
    assert pairs(found) == [
        ("alice", "embeddings", "embeddings.ipynb"),
        ("bob", "blocks", "hw2.py"),
        ("bob", "embeddings", "hw1.ipynb"),
    ]
    assert [read_submission(one) for one in found.submissions] == [NB, b"x", NB]
    assert found.problems == ()


def test_each_path_is_looked_at_alone_and_students_come_together(tmp_path):
    fill(tmp_path / "week1", {"alice/embeddings.ipynb": NB, "bob/embeddings.ipynb": NB})
    fill(tmp_path / "week2", {"alice/blocks.ipynb": NB})
    paths = [tmp_path / "week2", tmp_path / "week1", tmp_path / "week1"]
    found = discover(paths, COURSE)
    assert [(one.student, one.assignment) for one in found.submissions] == [
        ("alice", "blocks"),
        ("alice", "embeddings"),
        ("bob", "embeddings"),
    ]
    assert found.problems == ()


def test_the_order_of_paths_and_of_the_disk_makes_no_difference(root):
    files = {f"s{number}/{name}.ipynb": NB for number in range(12) for name in ("hw1", "hw2")}
    first = discover([fill(root, files)], COURSE)
    second = discover([root / f"s{number}" for number in reversed(range(12))], COURSE)
    assert [(s.student, s.assignment, s.path) for s in first.submissions] == [
        (s.student, s.assignment, s.path) for s in second.submissions
    ]
    assert first.students == second.students == tuple(sorted(f"s{number}" for number in range(12)))


# ---------------------------------------------------------------- never a guess


def test_two_different_files_for_one_assignment_are_both_left_alone(root):
    files = {
        "alice/embeddings.ipynb": NB,
        "alice/embeddings (1).ipynb": notebook(source="y"),
        "alice/blocks.ipynb": NB,
    }
    found = discover([fill(root, files)], COURSE)
    assert pairs(found) == [("alice", "blocks", "blocks.ipynb")]
    assert kinds(found) == [("duplicate", "alice", "embeddings")]
    assert "embeddings (1).ipynb" in found.problems[0].where


REPOSITORY = {
    "tests/test_embeddings.py": b"x",
    "tests/embeddings.ipynb": notebook(source="t"),
    "embeddings_test.py": b"x",
    "conftest.py": b"x",
    "src/__init__.py": b"x",
    "src/embeddings/embeddings.py": b"x",
    "01 embeddings.py": b"# %%\nx = 1",
    "export/embeddings-final.py": b"#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\nx",
    "01 embeddings.nbconvert.ipynb": notebook(source="z"),
    "01 embeddings-checkpoint.ipynb": notebook(source="old"),
    "01 embeddings.ipynb.html": b"<html>",
}


@pytest.mark.parametrize("more", [*REPOSITORY, ""])
@pytest.mark.parametrize("said", [None, "embeddings"])
def test_a_repository_is_a_hand_in(root, more, said):
    chosen = {more, "src/__init__.py"} if more else REPOSITORY
    files = {f"a/{name}": REPOSITORY[name] for name in chosen}
    answer = {"a/01 embeddings.ipynb": notebook(said, source="answer")}
    found = discover([fill(root, {**files, **answer, "b/hw1.py": b""})], COURSE)
    assert ("a", "embeddings", "01 embeddings.ipynb") in pairs(found)
    assert {kind for kind, *_ in kinds(found)} == {"unmatched"}
    told = ", ".join(problem.where for problem in found.problems)
    assert all(name in told for name in files)


def test_metadata_beats_a_name_and_the_other_is_reported(root):
    files = {"a/work.ipynb": notebook("embeddings"), "a/embeddings.ipynb": NB, "b/hw1.py": b""}
    found = discover([fill(root, files)], COURSE)
    assert pairs(found)[0] == ("a", "embeddings", "work.ipynb")
    assert [kind for kind, *_ in kinds(found)] == ["unmatched"]


@pytest.mark.parametrize("name", ["embeddings_utils.py", "plot_embeddings.py"])
def test_a_helper_that_mentions_the_assignment_is_no_rival(root, name):
    found = discover([fill(root, {"a/embeddings.ipynb": NB, f"a/{name}": b"x"})], COURSE)
    assert pairs(found) == [("a", "embeddings", "embeddings.ipynb")]


@pytest.mark.parametrize("name", ["embeddings_a.py", "embeddings final.py", "embeddings2.ipynb"])
def test_two_files_that_may_both_be_the_answer_are_rivals(root, name):
    files = {"a/embeddings.ipynb": NB, f"a/{name}": notebook(source="y"), "b/hw1.py": b""}
    found = discover([fill(root, files)], COURSE)
    assert kinds(found) == [("duplicate", "a", "embeddings")]


@pytest.mark.parametrize("name", ["test_embeddings.py", "embeddings_test.py"])
def test_what_is_called_a_test_is_the_answer_where_it_is_all_there_is(root, name):
    found = discover([fill(root, {f"a/{name}": b"x", "b/hw1.py": b""})], COURSE)
    assert ("a", "embeddings", name) in pairs(found)


def test_a_helper_is_not_advised_to_become_a_rival(root):
    found = discover([fill(root, {"a/embeddings.ipynb": NB, "a/utils.py": b"x"})], COURSE)
    (problem,) = found.problems
    assert "name it after" not in problem.hint
    assert "cells" in problem.hint


def test_a_notebook_as_it_was_handed_out_is_no_rival(root, tmp_path):
    fill(tmp_path / "notebooks", {"04_tying.ipynb": notebook("weight_tying")})
    course = _with_assignment("model", notebooks=tmp_path / "notebooks")
    done = notebook("weight_tying", source="done")
    files = {"a/given/04_tying.ipynb": notebook("weight_tying"), "a/my tying.ipynb": done}
    found = discover([fill(root, files)], course)
    assert [one.name for one in found.submissions] == ["my tying.ipynb"]


def test_equal_copies_are_one_candidate_and_reported(root):
    found = discover(
        [fill(root, {"a/embeddings.ipynb": NB, "a/embeddings - Copy.ipynb": NB})], COURSE
    )
    assert len(found.submissions) == 1
    assert kinds(found) == [("duplicate", "a", "embeddings")]
    assert "equal" in found.problems[0].message


def test_an_unreadable_candidate_is_a_candidate(root):
    fill(root, {"a/embeddings.ipynb": NB})
    with (root / "a/embeddings2.ipynb").open("wb") as stream:
        stream.truncate(100 << 20)
    found = discover([root], COURSE)
    assert found.submissions == ()
    assert kinds(found) == [("duplicate", "a", "embeddings")]


def test_helpers_in_an_assignments_folder_yield_to_its_notebook(root):
    files = {"a/embeddings/work.ipynb": NB, "a/embeddings/tools.py": b"x", "b/hw1/hw1.ipynb": NB}
    files |= {"b/hw1/extra.ipynb": notebook(source="z")}
    found = discover([fill(root, files)], COURSE)
    assert [(one.student, one.name) for one in found.submissions] == [
        ("a", "work.ipynb"),
        ("b", "hw1.ipynb"),
    ]
    assert kinds(found) == [("unmatched", "a", "embeddings"), ("unmatched", "b", "embeddings")]


@posix
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        ("Mu\u0308ller", "Müller"),
        ("ﬁn", "fin"),
        ("straße", "STRASSE"),
        ("ℂ", "c"),
    ],
)
def test_students_who_are_alike_are_not_graded(root, one, other):
    fill(root, {f"{one}/embeddings.ipynb": NB, "bob/embeddings.ipynb": NB})
    fill(root, {f"{other}/embeddings.ipynb": notebook(source="y")})
    if len(list(root.iterdir())) != 3:
        pytest.skip("this file system takes the two names for one")
    found = discover([root], COURSE)
    assert [submission.student for submission in found.submissions] == ["bob"]
    assert [problem.kind for problem in found.problems] == ["same-student"] * 2
    assert "bob" in found.students


def test_students_who_are_alike_in_an_archive_are_not_graded(tmp_path):
    files = {"alice/embeddings.ipynb": NB, "ALICE/blocks.ipynb": NB, "bob/blocks.ipynb": NB}
    found = discover([zipped(tmp_path / "a.zip", files)], COURSE)
    assert [submission.student for submission in found.submissions] == ["bob"]


@posix
def test_a_name_that_had_to_be_changed_is_reported_without_its_escapes(root):
    found = discover(
        [fill(root, {"ev\x1b[31m\u202eil/embeddings.ipynb": NB, "b/hw1.py": b"x"})], COURSE
    )
    assert [one.student for one in found.submissions] == ["b", "ev[31mil"]
    (problem,) = found.problems
    assert problem.kind == "renamed"
    assert "\x1b" not in problem.message + problem.where
    assert "ev\\x1b[31m\\u202eil" in problem.message


def test_a_file_of_nobody_beside_students_is_reported(root):
    files = {"alice/hw1.ipynb": NB, "embeddings.ipynb": NB, "blocks/x.ipynb": NB}
    found = discover([fill(root, files)], COURSE)
    assert [one.student for one in found.submissions] == ["alice"]
    assert kinds(found) == [("unowned", None, "blocks"), ("unowned", None, "embeddings")]


# ---------------------------------------------------------------- what was asked for


def test_only_the_students_named_are_looked_at(root):
    fill(root, {f"{name}/embeddings.ipynb": NB for name in ("alice", "bob", "Müller")})
    found = discover([root], COURSE, only=["BOB", "Mu\u0308ller"])
    assert found.students == ("Müller", "bob")
    assert [one.student for one in found.submissions] == ["Müller", "bob"]
    with pytest.raises(UsageError) as error:
        discover([root], COURSE, only=["alise"])
    assert "'alice'" in error.value.hint


def test_only_the_assignments_named_are_looked_at(root):
    files = {f"alice/{name}.ipynb": NB for name in ("embeddings", "blocks", "full_model")}
    found = discover([fill(root, files)], COURSE, assignments=["blocks", "full_model"])
    assert [one.assignment for one in found.submissions] == ["blocks", "full_model"]
    assert found.problems == ()
    with pytest.raises(ConfigError, match="blox"):
        discover([root], COURSE, assignments=["blox"])


@pytest.mark.parametrize("files", [{}, {"README.txt": b"", ".hidden/embeddings.ipynb": NB}])
def test_a_folder_without_submissions_is_nothing_to_grade(root, tmp_path, files):
    for path in (fill(root, files), zipped(tmp_path / "a.zip", files)):
        with pytest.raises(NothingToGrade):
            discover([path], COURSE)


def test_a_path_that_is_no_submission_is_a_usage_error(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.zip").write_text("")
    for name in ("no", "a.txt", "x\0y"):
        with pytest.raises(UsageError):
            discover([tmp_path / name], COURSE)
    with pytest.raises(IntakeError, match="zip"):
        discover([tmp_path / "b.zip"], COURSE)
