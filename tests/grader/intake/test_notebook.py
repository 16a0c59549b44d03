from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.notebook import (
    MAX_CELLS,
    MAX_SOURCE_CHARS,
    metadata_assignment,
    read,
    read_cells,
)


def code(source: object, **more: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


def notebook(*cells: object, **more: object) -> bytes:
    whole = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}
    return json.dumps(whole).encode()


def sources(content: bytes, name: str = "a.ipynb") -> list[str]:
    return [cell.source for cell in read_cells(content, name)]


# ---------------------------------------------------------------- what is read


def test_code_cells_are_numbered_as_a_reader_counts_them():
    content = notebook(code("a"), {"cell_type": "markdown", "source": "# m"}, code(["b\n", "c"]))
    assert [(cell.number, cell.source) for cell in read_cells(content, "a.ipynb")] == [
        (1, "a"),
        (2, "b\nc"),
    ]


def test_format_3_is_read_from_its_worksheets():
    cell = {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y"], "outputs": []}
    heading = {"cell_type": "heading", "level": 1, "source": ["t"]}
    sheets = [{"cells": [heading, cell]}, {"cells": [cell | {"input": "z"}]}]
    content = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}
    assert sources(json.dumps(content).encode()) == ["x = 1\ny", "z"]


@pytest.mark.parametrize("minor", range(6))
def test_format_4_is_read_in_every_minor_version(minor):
    assert sources(notebook(code("x", id="abc"), nbformat_minor=minor)) == ["x"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_windows_encodings_are_read(encoding):
    text = json.dumps(json.loads(notebook(code("x = 'ä€'"))), ensure_ascii=False)
    assert sources(text.encode(encoding)) == ["x = 'ä€'"]


def test_windows_line_ends_become_unix_ones():
    assert sources(notebook(code(["a\r\n", "b\rc"]))) == ["a\nb\nc"]
    assert sources(b"a\r\nb\r\n", "a.py") == ["a\nb\n"]


def test_numbers_and_constants_that_only_jupyter_writes_do_no_harm():
    text = (
        b'{"cells": [{"cell_type": "code", "source": "x"}], "metadata": {"a": NaN, "b": -Infinity,'
    )
    text += b'"c": ' + b"9" * 100_000 + b', "d": 1e999999, "e": ' + b"1." + b"1" * 100_000 + b"}}"
    assert sources(text) == ["x"]


def test_a_lone_surrogate_is_replaced_so_that_the_source_can_be_sent():
    (source,) = sources(b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}')
    assert source.encode() == "x = '\ufffd'".encode()


def test_an_empty_notebook_has_no_cells():
    assert sources(notebook()) == []


def test_a_cell_that_cannot_be_read_is_left_out_but_keeps_its_number():
    content = notebook(
        code("a"), code(5), None, "x", {"cell_type": ["code"]}, code(["b", 1]), code("c")
    )
    found = read(content, "a.ipynb")
    assert [(cell.number, cell.source) for cell in found.cells] == [(1, "a"), (4, "c")]
    assert len(found.notes) == 5
    assert "code cell 2" in found.notes[0]
    assert "item 3" in found.notes[1]


def test_a_missing_source_is_an_unreadable_cell():
    content = notebook({"cell_type": "code"}, code("b"))
    assert [cell.number for cell in read_cells(content, "a.ipynb")] == [2]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        None,
        [],
        {"kernelspec": {"name": "python3", "language": "python"}},
        {"kernelspec": {"name": "conda-env-torch-py", "display_name": "torch"}},
        {"kernelspec": "python3", "language_info": 5},
        {"language_info": {"name": "ipython3"}},
        {"kernelspec": {"name": "Python 3.11", "language": "Python"}},
    ],
)
def test_python_kernels_of_any_name_are_accepted(metadata):
    assert sources(notebook(code("x"), metadata=metadata)) == ["x"]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "ir", "language": "R"}},
        {"kernelspec": {"name": "ir"}},
        {"kernelspec": {"name": "julia-1.9"}},
        {"language_info": {"name": "julia"}},
    ],
)
def test_other_languages_are_refused(metadata):
    with pytest.raises(IntakeError, match="another language") as error:
        sources(notebook(code("x"), metadata=metadata))
    assert "Python kernel" in error.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\xef\xbb\xbf", "no valid JSON"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\n <html lang='en'>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
        (b'{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> theirs\n]}', "merge conflict"),
        (b"PK\x03\x04\x14\x00", "zip archive"),
        (b"PK\x03\x04\x14\xff", "zip archive"),
        (b"\x89PNG\r\n\x1a\n\xff", "not text"),
        (b"x = 1\n", "line 1, column 1"),
        (b'{"cells": [1,\n2', "line 2"),
        (b"[]", "JSON, but not a notebook"),
        (b'"text"', "JSON, but not a notebook"),
        (b"null", "JSON, but not a notebook"),
        (b"{}", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"worksheets": [1]}', "worksheet"),
        (b'{"worksheets": {}}', "no list of cells"),
        (b'{"cells": [], "cells": []}', "a key occurs twice"),
        (b'{"cells": [{"source": "a", "source": "b"}]}', "a key occurs twice"),
        (b'{"cells": [1, 2]}', "none of its cells"),
        (b'{"cells": [{"cell_type": "code", "source": {}}]}', "none of its cells"),
        (b'{"cells":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "nested"),
        (b" " * ((10 << 20) + 1), "empty"),
        (notebook(code("#" * (11 << 20)))[:-9], "no valid JSON"),
        (notebook(*[code("")] * (MAX_CELLS + 1)), "2001 cells"),
        (notebook(code("#" * (MAX_SOURCE_CHARS + 1))), "too long"),
    ],
)
def test_what_is_no_notebook_is_told_apart(content, message):
    with pytest.raises(IntakeError, match=message) as error:
        read_cells(content, "a.ipynb")
    assert error.value.where == "a.ipynb"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
cell_like = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown"]) | json_values,
        "source": st.text(max_size=20) | st.lists(st.text(max_size=9), max_size=3) | json_values,
        "input": json_values,
    },
)
notebook_like = st.fixed_dictionaries(
    {},
    optional={
        "cells": st.lists(cell_like | json_values, max_size=6) | json_values,
        "worksheets": st.lists(st.fixed_dictionaries({"cells": st.lists(cell_like)})) | json_values,
        "metadata": st.fixed_dictionaries(
            {}, optional={"kernelspec": json_values, "grader": json_values}
        )
        | json_values,
        "nbformat": json_values,
    },
)


@given(st.binary(max_size=200), st.sampled_from(["a.ipynb", "a.py", ""]))
def test_arbitrary_bytes_raise_nothing_but_intake_errors(content, name):
    metadata_assignment(content)
    with suppress(IntakeError):
        read_cells(content, name)


@given(notebook_like | json_values)
def test_arbitrary_json_raises_nothing_but_intake_errors(value):
    content = json.dumps(value).encode()
    metadata_assignment(content)
    with suppress(IntakeError):
        for cell in read_cells(content, "a.ipynb"):
            cell.source.encode("utf-8")


@given(st.lists(st.tuples(st.sampled_from(["code", "markdown", "raw"]), st.text()), max_size=8))
def test_every_code_cell_of_a_notebook_comes_back(cells):
    made = [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in cells]
    assert sources(notebook(*made)) == [
        text.replace("\r\n", "\n").replace("\r", "\n") for kind, text in cells if kind == "code"
    ]


# ---------------------------------------------------------------- metadata


def with_grader(value: object) -> bytes:
    return notebook(metadata={"grader": value})


def test_the_metadata_names_the_assignment():
    assert metadata_assignment(with_grader({"assignment": "embeddings"})) == "embeddings"


def test_the_metadata_is_found_in_what_only_a_patient_reader_takes():
    content = b'{"metadata": {"x": NaN, "grader": {"assignment": "blocks"}}, "cells": []}'
    assert metadata_assignment(content) == "blocks"
    assert metadata_assignment(b"\xef\xbb\xbf" + with_grader({"assignment": "blocks"})) == "blocks"


@pytest.mark.parametrize(
    "value", [None, 1, "embeddings", [], {}, {"assignment": 3}, {"assignment": " "}]
)
def test_metadata_of_another_shape_names_nothing(value):
    assert metadata_assignment(with_grader(value)) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"metadata": []}', b"\xff", b"x = 1"])
def test_what_is_no_notebook_names_nothing(content):
    assert metadata_assignment(content) is None


def with_pictures(mebibytes: int, source: str = "x = 1") -> bytes:
    """A notebook with a picture among its outputs, and one that was pasted into its text."""
    picture = {"image/png": "A" * (mebibytes << 19)}
    code = {"cell_type": "code", "source": source, "outputs": [{"data": picture}]}
    prose = {"cell_type": "markdown", "source": "", "attachments": {"a.png": picture}}
    return json.dumps({"cells": [code, prose], "metadata": {}, "nbformat": 4}).encode()


def test_pictures_do_not_count_for_the_size_of_a_notebook():
    assert read_cells(with_pictures(24), "a.ipynb")[0].source == "x = 1"


BIG = "A" * (11 << 20)


@pytest.mark.parametrize(
    "large",
    [
        {"cells": [{"cell_type": "code", "source": "x", "metadata": {"colab": BIG}}]},
        {"cells": [{"cell_type": "code", "source": "x"}], "metadata": {"widgets": {"state": BIG}}},
    ],
    ids=["of a cell", "of the notebook: widgets"],
)
def test_metadata_does_not_count_for_the_size_of_a_notebook(large):
    assert read_cells(json.dumps(large).encode(), "a.ipynb")[0].source == "x"


PASTED = f"![](data:image/png;base64,{BIG})"


@pytest.mark.parametrize(
    ("cells", "more", "part"),
    [
        ([{"cell_type": "markdown", "source": PASTED}], {}, "text cell 2 (11 MiB; it begins with "),
        ([{"cell_type": "raw", "source": ["\n", BIG]}], {}, "text cell 2 (11 MiB; it begins with "),
        ([{"cell_type": "code", "source": f"x = '{BIG}'"}], {}, "code cell 2 (11 MiB; it begins"),
        ([{"cell_type": "code", "source": "", "odd": BIG}], {}, "code cell 2 (11 MiB)"),
        ([], {"odd\u202e": BIG}, "`odd\\u202e` (11 MiB)"),
    ],
)
def test_the_largest_part_of_a_notebook_is_named(cells, more, part):
    first = [{"cell_type": "markdown", "source": "#"}, {"cell_type": "code", "source": "x"}]
    with pytest.raises(IntakeError, match=r"too large: 11 MiB, the limit is 10") as error:
        read_cells(json.dumps({"cells": first + cells, **more}).encode(), "a.ipynb")
    assert f"its largest part is {part}" in error.value.hint
    assert "outputs" not in error.value.hint
    assert len(error.value.hint) < 200


def test_what_is_read_of_a_notebook_counts_however_large_its_pictures_are():
    with pytest.raises(IntakeError, match="too large"):
        read_cells(with_pictures(2, source="#" * (11 << 20)), "a.ipynb")
    with pytest.raises(IntakeError, match="64 MiB"):
        read_cells(with_pictures(65), "a.ipynb")
    with pytest.raises(IntakeError, match="too large"):
        read_cells(b"#" * (11 << 20), "a.py")
