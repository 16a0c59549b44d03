from __future__ import annotations

import pytest
from class_folders import COURSE, NB, fill, kinds, notebook, pairs, zipped

from grader.gradesheets.enrolment import read_enrolment
from grader.intake.discovery import discover, names_of_assignments
from grader.intake.groups import Enrolment
from grader.intake.students import find_logins

MATCHER = names_of_assignments(COURSE).matcher
REPOSITORIES = {"embeddings-ann": "ann", "embeddings-bo-li": "bo-li"}


@pytest.mark.parametrize(
    ("folders", "enrolled", "logins"),
    [
        (REPOSITORIES, (), {}),
        (REPOSITORIES, ["ann", "bo-li"], REPOSITORIES),
        (REPOSITORIES, ["ann"], {"embeddings-ann": "ann"}),
        (["embeddings-Ann"], ["ANN"], {"embeddings-Ann": "Ann"}),
        (REPOSITORIES, ["embeddings-ann"], {}),
        (["embeddings-ann", "blocks-ann"], ["ann"], {"embeddings-ann": "ann", "blocks-ann": "ann"}),
        # the whole login counts, whatever its words mean elsewhere
        (["embeddings-final-boss", "embeddings-boss"], ["boss"], {"embeddings-boss": "boss"}),
        (["embeddings-final-boss"], ["final-boss", "boss"], {"embeddings-final-boss": "final-boss"}),
        # an assignment that is named twice; with a login that begins as an assignment does
        (["hw1-embeddings-a", "hw1-embeddings-b"], ["a"], {"hw1-embeddings-a": "a"}),
        (["embeddings-blocks"], ["blocks"], {"embeddings-blocks": "blocks"}),
        # GitHub's zips end with the branch; a login may end so, too
        (["embeddings-ann-main", "embeddings-bo-main"], ["ann", "bo"], {"embeddings-ann-main": "ann", "embeddings-bo-main": "bo"}),
        (["embeddings-ann-main", "embeddings-ann"], ["ann"], {"embeddings-ann": "ann"}),
        (["embeddings-ann-main"], ["ann", "ann-main"], {"embeddings-ann-main": "ann-main"}),
        # what stands before an assignment is part of a name
        (["ann-embeddings-smith", "bo-embeddings-smith"], ["smith"], {}),
        # two folders of one assignment are never one student's
        (["embeddings-ann", "Embeddings_ANN", "embeddings-bo"], ["ann", "bo"], {"embeddings-bo": "bo"}),
        (["embeddings", "embeddingsann", "embeddings-", "ann"], ["ann"], {}),
    ],
)  # fmt: skip
def test_a_repository_is_its_logins(folders, enrolled, logins):
    assert find_logins(folders, MATCHER, enrolled) == logins


def test_folders_that_differ_only_in_what_is_cut_from_names_are_no_ones_login():
    long = "embeddings-" + "a" * 200
    folders = {f"{long}b", f"{long}c"}
    assert find_logins(folders, MATCHER, ["a" * 200 + "b"]) == {}


def test_one_persons_repositories_are_one_students(tmp_path):
    files = {
        "embeddings-ann/work.ipynb": NB,
        "embeddings-bo/src/work.ipynb": NB,
        "blocks-ann/work.ipynb": notebook(source="y"),
        "blocks-bo/tests/test_blocks.py": b"x",
        "blocks-bo/work.ipynb": notebook(source="z"),
    }
    expected = [
        ("ann", "blocks", "work.ipynb"),
        ("ann", "embeddings", "work.ipynb"),
        ("bo", "blocks", "work.ipynb"),
        ("bo", "embeddings", "work.ipynb"),
    ]
    root = fill(tmp_path / "repositories", files)
    roster = Enrolment(ids=frozenset({"ann", "bo"}))
    assert pairs(discover([root], COURSE, enrolment=roster)) == expected
    folders = {name.partition("/")[0] for name in files}
    for name in folders:
        inner = {n: c for n, c in files.items() if n.startswith(f"{name}/")}
        zipped(tmp_path / "zips" / f"{name}.zip", inner)
    assert pairs(discover([tmp_path / "zips"], COURSE, enrolment=roster)) == expected
    assert discover([root], COURSE, only=["ann"], enrolment=roster).students == ("ann",)


def test_a_single_repository_is_known_by_the_roster(tmp_path):
    roster = tmp_path / "classroom_roster.csv"
    roster.write_text('"identifier","github_username","name"\n"a@x.edu","ann-d","Ann Doe"\n')
    root = fill(tmp_path / "repositories", {"embeddings-ann-d/work.ipynb": NB, "readme.md": b""})
    found = discover([root], COURSE, enrolment=read_enrolment(roster))
    assert pairs(found) == [("ann-d", "embeddings", "work.ipynb")]
    assert discover([root], COURSE).students == ("embeddings-ann-d",)
    paths = [root / "embeddings-ann-d/work.ipynb", root / "embeddings-ann-d"]
    for path in paths:
        found = discover([path], COURSE, enrolment=Enrolment(ids=frozenset({"ann-d"})))
        assert found.students == ("ann-d",)


def test_a_repository_beside_a_folder_of_its_login_is_no_other_persons(tmp_path):
    files = {f"embeddings-{login}/embeddings.ipynb": NB for login in ("ann", "bo")}
    files["ann/embeddings.ipynb"] = notebook(source="y")
    roster = Enrolment(ids=frozenset({"ann", "bo"}))
    found = discover([fill(tmp_path / "all", files)], COURSE, enrolment=roster)
    assert [one.student for one in found.submissions] == ["bo"]
    assert kinds(found) == [("duplicate", "ann", "embeddings")]
