"""The forms in which values cross that are more than plain data: dates, arrays, frames, figures.

`neutral` takes a submission's or a suite's own class off a value. `apart` names a value's form and
takes it apart into simpler values, which cross as such; `together` is the way back. It is used
where bytes of a stranger arrive: it looks at the type, size and fit of every part, calls nothing by
a name that has crossed, and raises `Malformed` for whatever `apart` would not have made.

    forms/standard     numbers, dates, sets, ranges; dataclasses, named tuples, enumerations, errors
    forms/arrays       NumPy
    forms/columns      a column of a table, as arrays and texts
    forms/frames       pandas
    forms/arrow        pyarrow's tables
    forms/pictures     matplotlib's figures and Pillow's images, described

A library is used when the process has it already, or when a value of its kind arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.testing.forms import arrays, arrow, frames, pictures, standard
from grader.testing.forms.parts import Malformed, Unsendable

__all__ = ["Malformed", "Unsendable", "apart", "neutral", "together"]

Builder = Callable[[list[Any]], Any]

_BUILDERS: dict[str, Builder] = {
    **standard.BUILDERS,
    **arrays.BUILDERS,
    **frames.BUILDERS,
    **arrow.BUILDERS,
}


def neutral(value: Any) -> Any:
    """The value without a class of its own: described, or as the plain one that it derives from.

    What has nothing to take off comes back as it is.
    """
    for strip in (pictures.neutral, standard.neutral, arrays.neutral):
        found = strip(value)
        if found is not value:
            return found
    return value


def apart(value: Any) -> tuple[str, list[Any]] | None:
    """A value's form and its parts; None if it has none.

    Raises:
        Unsendable: it is of a kind that crosses, and this one can't.
    """
    for take in (standard.apart, arrays.apart, frames.apart, arrow.apart):
        found = take(value)
        if found is not None:
            return found
    return None


def together(form: Any, parts: list[Any]) -> Any:
    """The value that has this form and these parts.

    Raises:
        Malformed: nothing has.
    """
    build = _BUILDERS.get(form) if type(form) is str else None
    if build is None:
        raise Malformed("unknown form")
    try:
        return build(parts)
    except Malformed:
        raise
    except MemoryError:
        raise
    except Exception as error:
        raise Malformed(f"malformed {form}: {type(error).__name__}") from None
