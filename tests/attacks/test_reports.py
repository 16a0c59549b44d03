"""Students whose names, prints and exceptions hold markup for every medium: it stays text.

The numbers are those of the threat model (docs/threat-model.md, "Files and reports").
"""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile import ON_LINUX
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from toy import RIGHT, notebook, write, write_course

from grader.reports.choices import Format

pytestmark = ON_LINUX

ROOT = Path(__file__).parents[2]

PAYLOADS = {
    "escape": "\x1b[2J\x1b]0;owned\x07\x1b[31m",
    "eight_bit_escape": "\x9b2J\x90q\x9c",
    "return": "ann\rzoe",
    "backspace": "100\b\b\b0",
    "right_to_left": "\u202etxt.exe\u202c",
    "isolate": "\u2066isolated\u2069",
    "invisible": "in\u200bvisible\u2060\ufeff",
    "tags": "tagged\U000e0041\U000e0042",
    "formula": "=HYPERLINK(\"http:evil.example\")",
    "formula_plus": "+1+cmd|' -C calc'!A0",
    "formula_minus": "-1+2",
    "formula_at": "@SUM(A1)",
    "formula_wide": "\uff1d1+1",
    "formula_tab": "\t=1+1",
    "script": "<script>alert(1)<!-- -->",
    "image": "<img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover=\"alert(1)",
    "markdown_link": "[ann](javascript:alert(1))",
    "markdown_image": "![ann](x.png)",
    "markdown_table": "ann | 100 | passed |",
    "markdown_heading": "# Full marks",
    "markdown_html": "<b>bold<b> &lt;",
    "fence": "``` ~~~ ````",
    "template": "{{ 7*7 }} {% raw %} ${7*7} %(x)s {0}",
    "rich": "[red]ann[bold] [link=x]x",
    "reference": "[x]: http:evil.example",
    "autolink": "www.evil.example",
    "long": "ann" * 60,
}  # fmt: skip

SPEAKS = """
EVIL = {payload!r} + chr(10) + "http" + "://evil.example/"
print(EVIL)
import sys
print(EVIL, file=sys.stderr)
def add(a, b):
    raise type(EVIL.replace(chr(0), ""), (Exception,), {{}})(EVIL)
class Counter:
    def __init__(self, start): pass
    def up(self): return EVIL
raise type(EVIL, (ValueError,), {{}})(EVIL)
"""


@dataclass(frozen=True)
class Reports:
    piped: str
    terminal: str
    output: Path

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.output.rglob(pattern))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    root = tmp_path_factory.mktemp("reports")
    write_course(root / "course")
    folder = root / "class"
    write(folder / "ann/adding.py", RIGHT)
    for name, payload in PAYLOADS.items():
        called = payload.replace("/", "").replace("\0", "")
        write(folder / called / f"adding {called}"[:80] / "adding.py", "x = (")
        write(folder / f"says_{name}/adding.ipynb", notebook(SPEAKS.format(payload=payload)))
    command = [
        sys.executable,
        "-m",
        "grader.cli",
        "check",
        str(folder),
        "--output",
        str(root / "out"),
        *(word for name in Format for word in ("--format", name)),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [*command, "-v"], cwd=root / "course", env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    terminal = in_a_terminal([*command, "--force"], root / "course", environment)
    return Reports(done.stdout + done.stderr, terminal, root / "out")


def in_a_terminal(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Everything that a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    text = b""
    while True:
        if not select.select([ours], [], [], 300)[0]:
            process.kill()
            break
        try:
            chunk = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        text += chunk
    process.wait(60)
    os.close(ours)
    return text.decode("utf-8", "replace")


def active(text: str) -> set[str]:
    """Characters that do something instead of being seen."""
    return {
        c for c in text if c not in "\r\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")
    }


def test_nothing_in_the_output_is_active(reports: Reports) -> None:
    assert active(reports.piped) == set()
    assert "\r" not in reports.piped


def test_a_terminal_gets_colours_and_its_own_bar_alone(reports: Reports) -> None:
    # colour, erase line, up, column, cursor hidden and shown: what rich draws with
    own = re.sub(r"\x1b\[(\??\d+[hl]|[\d;]*m|\d?K|\d*A|\d*G)|\x1b\[1A", "", reports.terminal)
    assert active(own) == set()


def test_no_cell_of_a_table_is_a_formula(reports: Reports) -> None:
    tables = reports.files("*.csv")
    assert tables
    for path in tables:
        text = path.read_text(encoding="utf-8")
        assert active(text) == set()
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1
        for cell in (cell for row in rows for cell in row):
            first = unicodedata.normalize("NFKC", cell.strip()[:1])
            assert first not in ("=", "+", "-", "@"), cell


def test_the_gradebook_is_json_in_which_nothing_is_active(reports: Reports) -> None:
    text = (reports.output / "gradebook.json").read_text(encoding="utf-8")
    book = json.loads(text)
    assert len(book["scores"]) >= 2 * len(PAYLOADS)
    assert active(text) == set()


class Tags(HTMLParser):
    """Collects the tags and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href" and tag == "a"]


def test_feedback_shows_markup_as_text(reports: Reports) -> None:
    pages = reports.files("feedback/**/*.md")
    assert len(pages) >= 2 * len(PAYLOADS)
    render = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert active(text) == set(), path
        tags = Tags()
        tags.feed(render.render(text))
        assert not tags.tags & {"a", "img", "script", "b", "iframe", "style", "link", "form"}, path
        assert not {name for name in tags.attributes if name.startswith("on")}, path


def test_pages_show_markup_as_text(reports: Reports) -> None:
    pages = reports.files("**/*.html")
    assert len(pages) >= 4 * len(PAYLOADS)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert active(text) == set(), path
        tags = Tags()
        tags.feed(text)
        assert not tags.tags & {"img", "iframe", "link", "object", "base"}, path
        assert not {name for name in tags.attributes if name.startswith("on")}, path
        ours = ("#", "checks/", "students/", "feedback/", "../")
        assert not [link for link in tags.links if not link.startswith(ours) or ":" in link], path


def test_a_junit_report_is_xml_in_which_nothing_is_active(reports: Reports) -> None:
    text = (reports.output / "junit.xml").read_text(encoding="utf-8")
    assert active(text) == set()
    (names,) = [{suite.name for suite in JUnitXml.fromstring(text.encode())}]
    assert len(names) >= 2 * len(PAYLOADS)


def test_results_for_gradescope_are_shown_as_text(reports: Reports) -> None:
    files = reports.files("gradescope/**/*.json")
    assert len(files) >= len(PAYLOADS)
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert active(text) == set(), path
        found = json.loads(text)
        assert {found["output_format"], found["test_output_format"], found["test_name_format"]} == {
            "text"
        }
        formats = {
            test.get(key, "text")
            for test in found["tests"]
            for key in ("name_format", "output_format")
        }
        assert formats == {"text"}, path


def test_files_of_reports_have_plain_names_inside_the_folder(reports: Reports) -> None:
    for path in reports.output.rglob("*"):
        name = path.name
        assert not active(name), name
        assert not re.search(r'[<>:"|?*\\/]', name), name
        assert len(name.encode()) <= 255
        assert path.resolve().is_relative_to(reports.output.resolve())
    outside = {path.name for path in reports.output.parent.iterdir()}
    assert outside == {"course", "class", "out"}
