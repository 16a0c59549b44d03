"""What notebooks printed is found again, for the file that printed it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from generated import gradebook as generated

from grader.reports.gradebook_json import decode, encode
from grader.store import printed
from grader.store.output import RESULTS

BOOK = generated(4, assignments=2)


def test_a_gradebook_that_was_read_gets_back_what_was_printed(tmp_path: Path) -> None:
    printed.keep(BOOK, tmp_path)
    read = decode(encode(BOOK))
    assert not any(score.output for score in read.scores)
    assert printed.restore(read, tmp_path) == BOOK
    other = tuple(msgspec.structs.replace(score, digest="1") for score in read.scores)
    again = msgspec.structs.replace(read, scores=other)
    assert printed.restore(again, tmp_path) == again


def test_nothing_is_lost_where_it_is_not_known(tmp_path: Path) -> None:
    assert printed.restore(BOOK, tmp_path) == BOOK
    printed.keep(BOOK, tmp_path)
    (tmp_path / RESULTS / printed.NAME).write_bytes(b"no json")
    assert printed.restore(BOOK, tmp_path) == BOOK


def test_what_utf_8_can_not_hold_is_no_obstacle(tmp_path: Path) -> None:
    odd = msgspec.structs.replace(BOOK.scores[0], output="a\ud800b", digest="d")
    book = msgspec.structs.replace(BOOK, scores=(odd,))
    printed.keep(book, tmp_path)
    read = printed.restore(decode(encode(book)), tmp_path)
    assert read.scores[0].output == "a?b"
