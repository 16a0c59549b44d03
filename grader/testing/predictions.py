"""Predict, then run: numbers that a student writes down first, beside what the code gives.

Nothing is graded, and nothing stands in the way: what was left empty is told as a number to come,
what is far off as a reason to look again. Students have this file too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SAID = "prediction "
"""A question that begins so is about what the student has predicted."""


@dataclass(frozen=True)
class Prediction:
    """One number that was predicted, or not, and what is said about it.

    seen: whether it was within the tolerance; None if there is nothing to compare.
    """

    name: str
    words: str
    seen: bool | None = None

    def __str__(self) -> str:
        return f"{self.mark} {self.name}: {self.words}"

    @property
    def mark(self) -> str:
        """A symbol: seen well, worth another look, or nothing there to compare."""
        return "–" if self.seen is None else "✓" if self.seen else "≠"


def predicted_in(names: Mapping[str, Any], question: str) -> str:
    """Return the name of the dict that holds a question's predictions.

    Args:
        names: the notebook's.
        question: such as `"prediction scale"`, whose dict is `PREDICTED_SCALE`.

    Raises:
        LookupError: the notebook has no such dict, in a sentence that says what to do.
    """
    variable = f"PREDICTED_{'_'.join(question.removeprefix(SAID).split()).upper()}"
    if not isinstance(names.get(variable), Mapping):
        raise LookupError(f"Run the cell with {variable} first: it is a dict of your predictions.")
    return variable


def compare_predictions(
    predicted: Mapping[Any, Any],
    measured: Mapping[str, Any],
    within: float = 0.1,
    or_by: float = 0.0,
) -> list[Prediction]:
    """Say of each measured number how far the prediction was from it.

    Args:
        predicted: numbers by name; None, or `...`, where nothing is predicted.
        measured: what the code gives, by the same names: numbers, or tensors of one.
        within: how far off still counts as seen, as a share of what is measured.
        or_by: how far off still counts as seen, as a difference.
    """
    told = [
        _compare(str(name), predicted.get(name), _number(value), within, or_by)
        for name, value in measured.items()
    ]
    unknown = [str(name) for name in predicted if name not in measured]
    return told + [
        Prediction(name, "there is nothing of this name; leave the names as they were")
        for name in unknown
    ]


def _compare(name: str, said: Any, is_: float | None, within: float, or_by: float) -> Prediction:
    if is_ is None:
        return Prediction(name, "the code gives no number here")
    if said is None or said is ...:
        return Prediction(name, f"nothing predicted; it is {spoken(is_)}")
    number = _number(said)
    if number is None:
        return Prediction(name, f"{str(said)[:40]!r} is no number; write one, such as 0.5")
    if abs(number - is_) <= max(within * abs(is_), or_by):
        exact = "exactly" if number == is_ else f"it is {spoken(is_)}"
        return Prediction(name, f"well seen: you said {spoken(number)}, {exact}", seen=True)
    return Prediction(
        name,
        f"you said {spoken(number)}, it is {spoken(is_)}: {_how_far(number, is_)}. "
        "Why? That is the question to go on with.",
        seen=False,
    )


def _how_far(said: float, is_: float) -> str:
    """How far off, in words that fit: a factor where it is one, else a share or a difference."""
    if said == 0 or is_ == 0 or (said < 0) != (is_ < 0):
        return f"{spoken(abs(said - is_))} too {'high' if said > is_ else 'low'}"
    factor = said / is_
    if not factor or not math.isfinite(1 / factor) or not math.isfinite(factor):
        return "so far off that no number says it"
    direction = "large" if factor > 1 else "small"
    if is_ < 0:
        direction = "low" if factor > 1 else "high"
    factor = max(factor, 1 / factor)
    if factor < 2:
        return f"{abs(said / is_ - 1):.0%} too {direction}"
    return f"{spoken(factor)} times too {direction}"


def spoken(number: float) -> str:
    """Write a number as one says it: 0.0123, 4.56, 789, 12,345."""
    whole = number == int(number) or abs(number) >= 1000
    return f"{number:,.0f}" if whole and abs(number) < 1e15 else f"{number:.3g}"


def _number(value: Any) -> float | None:
    """A finite number, or a tensor's only one, as a float; None if it is something else."""
    if isinstance(value, (bool, str, bytes)):
        return None
    try:
        number = float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None
    return number if math.isfinite(number) else None
