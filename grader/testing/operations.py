"""What can be asked of a submission: the operations that a link carries.

They are named here, not on the wire, because a notebook's own checks perform them, too.
"""

from __future__ import annotations

import enum


class Op(enum.StrEnum):
    """An operation. All but the last three are those of objects: `objects.py` performs them."""

    NAME = "name"
    MODULE = "module"
    GET = "get"
    SET = "set"
    ITEM = "item"
    CALL = "call"
    AWAIT = "await"
    FETCH = "fetch"
    ELEMENTS = "elements"
    TAKE = "take"
    SEND = "send"
    LISTEN = "listen"
    HEARD = "heard"
    SEED = "seed"
    GRAD = "grad"
    RESET = "reset"
    RELEASE = "release"

    CELL = "cell"
    """Run a notebook's cell: a worker alone does."""
    SCRIPT = "script"
    """Say that the cells are those of a script of this name: a worker alone does."""
    DEFINITIONS = "definitions"
    """Tell what the cells define: a worker alone does."""


ALWAYS = frozenset({Op.RELEASE, Op.SEED, Op.GRAD, Op.HEARD})
"""What is not left out after an exception: it puts back what a check has changed."""
