"""What `grader alike` leaves behind: index.html, a page for each pair, pairs.csv, alike.json.

The code of an assignment is let go when the pages of its pairs are written.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.alike.comparing import Compared
from grader.alike.values import Alike
from grader.model import Problem
from grader.reports import alike_csv
from grader.reports.alike_words import pages
from grader.reports.html.alike_page import alike_page
from grader.reports.html.pair_page import pair_page
from grader.serialization import to_json
from grader.store.output import INDEX, write_atomically
from grader.text import json_document

PAIRS = "pairs"
CSV = "pairs.csv"
JSON = "alike.json"

_PAGE = re.compile(r"\w+-\d{3,}\.html")


def write_alike(
    compared: Iterable[Compared], problems: Sequence[Problem], title: str, folder: Path, mode: int
) -> Alike:
    """Write everything, as files of this mode, and return what was found.

    Raises:
        GraderError: a file can't be written.
    """
    assignments = []
    written = set()
    for one in compared:
        names = pages(one.found)
        for number, name in enumerate(names):
            page = pair_page(one.found, number, names, one.code)
            write_atomically(folder / PAIRS / name, page, durable=False, mode=mode)
            written.add(name)
        assignments.append(one.found)
    alike = Alike(assignments=tuple(assignments), problems=tuple(problems))
    write_atomically(folder / CSV, alike_csv.encode(alike), mode=mode)
    write_atomically(folder / JSON, json_document(to_json(alike)), mode=mode)
    write_atomically(folder / INDEX, alike_page(alike, title), mode=mode)
    _remove_others(folder / PAIRS, written)
    return alike


def _remove_others(folder: Path, written: set[str]) -> None:
    """Remove the pages of pairs that an earlier comparison has listed."""
    if folder.is_dir():
        for path in folder.iterdir():
            if _PAGE.fullmatch(path.name) and path.name not in written:
                with contextlib.suppress(OSError):
                    path.unlink()
