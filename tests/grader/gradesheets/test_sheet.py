"""A sheet keeps every byte that nobody set."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.gradesheets.sheet import Sheet

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@example([["", ""], ["\r", ""]], ",", "\n", False, "utf-8")
@example([["", ""], *[["王小明", "王小明"]] * 4], ",", "\n", False, "utf-16-be")
@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=5),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
)
def test_what_is_read_is_what_csv_reads_and_is_written_back(
    rows, delimiter, end, quote_all, encoding
):
    rows[0] = ["head", "er"]  # the first line tells the delimiter
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    content = text.getvalue().encode(encoding)
    sheet = Sheet(content, "x")
    assert sheet.encode() == content
    assert sheet.delimiter == delimiter
    read = csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter)
    assert sheet.rows == [row or [""] for row in read]  # an empty line has an empty cell here


def test_one_cell_is_set_and_no_other_byte_changes():
    sheet = Sheet(b'\xef\xbb\xbf"a";b\r\n\xfc ;"x;y"\r\n', "x")
    sheet.set(1, 1, "4,5")
    assert sheet.encode() == b'\xef\xbb\xbf"a";b\r\n\xfc ;"4,5"\r\n'


@given(st.binary(max_size=60).filter(lambda noise: b"\0" not in noise and b'"' not in noise))
def test_a_table_whose_bytes_are_no_text_gives_them_back(noise):
    content = b"name,points\n" + noise + b",\n"
    assert Sheet(content, "x").encode() == content


def test_what_windows_saves_is_read_as_it_was_written():
    assert Sheet("Näme;ID\r\nZoë – “x”;7\r\n".encode("cp1252"), "x").rows[1][0] == "Zoë – “x”"


def test_the_line_that_tells_excel_the_separator_stays_and_is_obeyed():
    sheet = Sheet(b"sep=;\r\na,b;c\r\n1;\r\n", "x")
    sheet.set(1, 1, "9")
    assert sheet.rows[0] == ["a,b", "c"]
    assert sheet.encode() == b"sep=;\r\na,b;c\r\n1;9\r\n"


def test_a_short_row_is_made_longer():
    sheet = Sheet(b"a,b,c\n1\n", "x")
    sheet.set(1, 2, "9")
    assert sheet.encode() == b"a,b,c\n1,,9\n"


@pytest.mark.parametrize("content", [b"PK\x03\x04zip", b"\xff\xfea\0b", b"a\0b", b'a,b\n"x"y,z\n'])
def test_what_is_no_csv_is_refused(content):
    with pytest.raises(UsageError):
        Sheet(content, "x")
