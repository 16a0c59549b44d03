"""Hostile files, as an LMS hands them over: each is named in the report, all others are graded.

The numbers are those of the threat model (docs/threat-model.md, "Files and reports").
"""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from toy import RIGHT, notebook, write, write_course

ROOT = Path(__file__).parents[2]
SECRET = "nobody reads this"

Content = bytes | Callable[[], bytes]


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def special(name: str, mode: int, target: bytes) -> bytes:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return zipped((info, target))


def damaged(content: bytes, place: int, value: bytes) -> bytes:
    return content[:place] + value + content[place + len(value) :]


def encrypted() -> bytes:
    content = zipped(("adding.py", RIGHT.encode()))
    directory = content.index(b"PK\x01\x02")
    return damaged(damaged(content, 6, b"\x01"), directory + 8, b"\x01")


def bad_sum() -> bytes:
    content = zipped(("adding.py", RIGHT.encode()))
    return damaged(content, content.index(b"PK\x01\x02") + 16, b"\xff\xff\xff\xff")


def liar_about_its_size() -> bytes:
    """A member that unpacks to more than its header says."""
    content = zipped(("adding.py", b"#" * 5_000_000))
    directory = content.index(b"PK\x01\x02")
    return damaged(
        damaged(content, 22, struct.pack("<I", 10)), directory + 24, struct.pack("<I", 10)
    )


def cells(*values: Any, **more: Any) -> bytes:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(values)} | more
    ).encode()


def code(source: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}


# file name and content; each is one student's only work and can't be graded
UNUSABLE: dict[str, tuple[str, Content]] = {
    # 37: archives
    "climbs_out": ("work.zip", zipped(("../../zoe/adding.py", b"x = 1"))),
    "absolute": ("work.zip", zipped(("/tmp/adding.py", b"x = 1"))),
    "drive": ("work.zip", zipped(("C:\\adding.py", b"x = 1"))),
    "link": ("work.zip", special("adding.py", stat.S_IFLNK | 0o777, b"/etc/passwd")),
    "fifo_in_zip": ("work.zip", special("adding.py", stat.S_IFIFO | 0o666, b"")),
    "device_in_zip": ("work.zip", special("adding.py", stat.S_IFCHR | 0o666, b"")),
    "bomb": ("work.zip", lambda: zipped(("adding.ipynb", b" " * (40 << 20)))),
    "liar": ("work.zip", liar_about_its_size),
    "encrypted": ("work.zip", encrypted()),
    "truncated": ("work.zip", zipped(("adding.py", RIGHT.encode()))[:-30]),
    "bad_sum": ("work.zip", bad_sum()),
    "twice": ("work.zip", zipped(("adding.py", b"x = 1"), ("adding.py", b"y = 1"))),
    "crowd": ("work.zip", lambda: zipped(*((f"{n}/adding.py", b"x") for n in range(21_000)))),
    "nothing": ("work.zip", zipped()),
    "not_a_zip": ("work.zip", b"PK\x03\x04" + os.urandom(500)),
    "zip_as_notebook": ("adding.ipynb", zipped(("adding.py", RIGHT.encode()))),
    "case_twins": ("work.zip", zipped(("adding.py", b"x = 1"), ("ADDING.py", b"y = 1"))),
    # notebooks
    "binary": ("adding.ipynb", bytes(range(256)) * 10),
    "void": ("adding.ipynb", b""),
    "deep_lists": ("adding.ipynb", b"[" * 200_000),
    "deep_objects": ("adding.ipynb", b'{"cells":' * 100_000),
    "deep_metadata": ("adding.ipynb", b'{"metadata": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b', "cells": []}'),
    "number": ("adding.ipynb", b"1" * 1_000_000),
    "text": ("adding.ipynb", b'"' + b"x" * 1_000_000 + b'"'),
    "cells_are_text": ("adding.ipynb", b'{"nbformat": 4, "cells": "none"}'),
    "cells_are_numbers": ("adding.ipynb", cells(1, 2, 3)),
    "source_is_a_number": ("adding.ipynb", cells(code(1))),
    "source_is_an_object": ("adding.ipynb", cells(code({"a": 1}))),
    "endless": ("adding.ipynb", lambda: b'{"cells": [' + b'{"cell_type": "code", "source": ""},' * 200_000 + b"0]}"),
    "huge": ("adding.ipynb", lambda: cells(code("x"), padding="x" * (12 << 20))),
    "script_of_binary": ("adding.py", bytes(range(256)) * 10),
}  # fmt: skip

# odd, but anybody can see what is meant: graded
USABLE: dict[str, tuple[str, Content]] = {
    "byte_order_mark": ("adding.ipynb", b"\xef\xbb\xbf" + notebook(RIGHT).encode()),
    "not_a_number": ("adding.ipynb", cells(code(RIGHT), ).replace(b'"outputs": []', b'"outputs": [NaN]')),
    "old_format": ("adding.ipynb", json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": RIGHT}]}]}).encode()),
    "surrogates": ("adding.ipynb", cells({"cell_type": "markdown", "source": "\ud800"}, code(RIGHT))),
    "active_outputs": (
        "adding.ipynb",
        cells(code(RIGHT) | {"outputs": [{"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>"}}]}),
    ),
    "comment": ("work.zip", zipped(("adding.py", RIGHT.encode())) [:-2] + b"\x05\x00hello"),
    "syntax_error": ("adding.ipynb", notebook("def (", RIGHT).encode()),
    "nul_byte": ("adding.ipynb", cells(code("x = 1\0"), code(RIGHT))),
    "deep_expression": ("adding.ipynb", notebook("x = " + "(" * 5000 + ")" * 5000, RIGHT).encode()),
    "long_line": ("adding.ipynb", notebook("x = " + "1+" * 100_000 + "1", RIGHT).encode()),
}  # fmt: skip


def make_links(folder: Path, secret: Path) -> None:
    """What is no file at all, in students' folders."""
    for name in ("symlink", "fifo", "socket", "folder", "loop", "dangling"):
        (folder / name).mkdir()
    (folder / "symlink/adding.py").symlink_to(secret)
    os.mkfifo(folder / "fifo/adding.ipynb")
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(folder / "socket")  # a socket's path must be short
        made.bind("adding.ipynb")
        os.chdir(here)
    (folder / "folder/adding.ipynb").mkdir()
    (folder / "loop/loop").symlink_to(folder / "loop")
    (folder / "dangling/adding.ipynb").symlink_to(folder / "nowhere")


NO_FILES = ("symlink", "fifo", "socket", "folder", "loop", "dangling")


@dataclass(frozen=True)
class Graded:
    done: subprocess.CompletedProcess[str]
    book: dict[str, Any]
    output: Path

    def score(self, student: str) -> dict[str, Any] | None:
        return next((s for s in self.book["scores"] if s["student"] == student), None)

    def named(self, student: str) -> bool:
        problems = [p for p in self.book["problems"] if student in (p["student"] or p["where"])]
        score = self.score(student)
        return bool(problems) or bool(score and score["ending"]["message"])


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    root = tmp_path_factory.mktemp("files")
    write_course(root / "course")
    folder = root / "class"
    write(folder / "ann/adding.py", RIGHT)
    write(folder / "zoe/adding.py", RIGHT)
    for student, (name, content) in (UNUSABLE | USABLE).items():
        (folder / student).mkdir()
        (folder / student / name).write_bytes(content() if callable(content) else content)
    make_links(folder, write(root / "secret", f"{RIGHT}\nTOLD = {SECRET!r}\n"))
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", "check", str(folder), "--output", str(root / "out")],
        cwd=root / "course",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Graded(done, json.loads((root / "out/gradebook.json").read_text()), root / "out")


def test_it_ends_with_what_is_ungraded_and_without_a_traceback(graded: Graded) -> None:
    assert graded.done.returncode == 3, graded.done.stderr
    assert "Traceback" not in graded.done.stdout + graded.done.stderr


@pytest.mark.parametrize("student", [*UNUSABLE, *NO_FILES])
def test_what_cant_be_read_is_named_and_is_neither_zero_nor_full_marks(
    graded: Graded, student: str
) -> None:
    score = graded.score(student)
    assert score is None or score["state"] in ("ungraded", "missing"), score
    assert graded.named(student) or student == "loop"  # which holds nothing at all


@pytest.mark.parametrize("student", USABLE)
def test_what_is_only_odd_is_graded(graded: Graded, student: str) -> None:
    score = graded.score(student)
    assert score is not None
    assert (score["state"], score["earned"]) == ("graded", 5.0), score["ending"]


def test_neighbours_are_graded(graded: Graded) -> None:
    for student in ("ann", "zoe"):
        score = graded.score(student)
        assert score is not None
        assert (score["state"], score["earned"]) == ("graded", 5.0)


def test_nothing_is_unpacked_or_followed(graded: Graded) -> None:
    everything = graded.done.stdout + graded.done.stderr
    everything += "".join(p.read_text() for p in graded.output.rglob("*") if p.is_file())
    assert SECRET not in everything
    assert not Path("/tmp/adding.py").exists()
