"""Questions that a person marks: `[[tool.grader.assignments.manual]]`, with their rubrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from grader.config.policy_table import MOST
from grader.errors import ConfigError
from grader.model import Question, RubricItem

MOST_ITEMS = 100


class RubricTable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[[…rubric]]`: what a marker may say of an answer."""

    id: str
    text: str
    points: float


class ManualTable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[[…manual]]`: a question whose cell of this name a person marks."""

    id: str
    title: str
    points: float
    bonus: bool = False
    rubric: tuple[RubricTable, ...] = ()


def read_manual(tables: Sequence[ManualTable], where: str) -> tuple[Question, ...]:
    """Return the manual questions of an assignment.

    Raises:
        ConfigError: a name can't be used, or is used twice; points make no sense.
    """
    _require_names((one.id for one in tables), f"{where}: manual question")
    return tuple(_question(one, f"{where}: manual question `{one.id}`") for one in tables)


def _question(table: ManualTable, where: str) -> Question:
    if not 0 < table.points <= MOST:  # nor is `nan`
        raise ConfigError(f"{where}: points must be more than 0, and up to {MOST}")
    if len(table.rubric) > MOST_ITEMS:
        raise ConfigError(f"{where} has more than {MOST_ITEMS} rubric items")
    _require_names((one.id for one in table.rubric), f"{where}: rubric item")
    for item in table.rubric:
        if not math.isfinite(item.points) or abs(item.points) > MOST:
            raise ConfigError(f"{where}: points of `{item.id}` must be a number up to {MOST}")
        if not item.text.strip():
            raise ConfigError(f"{where}: rubric item `{item.id}` has no text")
    return Question(
        id=table.id,
        title=table.title,
        points=table.points,
        bonus=table.bonus,
        manual=True,
        rubric=tuple(RubricItem(one.id, one.text, one.points) for one in table.rubric),
    )


def _require_names(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if not name.isidentifier():
            raise ConfigError(
                f"{what} {name[:80]!r} is not a plain name", hint="letters, digits and `_`"
            )
        if name in seen:
            raise ConfigError(f"two are called `{name}`: {what}", hint="rename one")
        seen.add(name)


def require_no_checks(manual: Sequence[Question], checked: Iterable[str], where: str) -> None:
    """Demand that no question is marked by a person and by checks.

    Raises:
        ConfigError: one is.
    """
    known = set(checked)
    for question in manual:
        if question.id in known:
            raise ConfigError(
                f"question `{question.id}` has checks, and is marked by a person as well",
                where=where,
                hint="give the part that a person marks a name of its own",
            )
