"""Proves the wall on this machine: real workers try to break out, and what they hit is looked at.

What the canaries say counts against the wall, never for it: effects are looked for from outside.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import GraderFault
from grader.jail.canaries import CANARIES, ENDING, TOO_LONG, TOO_MANY_THREADS, Targets
from grader.jail.properties import PROPERTIES, Property
from grader.judging.spawning import WorkerPipes, Zygote, spawn
from grader.model import Limits
from grader.wire.events import Exit, Failed, Limit, Ready, Refused, decode_event

PATIENCE_S = 30.0
TRIES = 3
SHORT_WALL_S = 0.3
SECRET = b"nobody reads this"

# what a worker says that it could do: property and attempt
Claims = list[list[str]]


@dataclass(frozen=True)
class Told:
    """What a supervisor has said of its worker."""

    ready: Ready | None = None
    refused: Refused | None = None
    failed: Failed | None = None
    exit: Exit | None = None

    @classmethod
    def by(cls, lines: bytes) -> Told:
        """Read what a status pipe held, all of it."""
        said: dict[str, Any] = {}
        for line in lines.splitlines():
            event = decode_event(line)
            said[event.event] = event
        return cls(**said)

    @property
    def layers(self) -> set[str]:
        """What the wall was made of."""
        return set() if self.ready is None else set(self.ready.layers)

    @property
    def reason(self) -> Limit | None:
        """The limit that the worker hit."""
        return None if self.exit is None else self.exit.reason


@dataclass(frozen=True)
class PropertyResult:
    """Whether one property of the wall held.

    Attributes:
        property: its title.
        layers: the layers that give it here.
        tried: what was tried against it.
        held: whether all of that failed.
        advice: what would give the property, when nothing does.
    """

    property: str
    layers: tuple[str, ...]
    tried: tuple[str, ...]
    held: bool
    advice: str = ""


def self_test(
    zygote: Zygote,
    limits: Limits,
    *,
    sandbox: bool = True,
    forbidden: tuple[str, ...] = (),
    quick: bool = False,
) -> tuple[PropertyResult, ...]:
    """Let workers try to break out, and return a result for every property.

    Args:
        zygote: whose workers to try.
        limits: what they may use.
        sandbox: whether there is a wall.
        forbidden: layers of the wall to do without, for its tests.
        quick: leave out the attempts that need workers of their own, and take time.

    Raises:
        GraderFault: no worker could be started for another reason than a missing property.
    """
    with _targets(limits) as (targets, harmed):

        def fly(only: str = "", within: Limits = limits) -> tuple[Claims | None, Told]:
            canary = replace(targets, only=only).to_json()
            socket_fd = zygote.fileno()
            return _once_started(
                lambda: _listen(
                    spawn(socket_fd, within, sandbox=sandbox, forbidden=forbidden, canary=canary)
                )
            )

        claims, events = _until_told(fly)
        if events.refused is not None:
            return _refused(events.refused)
        escaped = {(name, tried) for name, tried in claims} | harmed()
        if not quick:
            short = msgspec.structs.replace(limits, wall_s=SHORT_WALL_S)
            _, endings = fly(TOO_LONG, short)
            if endings.reason is not Limit.WALL_TIME:
                escaped.add(("limits", TOO_LONG))
            if fly(TOO_MANY_THREADS)[0]:
                escaped.add(("limits", TOO_MANY_THREADS))
    layers = events.layers
    return tuple(_result(item, layers, escaped, quick=quick) for item in PROPERTIES)


def require_holding(zygote: Zygote, limits: Limits) -> None:
    """Try the wall, in short, before anybody's code runs behind it.

    Raises:
        GraderFault: a property is missing or does not hold; the message names it.
    """
    results = self_test(zygote, limits, quick=True)
    through = [result for result in results if not result.held]
    if through:
        names = "; ".join(result.property for result in through)
        advice = next((result.advice for result in through if result.advice), "")
        raise GraderFault(
            "submissions can't be walled in on this machine",
            where=f"not given: {names}",
            hint=f"{advice or 'nothing is safe to grade here'}; `grader doctor` shows it all",
        )


def _result(
    item: Property, layers: set[str], escaped: set[tuple[str, str]], *, quick: bool
) -> PropertyResult:
    tried = [tried for name, tried, _ in CANARIES if name == item.id]
    if item.id == "limits" and not quick:
        tried += ENDING
    given = tuple(layer for layer in item.given_by if layer in layers)
    held = not any(name == item.id for name, _ in escaped)
    return PropertyResult(item.title, given, tuple(tried), held, "" if given else item.provide)


def _refused(event: Refused) -> tuple[PropertyResult, ...]:
    gaps = event.missing
    return tuple(
        PropertyResult(item.title, (), (), item.title not in gaps, gaps.get(item.title, ""))
        for item in PROPERTIES
    )


@contextlib.contextmanager
def _targets(limits: Limits) -> Iterator[tuple[Targets, Any]]:
    """Set up what the canaries go for; the second value looks what became of it."""
    with contextlib.ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="grader-selftest-", dir=_place_for_a_socket())
        folder = Path(stack.enter_context(made))
        secret = folder / "secret"
        secret.write_bytes(SECRET)
        # nothing but the wall may be what stops them
        folder.chmod(0o777)
        secret.chmod(0o666)
        before = secret.stat()
        network = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(folder / "socket"))
        local.listen()
        (folder / "socket").chmod(0o777)
        wait = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]
        victim = stack.enter_context(subprocess.Popen(wait, stdin=subprocess.PIPE))

        def harmed() -> set[tuple[str, str]]:
            after = secret.stat() if secret.exists() else None
            damage = {
                ("write", "overwrite a file outside"): not after or secret.read_bytes() != SECRET,
                ("write", "make a file outside"): len(list(folder.iterdir())) != 2,
                ("chmod", "change a file's mode"): not after or after.st_mode != before.st_mode,
                ("network", "connect to a port"): _was_called(network),
                ("network", "connect to a socket"): _was_called(local),
                ("signal", "kill another process"): victim.poll() is not None,
            }
            return {canary for canary, done in damage.items() if done}

        targets = Targets(
            secret=str(secret),
            port=network.getsockname()[1],
            unix_socket=str(folder / "socket"),
            victim=victim.pid,
            memory_bytes=limits.memory_bytes,
            scratch_bytes=limits.scratch_bytes,
            threads=limits.processes,
        )
        yield targets, harmed


def _place_for_a_socket() -> str:
    """The folder for temporary files, or `/tmp` where its path is too long for a socket's name.

    `sun_path` holds 108 bytes (unix(7)); the self-test's own names take less than 40.
    """
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= 64 else "/tmp"


def _was_called(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])


def _once_started(
    listen: Callable[[], tuple[Claims | None, Told]],
) -> tuple[Claims | None, Told]:
    """Hear a worker out, and another one if it could not be started.

    Raises:
        GraderFault: none of them could; the message says what happened to the last.
    """
    for _ in range(TRIES):
        claims, events = listen()
        if events.failed is None:
            return claims, events
        reason = events.failed.message
    raise GraderFault(
        f"the wall can't be tested: {TRIES} workers in a row could not be started",
        where=reason,
        hint="try again; `grader doctor` shows what this machine offers",
    )


def _until_told(fly: Callable[[], tuple[Claims | None, Told]]) -> tuple[Claims, Told]:
    """Let a worker try everything, and another one if somebody ends it before it tells.

    Raises:
        GraderFault: all of them are ended: nobody knows what they could have done.
    """
    for _ in range(TRIES):
        claims, events = fly()
        if events.refused is not None:
            return [], events
        if claims is not None and events.ready is not None:
            return claims, events
    code = "unknown" if events.exit is None else events.exit.code
    raise GraderFault(
        "the wall can't be tested: the worker that tries it is ended before it is done",
        where=f"exit code {code}",
        hint="try again; if it stays so, something on this machine ends workers",
    )


def _listen(pipes: WorkerPipes) -> tuple[Claims | None, Told]:
    """Read a worker's report, None if it made none, and its supervisor's events to their ends."""
    received = {pipes.replies: b"", pipes.status: b"", pipes.output: b""}
    waiting = set(received)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while waiting:
            ready = select.select(waiting, [], [], max(0.0, deadline - time.monotonic()))[0]
            if not ready:
                raise GraderFault("the self-test of the wall does not end")
            for descriptor in ready:
                chunk = os.read(descriptor, 1 << 16)
                received[descriptor] += chunk
                if not chunk:
                    waiting.discard(descriptor)
    finally:
        pipes.close()
    report = received[pipes.replies]
    return json.loads(report) if report else None, Told.by(received[pipes.status])
