"""The table of scores: students down, assignments across, as wide as the terminal allows.

Three shapes, the first that fits: titles as headings; numbers as headings with a legend; a row
per student and assignment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.gradebook import Gradebook, Score, State, Total
from grader.reports.students import by_student, called, totals
from grader.scoring.points import percent
from grader.text import one_line, points

GAP = 2
NAME_WIDTH = 12  # a longer name may be folded where the room is needed for scores


@dataclass(frozen=True)
class Symbols:
    """One character for each kind of mark, so that colour is never needed."""

    full: str
    part: str
    zero: str
    ungraded: str
    missing: str
    unmarked: str

    @classmethod
    def fitting(cls, console: Console) -> Symbols:
        """Choose symbols that the console's encoding has."""
        try:
            "✓◐✗·✎".encode(console.encoding)
        except (LookupError, UnicodeEncodeError):
            return cls(full="+", part="~", zero="x", ungraded="?", missing="-", unmarked="m")
        return cls(full="✓", part="◐", zero="✗", ungraded="?", missing="·", unmarked="✎")


def mark(score: Score, symbols: Symbols, *, possible: bool = True) -> Text:
    """Return a score as a symbol and a number, coloured."""
    if score.state is State.UNGRADED:
        return Text(f"{symbols.ungraded} ungraded", "bold yellow")
    if score.state is State.MISSING:
        return Text(f"{symbols.missing} missing", "dim")
    number = points(score.earned) + (f"/{points(score.possible)}" if possible else "")
    if score.state is State.UNMARKED:
        return Text(f"{symbols.unmarked} {number}", "bold yellow")
    if percent(score) >= 100:
        return Text(f"{symbols.full} {number}", "green")
    if score.earned <= 0:
        return Text(f"{symbols.zero} {number}", "red")
    return Text(f"{symbols.part} {number}", "yellow")


def score_table(gradebook: Gradebook, console: Console, symbols: Symbols) -> RenderableType:
    """Return the first shape of the table that fits the console's width."""
    titles = [one_line(assignment.title) for assignment in gradebook.assignments]
    grid = _Grid(gradebook, symbols, [title.replace(" ", "\n") for title in titles])
    if grid.width <= console.width:
        return grid.table
    numbers = [str(number) for number in range(1, len(titles) + 1)]
    grid = _Grid(gradebook, symbols, numbers)
    if grid.width <= console.width:
        legend = "   ".join(f"{n}\u00a0{t}" for n, t in zip(numbers, titles, strict=True))
        return Group(Text(legend), Text(), grid.table)
    return _listed(gradebook, symbols)


def tally(gradebook: Gradebook, symbols: Symbols) -> Text:
    """Return one line that counts the marks and explains their symbols."""
    graded = [score for score in gradebook.scores if score.state is State.GRADED]
    full = sum(percent(score) >= 100 for score in graded)
    zero = sum(percent(score) < 100 and score.earned <= 0 for score in graded)
    states = [score.state for score in gradebook.scores]
    counts = (
        (symbols.full, full, "full marks", "green"),
        (symbols.part, len(graded) - full - zero, "in part", "yellow"),
        (symbols.zero, zero, "nothing", "red"),
        (symbols.ungraded, states.count(State.UNGRADED), "ungraded", "bold yellow"),
        (symbols.unmarked, states.count(State.UNMARKED), "unmarked", "bold yellow"),
        (symbols.missing, states.count(State.MISSING), "missing", "dim"),
    )
    parts = [Text(f"{symbol} {n} {word}", style) for symbol, n, word, style in counts if n]
    return Text("   ").join(parts)


class _Grid:
    """One row a student; points possible stand in the heading, so that a cell is one number.

    `width` is the least width at which only names may be folded.
    """

    def __init__(self, gradebook: Gradebook, symbols: Symbols, headings: Sequence[str]) -> None:
        students = by_student(gradebook)
        names = [Text(one_line(called(student, gradebook))) for student in students]
        columns = []
        for heading, assignment in zip(headings, gradebook.assignments, strict=True):
            cells = [_cell(scores.get(assignment.id), symbols) for scores in students.values()]
            columns.append((f"{heading}\nof {points(assignment.points)}", cells))
        if len(columns) > 1:
            possible = points(sum(assignment.points for assignment in gradebook.assignments))
            sums = totals(gradebook)
            heading = (
                "Total" if any(one.dropped for one in sums.values()) else f"Total\nof {possible}"
            )
            columns.append((heading, [_total(sums[name], symbols) for name in students]))
        self.table = plain_table()
        self.table.add_column("Student", overflow="fold")
        for heading, _ in columns:
            self.table.add_column(Text(heading), no_wrap=True)
        for row in zip(names, *(cells for _, cells in columns), strict=True):
            self.table.add_row(*row)
        widths = [min(_width("Student", names), NAME_WIDTH)]
        widths += [_width(heading, cells) for heading, cells in columns]
        self.width = sum(widths) + GAP * (len(widths) - 1)


def _width(heading: str, cells: Sequence[Text]) -> int:
    return max(cell_len(line) for line in (*heading.split("\n"), *(cell.plain for cell in cells)))


def _cell(score: Score | None, symbols: Symbols) -> Text:
    if score is None or score.state is State.MISSING:
        return Text(symbols.missing, "dim")
    if score.state is State.UNGRADED:
        return Text(symbols.ungraded, "bold yellow")
    return mark(score, symbols, possible=False)


def _total(total: Total, symbols: Symbols) -> Text:
    """A student's points; while something is ungraded, the sum is not known yet."""
    earned = points(total.earned) + (f"/{points(total.possible)}" if total.dropped else "")
    if not total.known:
        return Text(f"{earned} {symbols.ungraded}", "bold yellow")
    return Text(earned, "bold")


def _listed(gradebook: Gradebook, symbols: Symbols) -> Table:
    titles = {assignment.id: one_line(assignment.title) for assignment in gradebook.assignments}
    table = plain_table()
    table.add_column("Student", overflow="fold", ratio=1)
    table.add_column("Assignment", overflow="fold", ratio=1)
    table.add_column("Score", no_wrap=True)
    for student, scores in by_student(gradebook).items():
        name = one_line(called(student, gradebook))
        for score in scores.values():
            title = titles.get(score.assignment, one_line(score.assignment))
            table.add_row(Text(name), Text(title), mark(score, symbols))
            name = ""
    return table


def plain_table() -> Table:
    """Return a table without lines, as all of ours are."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
