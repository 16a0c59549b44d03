from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from generated import gradebook as generated

from grader.cli.check import check
from grader.errors import GraderError
from grader.model import Isolation
from grader.reports.choices import DEFAULT, Format, Hidden
from grader.reports.gradebook_json import decode
from grader.reports.writing import write_reports


def files(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_reports_are_those_that_the_guide_names(gradebook, tmp_path):
    written = write_reports(gradebook, tmp_path)
    assert sorted(files(tmp_path)) == [
        "checks/embeddings/test_extra.html",
        "checks/embeddings/test_scale.html",
        "checks/embeddings/test_shapes.html",
        "feedback/ada/embeddings.html",
        "feedback/ada/embeddings.md",
        "feedback/bo/embeddings.html",
        "feedback/bo/embeddings.md",
        "feedback/chen/embeddings.html",
        "feedback/chen/embeddings.md",
        "gradebook.json",
        "index.html",
        "scores.csv",
        "students/ada.html",
        "students/bo.html",
        "students/chen.html",
        "students/dmitri.html",
    ]
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert decode((tmp_path / "gradebook.json").read_bytes()).course == "transformer"


def test_a_second_run_on_the_same_input_writes_the_same_bytes(gradebook, tmp_path, monkeypatch):
    later = msgspec.structs.replace(gradebook.run, seconds=99.0, host="elsewhere")
    for name, run in (("one", gradebook.run), ("two", later)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)  # pages name the folder as the command line did
        write_reports(msgspec.structs.replace(gradebook, run=run), Path("out"))
    one, two = files(tmp_path / "one/out"), files(tmp_path / "two/out")
    differing = [name for name in one if one[name] != two[name]]
    assert one.keys() == two.keys()
    assert sorted(differing) == ["gradebook.json", "index.html"]  # both tell how long it took


def test_no_student_writes_outside_the_folder_or_over_another(gradebook, make_score, tmp_path):
    names = ["../../evil", "/etc/evil", "Ada", "ada", "con", "a/b", "..", "\x00"]
    hostile = msgspec.structs.replace(gradebook, scores=tuple(make_score(n) for n in names))
    output = tmp_path / "deep" / "er" / "out"
    write_reports(hostile, output)
    assert len(list((output / "feedback").glob("*/embeddings.md"))) == len(names)
    assert len(list((output / "students").iterdir())) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("mode", ["off", "full", "pod"])
def test_every_report_says_that_there_was_no_wall_and_none_does_when_there_was(
    gradebook, tmp_path, mode
):
    book = msgspec.structs.replace(gradebook, isolation=Isolation(mode=mode))
    write_reports(book, tmp_path, list(Format))
    says = {
        ".csv": lambda text: all(line.endswith(",off") for line in text.splitlines()[1:]),
        ".xml": lambda text: (
            text.count('name="isolation" value="off: ') == text.count("<testsuite ")
        ),
        ".json": lambda text: '"mode": "off"' in text or "ran without isolation" in text,
        ".html": lambda text: "ithout isolation" in text,
        ".md": lambda text: "ran without isolation" in text,
    }
    found = files(tmp_path)
    assert {Path(name).suffix for name in found} == says.keys()
    said = {name: says[Path(name).suffix](content.decode()) for name, content in found.items()}
    assert set(said.values()) == {mode == "off"}, said


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
@pytest.mark.parametrize(("mode", "folder"), [(0o600, 0o700), (0o640, 0o750)])
def test_every_file_and_folder_is_for_whom_the_course_says(gradebook, tmp_path, mode, folder):
    output = tmp_path / "out"
    old = os.umask(0)
    try:
        write_reports(gradebook, output, list(Format), mode=mode)
    finally:
        os.umask(old)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (output, *output.rglob("*"))}
    assert {modes[path] for path in modes if path.is_dir()} == {folder}
    assert {modes[path] for path in modes if not path.is_dir()} == {mode}


def test_where_nothing_can_be_written_the_file_is_named(gradebook, tmp_path):
    (tmp_path / "feedback").write_text("in the way")
    with pytest.raises(GraderError) as caught:
        write_reports(gradebook, tmp_path)
    assert str(tmp_path / "feedback") in caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Format.TERMINAL, set()),
        (Format.JSON, set()),
        (Format.CSV, {"scores.csv"}),
        (Format.JUNIT, {"junit.xml"}),
        (Format.GRADESCOPE, {f"gradescope/{name}/embeddings.json" for name in ("ada", "bo")}),
        (Format.MARKDOWN, {f"feedback/{name}/embeddings.md" for name in ("ada", "bo", "chen")}),
    ],
)
def test_one_format_writes_its_own_files_and_the_gradebook(gradebook, tmp_path, chosen, expected):
    write_reports(gradebook, tmp_path, [chosen])
    assert set(files(tmp_path)) == {"gradebook.json", *expected}


def test_the_command_line_offers_every_format_and_the_same_defaults():
    options = {option.name: option for option in check.params}
    assert options["formats"].type.choices == tuple(one.value for one in Format)
    assert ", ".join(DEFAULT) in options["formats"].help
    assert options["show_hidden"].type.choices == tuple(one.value for one in Hidden)


def test_how_much_is_hidden_holds_in_every_kind_of_feedback(gradebook, tmp_path):
    write_reports(gradebook, tmp_path, hidden=Hidden.QUESTIONS)
    pages = list((tmp_path / "feedback").glob("bo/*"))
    assert len(pages) == 2
    for path in pages:
        assert "Token vectors are scaled" not in path.read_text()


def test_feedback_that_has_not_changed_is_not_written_again(gradebook, tmp_path):
    write_reports(gradebook, tmp_path)
    path = tmp_path / "feedback/ada/embeddings.html"
    before = path.stat().st_ino
    write_reports(gradebook, tmp_path)
    assert path.stat().st_ino == before


THOUSAND = r"""
import re, sys, time
from pathlib import Path
from generated import gradebook
from grader.reports.writing import write_reports

book = gradebook(1000)
began = time.process_time()
write_reports(book, Path(sys.argv[1]))
seconds = time.process_time() - began  # other programs on the machine don't count
# not getrusage's peak: it starts from that of the process which started this one
print(seconds, *re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in KiB")
def test_a_thousand_students_fit_into_time_memory_and_one_page(tmp_path):
    # in a process of its own: what other tests have held is in this one's peak
    done = subprocess.run(
        [sys.executable, "-c", THOUSAND, str(tmp_path)],
        cwd=Path(generated.__code__.co_filename).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kibibytes = map(float, done.stdout.split())
    assert seconds < 20
    assert kibibytes < 500 << 10
    assert (tmp_path / "index.html").stat().st_size < 3_000_000
