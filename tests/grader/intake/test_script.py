from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.script import decode_script, split_script


def cells(text: str) -> list[str]:
    return list(split_script(text))


def test_a_script_without_marks_is_one_cell():
    assert cells("x = 1\n\n# a comment\ny = 2\n") == ["x = 1\n\n# a comment\ny = 2\n"]


def test_percent_cells_are_split_and_prose_is_left_out():
    text = "# ---\n# jupyter:\n# ---\n\n# %% [markdown]\n# # Title\n\n# %% first\nx = 1\n\n"
    text += "# %% [raw]\n# raw\n\n# %% tags=['a']\ny = 2\n#%%\nz\n# %%%% sub\nw\n"
    assert cells(text) == ["x = 1", "y = 2", "z", "w"]


def test_a_list_in_the_title_of_a_code_cell_is_not_prose():
    assert cells('# %% tags=["md"] [x]\nx = 1') == ["x = 1"]


def test_code_before_the_first_mark_is_a_cell():
    assert cells("import torch\n# %%\nx = 1") == ["import torch", "x = 1"]


def test_scripts_of_nbconvert_are_split_at_their_input_numbers():
    text = "#!/usr/bin/env python\n# coding: utf-8\n\n# # Title\n\n# In[1]:\n\n\nx = 1\n\n\n"
    text += "# prose\n\n# In[ ]:\n\n\ny = 2\n"
    assert cells(text) == ["x = 1\n\n\n# prose", "y = 2"]


@pytest.mark.parametrize(
    "string",
    ['"""\n# %%\n"""', "'''\n# %%\n'''", '"""\n\\"""\n# %%\n"""', 'r"""a\n# %% [markdown]\n"""'],
)
def test_a_mark_inside_a_string_marks_nothing(string):
    text = f"x = {string}\n"
    assert cells(text) == [text]
    assert cells(f"{text}# %%\ny = 1") == [text.rstrip("\n"), "y = 1"]


@pytest.mark.parametrize(
    "line", ['x = \'"""\'', "x = \"'''\"", '# it\'s """ here', "s = 'a\\'\"\"\"'"]
)
def test_quotes_in_comments_and_short_strings_open_nothing(line):
    assert cells(f"{line}\n# %%\ny = 1") == ([line] if "=" in line else []) + ["y = 1"]


def test_an_indented_or_trailing_mark_is_a_comment():
    text = "if x:\n    # %%\n    y = 1  # %%\n"
    assert cells(text) == [text]


@given(
    st.lists(st.sampled_from(["x = 1", "y = '#'", "s = '''a\n# %%\nb'''", "# note", "z = (1,\n2)"]))
)
def test_splitting_keeps_every_statement(statements):
    text = "\n# %%\n".join(statements)
    whole = [ast.dump(node) for node in ast.parse(text).body]
    parts = [ast.dump(node) for cell in cells(text) for node in ast.parse(cell).body]
    assert parts == whole


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ("", "utf-8"),
        ("# -*- coding: latin-1 -*-", "latin-1"),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :", "cp1252"),
        ("# coding: shift_jis", "shift_jis"),
        ("# coding: utf8", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
    ],
)
def test_declared_encodings_and_marks_are_honoured(declaration, encoding):
    letter = "あ" if encoding == "shift_jis" else "ä"
    text = f"{declaration}\nx = '{letter}'\n"
    assert decode_script(text.encode(encoding)) == text


def test_a_declaration_after_code_or_on_the_third_line_counts_for_nothing():
    for head in ("x = 1\n# coding: nonsense\n", "\n\n# coding: nonsense\n"):
        assert decode_script(head.encode()) == head


@pytest.mark.parametrize(
    "name", ["nonsense", "rot13", "zlib", "unicode_escape", "punycode", "idna", "hex"]
)
def test_encodings_that_are_no_character_sets_are_refused(name):
    with pytest.raises(IntakeError, match="unknown encoding"):
        decode_script(f"# coding: {name}\n".encode())


def test_text_in_another_encoding_is_refused_with_its_line():
    with pytest.raises(IntakeError, match=r"not utf-8 text \(line 2\)"):
        decode_script(b"x = 1\ny = '\xe4'\n")
    with pytest.raises(IntakeError, match="empty"):
        decode_script(b" \n")


def test_a_script_that_mentions_marimo_is_a_script():
    text = "# not with marimo\nimport marimo\nx = 'app = marimo.App()'\n"
    assert decode_script(text.encode()) == text


UNENDING = ["'", "\\", "\\", "\n# %%\n", "# %% [markdown]\n", '"', "'''", "\\", "\n# %%\n", "#"]


@given(st.lists(st.sampled_from(['"', "'", '"""', "'''", "\\", "\n", "#", " ", "x", "# %%", "\n# %%\n",
                                 "# In [1]:", "\n# In[ ]:\n", "# %% [markdown]\n"]), max_size=14))  # fmt: skip
@example(UNENDING)
def test_marks_are_those_that_python_takes_for_comments(pieces):
    text = "".join(pieces)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return  # Python does not know either
    if any(token.type == tokenize.ERRORTOKEN and "\n" in token.string for token in tokens):
        return  # nor where a string goes on over a line, and has no end
    marks = [
        token.start[0] - 1
        for token in tokens
        if token.type == tokenize.COMMENT
        and token.start[1] == 0
        and re.fullmatch(r"#[ \t]*%%+.*", token.line.rstrip("\n"))
    ]
    lines = text.split("\n")
    found = list(split_script(text))
    if marks:
        ends = [*marks[1:], len(lines)]
        cells = ["\n".join(lines[a + 1 : b]).strip("\n") for a, b in zip(marks, ends, strict=True)]
        prose = ["[markdown]" in lines[mark] for mark in marks]
        expected = [cell for cell, is_prose in zip(cells, prose, strict=True) if not is_prose]
        assert found[len(found) - len(expected) :] == expected
