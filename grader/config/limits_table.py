"""`[tool.grader.limits]` as people write it; `grader.model.Limits` has the values."""

from __future__ import annotations

import msgspec

from grader.errors import ConfigError
from grader.model import MOST_SECONDS, Limits

MEMORY_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
LEAST_MEMORY, MOST_MEMORY = 16 << 20, 1 << 50
LEAST_SECONDS = 0.01
"""Less is no limit that an answer could keep, and more memory no machine has."""


class LimitsTable(msgspec.Struct, forbid_unknown_fields=True):
    """What is said of the limits."""

    wall_s: float | None = None
    cell_s: float | None = None
    check_s: float | None = None
    patience_s: float | None = None
    memory: str | None = None


def read_limits(table: LimitsTable) -> Limits:
    """Return the limits: the usual ones where the table says nothing.

    Raises:
        ConfigError: a number or a size makes no sense.
    """
    given: dict[str, float | int] = {
        name: value
        for name in ("wall_s", "cell_s", "check_s", "patience_s")
        if (value := getattr(table, name)) is not None
    }
    for name, value in given.items():
        if not LEAST_SECONDS <= value <= MOST_SECONDS:  # nor is `nan` between them
            raise ConfigError(
                f"[tool.grader.limits] {name} = {value:g} must be from {LEAST_SECONDS:g} "
                f"to {MOST_SECONDS:.0f} seconds"
            )
    if table.memory is not None:
        given["memory_bytes"] = _bytes(table.memory)
    return msgspec.structs.replace(Limits(), **given)


def _bytes(text: str) -> int:
    number, _, unit = text.strip().partition(" ")
    try:
        size = float(number) * MEMORY_UNITS[unit.strip()]
    except (KeyError, ValueError):
        raise ConfigError(
            f"[tool.grader.limits] memory = {text[:80]!r} is not a size", hint='write it as "4 GiB"'
        ) from None
    if not LEAST_MEMORY <= size <= MOST_MEMORY:  # nor is `nan` between them
        raise ConfigError(
            f"[tool.grader.limits] memory = {text[:80]!r} must be from {LEAST_MEMORY >> 20} MiB "
            f"to {MOST_MEMORY >> 30} GiB",
            hint='write it as "4 GiB"',
        )
    return int(size)
