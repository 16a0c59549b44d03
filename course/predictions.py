"""What a student has predicted, beside what the code gives: shown under the cell, never graded."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from course.checking import GREEN, GREY, card, signed_line

if TYPE_CHECKING:
    from grader.testing.predictions import Prediction

BLUE = "#4178be"
"""For what is worth another look: not a mistake; at least 3 to 1 on white and on black."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one question, shown as HTML in Jupyter and as text elsewhere.

    note: what there is to say instead.
    """

    each: Sequence[Prediction] = ()
    note: str = ""

    def __repr__(self) -> str:
        return "\n".join([self.note] if self.note else map(str, self.each))

    def _repr_html_(self) -> str:
        if self.note:
            return card(GREY, html.escape(self.note))
        return card(_colour(self.each), "".join(map(_line, self.each)))


def compared(
    names: Mapping[str, Any],
    question: str,
    measured: Mapping[str, Any],
    within: float,
    or_by: float,
) -> Predictions:
    """Compare the predictions of a question with what was measured; see `course.check`."""
    from grader.testing.predictions import compare_predictions, predicted_in

    try:
        predicted = names[predicted_in(names, question)]
    except LookupError as error:
        return Predictions(note=error.args[0])
    return Predictions(compare_predictions(predicted, measured, within, or_by))


def _colour(each: Sequence[Prediction]) -> str:
    if any(one.seen is False for one in each):
        return BLUE
    return GREEN if any(one.seen for one in each) else GREY


def _line(one: Prediction) -> str:
    words = {True: "well seen", False: "another look", None: "nothing predicted"}[one.seen]
    text = f"<b>{html.escape(one.name)}</b>: {html.escape(one.words)}"
    return signed_line("div", one.mark, _colour([one]), words, text)
