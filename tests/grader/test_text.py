from __future__ import annotations

import csv
import io
import json
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from grader.text import (
    code_block,
    code_span,
    csv_text,
    html,
    json_document,
    markdown,
    one_line,
    points,
    printable,
    shortened,
)

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates, controls, everything
NASTY = st.lists(
    st.sampled_from(
        [
            *"`*_[]()<>&!#|~\\\"'=+-@:;/ \n\r\t$^{}",
            "a",
            "1.",
            "```",
            "~~~",
            "http://e.vil",
            "www.e.vil",
            "<script>",
            "](x)",
            "\x1b[2J",
            "\u202e",
            "\u200b",
            "\ud800",
            "&amp;",
            "    ",
        ]
    ),
    max_size=14,
).map("".join)
TEXT = ANY_TEXT | NASTY


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-0.0, "0"),
        (15, "15"),
        (100.0, "100"),
        (12.5, "12.5"),
        (2 / 3, "0.67"),
        (0.1 + 0.2, "0.3"),
        (1e-9, "0"),
    ],
)
def test_points_are_written_as_people_do(value, shown):
    assert points(value) == shown


@given(TEXT)
def test_nothing_active_or_invisible_is_printed(text):
    shown = printable(text)
    assert {unicodedata.category(c) for c in shown if c != "\n"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )
    shown.encode("utf-8")
    assert "\n" not in one_line(text)


def test_escapes_name_what_was_there():
    shown = printable("\x1b[31m \u202eb\u200b \x00 \ud800 \U000e0041 \x9b")
    assert shown == r"\x1b[31m \u202eb\u200b \x00 \ud800 \U000e0041 \x9b"


@pytest.mark.parametrize("text", ["héllo wörld", "日本語", "مرحبا", "✓ ♥ 😀", "a\nb"])
def test_ordinary_text_in_any_script_stays(text):
    assert printable(text) == text


@given(TEXT)
def test_no_spreadsheet_finds_a_formula(text):
    shown = csv_text(text)
    folded = unicodedata.normalize("NFKC", shown)
    # a lone accent folds to a space and the accent: nothing that a spreadsheet would evaluate
    assert not folded.lstrip().startswith(("=", "+", "-", "@", "\u2212"))


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@x",
        "\t=1",
        "\r=1",
        " =1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "﹣1",
        "'=1",
        "''+1",
        "\u22121",
    ],
)
def test_formulas_are_marked_as_text(text):
    assert csv_text(text) == "'" + text.strip()


@pytest.mark.parametrize("text", ["ada", "o'neill", "'t Hooft", "a=b", "a-1", "1", ""])
def test_ordinary_names_are_not_touched_in_csv(text):
    assert csv_text(text) == text


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_a_csv_row_comes_back_as_it_was_written(texts):
    row = [csv_text(text) for text in texts]
    file = io.StringIO(newline="")
    csv.writer(file).writerow(row)
    assert next(csv.reader(io.StringIO(file.getvalue(), newline=""))) == row


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append(f"{tag} {sorted(name for name, _ in attrs)}")

    handle_startendtag = handle_starttag

    def handle_comment(self, data):
        self.found.append("comment")


@given(TEXT)
def test_html_gains_no_tag_and_no_attribute(text):
    tags = _Tags()
    tags.feed(f'<p title="{html(text)}">{html(text)}</p>')
    tags.close()
    assert tags.found == ["p ['title']"]


RENDERER = MarkdownIt("gfm-like", {"linkify": False, "html": True})
HARMLESS = {"text", "code_inline", "text_special"}


def inline_of(document: str, blocks: list[str]) -> list[tuple[str, str]]:
    """The inline nodes of a document that must consist of exactly these blocks."""
    tokens = RENDERER.parse(document)
    assert [token.type for token in tokens] == blocks
    return [
        (child.type, child.content)
        for token in tokens
        if token.type == "inline"
        for child in token.children or []
    ]


PARAGRAPH = ["paragraph_open", "inline", "paragraph_close"]
ITEM = ["bullet_list_open", "list_item_open", *PARAGRAPH, "list_item_close", "bullet_list_close"]
HEADING = ["heading_open", "inline", "heading_close"]


@given(TEXT)
@example("1. x")
@example("a`b`c`d")
@example("`` x ``")
@example("# x #")
@example("&lt;b&gt;")
@pytest.mark.parametrize(
    ("template", "blocks"), [("{}", PARAGRAPH), ("- {}", ITEM), ("# {}", HEADING)]
)
def test_markdown_is_text_and_code_wherever_it_stands(template, blocks, text):
    if not one_line(text):
        return
    nodes = inline_of(template.format(markdown(text)), blocks)
    assert {kind for kind, _ in nodes} <= HARMLESS
    if "`" not in text:
        assert "".join(content for _, content in nodes) == one_line(text)


@given(TEXT)
def test_code_spans_show_the_text_itself(text):
    if not one_line(text):
        return
    nodes = inline_of(f"x {code_span(text)} y", PARAGRAPH)
    assert nodes == [("text", "x "), ("code_inline", one_line(text)), ("text", " y")]


@given(TEXT)
@example("```\n<b>")
@example("````\n```")
def test_code_blocks_can_not_be_left(text):
    tokens = RENDERER.parse(f"before\n\n{code_block(text)}\n\nafter")
    assert [token.type for token in tokens] == [*PARAGRAPH, "fence", *PARAGRAPH]
    assert tokens[3].content.strip("\n") == printable(text).strip("\n")


def test_text_stays_readable_where_nothing_would_happen():
    text = "The last row. A vector of d_model numbers, times 2.5 (see Eq. 3)"
    assert markdown(text) == text


def test_code_between_backticks_stays_code():
    assert markdown("Look at `x_1 * 2`, not *y*") == r"Look at `x_1 * 2`, not \*y\*"


@given(TEXT.filter(lambda text: "`" not in text))
def test_prose_holds_no_bare_html_character(text):
    """Not every renderer knows a backslash before `<`."""
    shown = markdown(text)
    assert "<" not in shown
    assert ">" not in shown
    assert shown.count("&") == sum(shown.count(entity) for entity in ("&lt;", "&gt;", "&amp;"))


def test_links_are_not_made_from_bare_addresses():
    assert markdown("http://a.b www.a.b") == r"http\://a.b www\.a.b"


@given(st.text(max_size=300), st.integers(2, 100))
def test_shortening_keeps_both_ends(text, limit):
    short = shortened(text, limit)
    if len(text) <= limit:
        assert short == text
    else:
        assert text.startswith(short[: limit // 2])
        assert text.endswith(short[-(limit - limit // 2) :])
        assert f"{len(text) - limit} characters left out" in short


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | NASTY)
@example("\x7f")
@example("\x9b2J\u202e\U000e0041")
def test_a_json_document_keeps_its_meaning_and_shows_what_would_act(text):
    text = text.encode("utf-8", "replace").decode()
    document = json_document(json.dumps({text: [text]}, ensure_ascii=False, indent=2).encode())
    assert json.loads(document) == {text: [text]}
    assert not any(
        unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in document.decode() if c != "\n"
    )
