from __future__ import annotations

import msgspec
import pytest

from grader.errors import GraderError
from grader.reports import write_reports
from grader.reports.gradebook_json import decode


def files(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_reports_are_those_that_the_guide_names(gradebook, tmp_path):
    written = write_reports(gradebook, tmp_path)
    assert sorted(files(tmp_path)) == [
        "feedback/ada/embeddings.md",
        "feedback/bo/embeddings.md",
        "feedback/chen/embeddings.md",
        "gradebook.json",
        "scores.csv",
    ]
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert decode((tmp_path / "gradebook.json").read_bytes()).course == "transformer"


def test_a_second_run_on_the_same_input_writes_the_same_bytes(gradebook, tmp_path):
    write_reports(gradebook, tmp_path / "one")
    later = msgspec.structs.replace(gradebook.run, seconds=99.0, host="elsewhere")
    write_reports(msgspec.structs.replace(gradebook, run=later), tmp_path / "two")
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    differing = [name for name in one if one[name] != two[name]]
    assert one.keys() == two.keys()
    assert differing == ["gradebook.json"]


def test_no_student_writes_outside_the_folder_or_over_another(gradebook, make_score, tmp_path):
    names = ["../../evil", "/etc/evil", "Ada", "ada", "con", "a/b", "..", "\x00"]
    hostile = msgspec.structs.replace(gradebook, scores=tuple(make_score(n) for n in names))
    output = tmp_path / "deep" / "er" / "out"
    write_reports(hostile, output)
    assert len(list((output / "feedback").glob("*/embeddings.md"))) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert not list(tmp_path.rglob("evil"))


def test_where_nothing_can_be_written_the_file_is_named(gradebook, tmp_path):
    (tmp_path / "feedback").write_text("in the way")
    with pytest.raises(GraderError) as caught:
        write_reports(gradebook, tmp_path)
    assert str(tmp_path / "feedback") in caught.value.where
    assert caught.value.hint
