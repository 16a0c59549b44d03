"""What a worker's supervisor, and its zygote, tell the near side: one line of JSON each.

Standard library only: the worker's processes have this file.
"""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


class Limit(enum.StrEnum):
    """Why a supervisor ended its worker."""

    WALL_TIME = "wall time"
    MEMORY = "memory"
    THREADS = "threads"
    DISK = "disk"
    FILES = "files"
    NOBODY_LISTENS = "grader went away"


@dataclass(frozen=True)
class Ready:
    """The worker is behind the wall.

    Attributes:
        mode, layers: what the wall is made of.
        ms: milliseconds since it was asked for.
        pid: the worker as this process namespace numbers it, if it does.
    """

    event: ClassVar[str] = "ready"
    mode: str
    layers: tuple[str, ...]
    ms: float
    pid: int | None = None


@dataclass(frozen=True)
class Refused:
    """The wall can't be built. `missing` has each property that lacks, and what would give it."""

    event: ClassVar[str] = "refused"
    missing: dict[str, str]


@dataclass(frozen=True)
class Failed:
    """Something of ours went wrong."""

    event: ClassVar[str] = "failed"
    message: str


@dataclass(frozen=True)
class Exit:
    """The worker has ended.

    Attributes:
        reason: the limit that it hit; None when it ended by itself.
        code: its exit status, or minus the signal that ended it.
        starved: whether the kernel ended it because the machine was out of memory.
        cpu_s, wall_s, peak_bytes: what it used.
    """

    event: ClassVar[str] = "exit"
    reason: Limit | None
    code: int
    starved: bool = False
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True)
class Warm:
    """The zygote can be asked for workers. `without` says why layers of the wall are not there."""

    event: ClassVar[str] = "warm"
    without: dict[str, str]


Event = Ready | Refused | Failed | Exit | Warm
KINDS: dict[str, type[Event]] = {kind.event: kind for kind in (Ready, Refused, Failed, Exit, Warm)}


def encode_event(event: Event) -> bytes:
    """One line, its end included."""
    return json.dumps({"event": event.event, **asdict(event)}).encode() + b"\n"


def decode_event(line: bytes) -> Event:
    """What a line says; from our own processes, which are believed.

    Raises:
        ValueError, TypeError, KeyError: it is no such line.
    """
    fields: dict[str, Any] = json.loads(line)
    kind = KINDS[fields.pop("event")]
    if kind is Ready:
        fields["layers"] = tuple(fields["layers"])
    if kind is Exit and fields["reason"] is not None:
        fields["reason"] = Limit(fields["reason"])
    return kind(**fields)
