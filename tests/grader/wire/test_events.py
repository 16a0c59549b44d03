"""What a supervisor says arrives as it was said."""

from __future__ import annotations

import pytest

from grader.wire.events import (
    Event,
    Exit,
    Failed,
    Limit,
    Ready,
    Refused,
    Warm,
    decode_event,
    encode_event,
)


@pytest.mark.parametrize(
    "event",
    [
        Ready("full", ("namespaces", "seccomp"), 26.5, 7),
        Ready("off", (), 1.0),
        Refused({"no network": "user namespaces"}),
        Failed("no room\nfor two lines"),
        *(Exit(limit, -9, False, 0.25, 1.5, 1 << 30) for limit in (None, *Limit)),
        Warm({"landlock": "this kernel has none"}),
    ],
    ids=lambda event: event.event,
)
def test_an_event_is_one_line_and_arrives_as_it_was_said(event: Event) -> None:
    line = encode_event(event)
    assert line.count(b"\n") == 1
    assert decode_event(line) == event


def test_a_limit_arrives_as_one() -> None:
    arrived = decode_event(encode_event(Exit(Limit.DISK, 0)))
    assert isinstance(arrived, Exit)
    assert arrived.reason is Limit.DISK
