"""Which assignment a file is for."""

from __future__ import annotations

from pathlib import Path

import msgspec
from class_folders import COURSE, NB, fill, kinds, notebook, pairs

from grader.config.course import AssignmentConfig, Course
from grader.intake.discovery import discover


def test_metadata_decides_before_the_name_and_a_difference_is_reported(root):
    found = discover([fill(root, {"alice/blocks.ipynb": notebook("Embeddings")})], COURSE)
    assert pairs(found) == [("alice", "embeddings", "blocks.ipynb")]
    assert kinds(found) == [("mismatch", "alice", "embeddings")]


def test_metadata_of_another_course_is_no_match(root):
    found = discover([fill(root, {"alice/blocks.ipynb": notebook("alchemy")})], COURSE)
    assert found.submissions == ()
    assert kinds(found) == [("unmatched", "alice", None)]
    assert "alchemy" in found.problems[0].message


def test_the_longest_name_wins(root):
    course = _with_assignment("model")
    found = discover([fill(root, {"alice/full_model.ipynb": NB, "alice/model.ipynb": NB})], course)
    assert [(one.assignment, one.name) for one in found.submissions] == [
        ("full_model", "full_model.ipynb"),
        ("model", "model.ipynb"),
    ]


def test_a_name_for_two_assignments_is_ambiguous_unless_its_folder_tells(root):
    files = {"alice/embeddings_blocks.ipynb": NB, "bob/blocks/embeddings_blocks.ipynb": NB}
    found = discover([fill(root, files)], COURSE)
    assert [(one.student, one.assignment) for one in found.submissions] == [("bob", "blocks")]
    assert kinds(found) == [("ambiguous", "alice", None)]


def test_a_file_that_matches_nothing_is_reported_and_the_others_are_graded(root):
    found = discover(
        [fill(root, {"alice/embeddings.ipynb": NB, "alice/scratch.ipynb": NB})], COURSE
    )
    assert pairs(found) == [("alice", "embeddings", "embeddings.ipynb")]
    assert kinds(found) == [("unmatched", "alice", None)]
    assert "scratch.ipynb" in found.problems[0].where


def test_a_root_that_only_mentions_an_assignment_decides_nothing(tmp_path):
    path = fill(tmp_path / "blocks-course-2024", {"alice/work.ipynb": NB, "bob.ipynb": NB})
    assert kinds(discover([path], COURSE)) == [
        ("unmatched", "alice", None),
        ("unmatched", "bob", None),
    ]


def test_the_only_file_is_for_the_only_assignment_asked_for(root):
    fill(root, {"alice/work.ipynb": NB, "bob/a.ipynb": NB, "bob/b.ipynb": NB, "carl/hw2.ipynb": NB})
    found = discover([root], COURSE, assignments=["embeddings"])
    assert pairs(found) == [("alice", "embeddings", "work.ipynb")]
    assert kinds(found) == [("unmatched", "bob", None)] * 2
    assert found.students == ("alice", "bob", "carl")


def test_the_names_of_the_courses_own_notebooks_are_known(root, tmp_path):
    fill(tmp_path / "notebooks", {"04_tying.ipynb": notebook("weight_tying")})
    course = _with_assignment("model", notebooks=tmp_path / "notebooks")
    found = discover([fill(root, {"alice/Tying (1).ipynb": NB})], course)
    assert pairs(found) == [("alice", "weight_tying", "Tying (1).ipynb")]


def _with_assignment(name: str, notebooks: Path | None = None) -> Course:
    more = (*COURSE.assignments, AssignmentConfig(id=name, title=name))
    return msgspec.structs.replace(COURSE, assignments=more, notebooks=notebooks)
