"""A stranger's Markdown is harmless in any page that is made of the autograded notebook."""

from __future__ import annotations

import nbformat
import pytest
from browsers import PNG, Page
from hostile_prose import EXAMPLES, hostile_prose
from hypothesis import given, settings
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from grader.integrations.nbgrader.pages import page
from grader.integrations.nbgrader.prose import (
    MAX_CELL_CHARS,
    MAX_NOTEBOOK_CHARS,
    MAX_OPENINGS,
    Allowance,
    harmless_prose,
)

HTML = "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="


def kept(text: str, attachments: object = None) -> dict[str, object]:
    return harmless_prose(text, attachments, Allowance())[0]


def nbconverts_page(cell: dict[str, object]) -> Page:
    """What nbconvert makes of a cell without any of our settings."""
    renderer = IPythonRenderer(
        escape=False, attachments=cell.get("attachments", {}), exclude_anchor_links=True
    )
    return Page(MarkdownWithMath(renderer=renderer).render(cell["source"]))


def our_page(cell: dict[str, object]) -> Page:
    return Page(page(cell["source"], cell.get("attachments")))


def nothing_acts(prose: str) -> None:
    cell = kept(prose, {"x": {"text/html": HTML}})
    assert nbconverts_page(cell).dangers == []
    assert our_page(cell).dangers == []
    assert Page(page(prose)).dangers == []  # also where nobody looked at it before


@given(hostile_prose())
@settings(max_examples=60, deadline=None)
def test_nothing_acts_in_any_page(prose: str) -> None:
    nothing_acts(prose)


@pytest.mark.slow
@given(hostile_prose())
@settings(max_examples=1_000, deadline=None)
def test_nothing_acts_in_any_page_of_many(prose: str) -> None:
    nothing_acts(prose)


@pytest.mark.parametrize("prose", EXAMPLES)
def test_nothing_acts_in_a_page_of_an_example(prose: str) -> None:
    nothing_acts(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "See [the book](https://example.org/a?b=1), [me](mailto:a@b.c) and <https://c.d>.",
        "![plot](figure.png) ![there](https://example.org/x.png)",
        "| a | b |\n|---|--:|\n| $x$ | `y` |",
        "# Title\n\n- [ ] *one*\n- **two**\n\n> three\n\n---\n\n1. four",
        "```python\nif a < b: pass\n```\n\n    indented <b>code</b>",
        "`[x](javascript:alert(1))` and `<script>` as code",
        "$a < b$, $$\\frac{1}{2}$$ and\n\\begin{align}x &= y\\end{align}",
        "1 < 2 & 3 > 2, $5 and $6",
    ],
)
def test_ordinary_prose_stays_as_it_was_written(prose: str) -> None:
    assert kept(prose) == {"cell_type": "markdown", "metadata": {}, "source": prose}


def test_html_that_does_nothing_is_still_seen() -> None:
    cell = kept('<b>Bold</b> <table><tr><td colspan="2">a</td></tr></table> <br> $x$ <i>$5</i>')
    for made in (our_page(cell), nbconverts_page(cell)):
        assert {"b", "table", "td", "br", "math", "i"} <= set(made.tags)
        assert ("colspan", "2") in made.attributes
        assert "$5" in made.text


def test_markdown_around_html_is_still_markdown() -> None:
    cell = kept("# A title\n\nA <br> line with `code\\n`\n\n```python\na = 1\n\n\nb = 2\n```\n")
    made = nbconverts_page(cell)
    assert {"h1", "code", "pre"} <= set(made.tags)
    assert "a = 1\n\n\nb = 2" in made.text
    assert "code\\n" in made.text


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("image.png", "attachment:image.png"),
        ("my pic.png", "attachment:my%20pic.png"),
        ("é.png", "attachment:é.png"),
    ],
)
def test_a_pasted_picture_is_there(name: str, address: str) -> None:
    cell = kept(f"My sketch: ![sketch]({address})", {name: {"image/png": PNG}})
    for made in (our_page(cell), nbconverts_page(cell)):
        assert made.pictures == [f"data:image/png;base64,{PNG}"]
    assert "attachments" in cell


def test_a_picture_in_html_is_there() -> None:
    cell = kept('<img src="attachment:a.png" width="40">', {"a.png": {"image/png": PNG}})
    for made in (our_page(cell), nbconverts_page(cell)):
        assert made.pictures == [f"data:image/png;base64,{PNG}"]
        assert ("width", "40") in made.attributes


def test_a_picture_in_the_text_itself_is_there() -> None:
    cell = kept(f"from Colab: ![image](data:image/png;base64,{PNG * 3000})"[:-1] + ")")
    assert len(cell["source"]) < 100
    assert len(our_page(cell).pictures) == len(nbconverts_page(cell).pictures) == 1


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/html", HTML),
        ("image/png", HTML),
        ("image/svg+xml", "PHN2ZyBvbmxvYWQ9J2FsZXJ0KDEpJy8+"),
        ("image/png", "no base64"),
        ("image/png", None),
        ("image/png", [1, 2]),
        ("image/png", {}),
    ],
)
def test_what_is_no_picture_goes_and_the_page_is_made(kind: str, content: object) -> None:
    text = "![x](attachment:a) and <img src='attachment:a'>"
    cell, lost = harmless_prose(text, {"a": {kind: content}}, Allowance())
    for made in (our_page(cell), nbconverts_page(cell)):
        assert made.pictures == []
        assert "no picture: x" in made.text
    assert lost


@pytest.mark.parametrize(
    "attachments", [None, [], "x", {"a": 1}, {1: {"image/png": PNG}}, {"a": []}, {"b": {}}], ids=str
)
def test_missing_attachments_fail_no_page(attachments: object) -> None:
    cell = kept("![x](attachment:a) ![](attachment:) ![y](attachment:../../etc)", attachments)
    nbconverts_page(cell)
    assert "no picture" in our_page(cell).text


def test_pictures_have_a_limit() -> None:
    allowance = Allowance()
    allowance.pictures.left = len(PNG)
    text, pictures = "![x](attachment:a)", {"a": {"image/png": PNG}}
    assert harmless_prose(text, pictures, allowance)[1] == []
    cell, lost = harmless_prose(text, pictures, allowance)
    assert our_page(cell).pictures == []
    assert lost


def test_the_notebook_stays_valid_and_nbconvert_makes_a_page_of_it() -> None:
    cells = [
        nbformat.from_dict({**kept(text, {"a b": {"image/png": PNG}}), "id": f"c{place}"})
        for place, text in enumerate(["![x](attachment:a%20b)", "<b>b</b>", "![x](attachment:c)"])
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.validate(notebook)
    body, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    assert PNG in body


# ---------------------------------------------------------------- what would take too long


@pytest.mark.parametrize(
    "piece", ["\\\\[", "\\\\(", "\\begin{a}", "```python\nx\n```\n", "a" * 100], ids=repr
)
def test_what_would_take_long_to_read_is_shown_as_it_is(piece: str) -> None:
    text = piece * (MAX_CELL_CHARS // len(piece) + 1)
    assert text.count(piece) > MAX_OPENINGS
    cell, lost = harmless_prose(text, None, Allowance())
    assert cell["source"].startswith("````" if "`" in piece else "```text")
    assert lost


def test_all_of_a_notebooks_prose_has_a_limit() -> None:
    allowance, text = Allowance(), "x" * MAX_CELL_CHARS
    made = [harmless_prose(text, None, allowance)[0]["source"] for _ in range(20)]
    assert made.count(text) == MAX_NOTEBOOK_CHARS // MAX_CELL_CHARS


def test_prose_that_breaks_the_reader_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RecursionError

    monkeypatch.setattr(MarkdownWithMath, "render", broken)
    cell, lost = harmless_prose("# Title <script>", None, Allowance())
    assert cell["source"] == "```text\n# Title <script>\n```"
    assert lost
    assert "&lt;script&gt;" in page("<script>")
