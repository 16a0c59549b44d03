"""`pairs.csv`: a row for every pair that is listed. RFC 4180, UTF-8; shares are from 0 to 1."""

from __future__ import annotations

import csv
import io

from grader.alike.values import Alike, AssignmentAlike, Pair
from grader.reports.alike_words import pages
from grader.text import csv_text

COLUMNS = (
    "assignment", "likeness", "one", "one_from", "one_file", "one_shared", "other", "other_from",
    "other_file", "other_shared", "fingerprints", "most_alike_answer", "its_likeness",
    "same_person", "page",
)  # fmt: skip


def encode(alike: Alike) -> bytes:
    """Return the pairs as CSV; the same pairs give the same bytes."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for found in alike.assignments:
        for pair, page in zip(found.pairs, pages(found), strict=True):
            writer.writerow(_row(found, pair, page))
    return table.getvalue().encode("utf-8", "replace")


def _row(found: AssignmentAlike, pair: Pair, page: str) -> list[str]:
    row = [found.assignment, f"{pair.likeness:.3f}"]
    for place, share in ((pair.left, pair.left_share), (pair.right, pair.right_share)):
        work = found.works[place]
        students = csv_text("; ".join(work.students))
        row += [students, csv_text(work.origin), csv_text(work.file), f"{share:.3f}"]
    best = pair.answers[0] if pair.answers else None
    row += [
        str(pair.shared),
        csv_text(best.answer) if best else "",
        f"{best.likeness:.3f}" if best else "",
        "yes" if pair.same_person else "",
        f"pairs/{page}",
    ]
    return row
