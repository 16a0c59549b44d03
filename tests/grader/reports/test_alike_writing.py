"""What `grader alike` leaves in its folder."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

from alike_class import write_pages
from browsers import Page

from grader.alike.comparing import Options, compare
from grader.config.course import load_course
from grader.reports.alike_writing import write_alike

EVIL = "<img src=x onerror=alert(1)></mark></pre><script>alert(2)</script>{{ 1 }}\u202e'"


def test_pages_lead_to_one_another(tmp_path: Path) -> None:
    out, alike = write_pages(tmp_path, students=4)
    names = sorted(path.name for path in (out / "pairs").iterdir())
    assert names == ["adding-001.html", "adding-002.html", "adding-003.html"]
    assert len(alike.assignments[0].pairs) == 3
    index = Page((out / "index.html").read_text(encoding="utf-8"))
    assert [f"pairs/{name}" for name in names] == [link for link in index.links if "pairs/" in link]
    middle = Page((out / "pairs" / names[1]).read_text(encoding="utf-8"))
    assert {names[0], names[2], "../index.html#adding"} <= set(middle.links)
    parts = [link for link in middle.links if link.startswith("#")]
    ids = {value for name, value in middle.attributes if name == "id"}
    assert parts
    assert {link[1:] for link in parts} <= ids


def test_shared_lines_are_marked_in_both_and_others_are_not(tmp_path: Path) -> None:
    out, _ = write_pages(tmp_path)
    page = (out / "pairs/adding-001.html").read_text(encoding="utf-8")
    left, right = page.split('<section class="side"')[1:]
    for side in (left, right):
        marked = "".join(piece.split("</mark>")[0] for piece in side.split("<mark")[1:])
        assert "squares = [" in marked
        assert "import math" not in side  # no answer


def test_files_are_for_their_owner_alone_and_old_pairs_go(tmp_path: Path) -> None:
    out, _ = write_pages(tmp_path, students=4)
    (out / "pairs/mine.txt").write_text("stays")
    for path in [one for one in out.rglob("*") if one.is_file() and one.name != "mine.txt"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    course = load_course(tmp_path / "course")
    (tmp_path / "class/student1").rename(tmp_path / "elsewhere")
    compared, problems = compare([tmp_path / "class"], course, Options())
    write_alike(compared, problems, course.title, out, 0o600)
    assert {path.name for path in (out / "pairs").iterdir()} == {"mine.txt", "adding-001.html"}


def test_the_table_and_the_json_say_the_same(tmp_path: Path) -> None:
    out, _ = write_pages(tmp_path, words="=1+1")
    with (out / "pairs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = json.loads((out / "alike.json").read_bytes())
    pairs = said["assignments"][0]["pairs"]
    assert [float(row["likeness"]) for row in rows] == [
        round(pair["likeness"], 3) for pair in pairs
    ]
    assert (rows[0]["one"], rows[0]["other"]) == ("student0", "student1")
    assert all((out / row["page"]).is_file() for row in rows)
    assert not [cell for row in rows for cell in row.values() if cell.startswith("=")]
    assert "squares" not in (out / "alike.json").read_text()  # no code of students


def test_hostile_code_names_and_files_stay_text(tmp_path: Path) -> None:
    out, _ = write_pages(tmp_path, words=EVIL)
    pages = sorted(out.rglob("*.html"))
    assert len(pages) >= 2
    for path in pages:
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        assert set(page.dangers) <= {"<script>", "<style>", "<form>", "<meta>"}
        assert page.tags.count("script") == 1
        assert "img" not in page.tags
        assert "\u202e" not in text
    assert "onerror=alert(1)" in Page(pages[-1].read_text(encoding="utf-8")).text


def test_pages_say_that_they_are_no_verdict_and_what_chance_does(tmp_path: Path) -> None:
    out, _ = write_pages(tmp_path)
    for path in out.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "A number here is no verdict" in text
        assert "plagiar" not in text.lower()
    assert "nobody knows how alike answers are" in (out / "index.html").read_text(encoding="utf-8")
