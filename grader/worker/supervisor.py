"""One process per worker: walls it in, watches it, and says what became of it: `wire/events.py`."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from grader.errors import told
from grader.jail import namespaces, properties
from grader.jail.cgroups import Cgroup, kills_when_out_of_memory
from grader.jail.linux import PR_SET_CHILD_SUBREAPER, prctl
from grader.jail.properties import CGROUP, NAMESPACES, SECCOMP, USER_ID
from grader.jail.readable import Readable
from grader.jail.scratch import make_scratch, remove_tree
from grader.jail.wall import Offer, WallPlan, plan, worker_user
from grader.wire.events import Event, Exit, Failed, Limit, Refused, encode_event
from grader.wire.worker import WorkerPolicy
from grader.worker.entry import Behind, Ends, close_all_but, enter_and_serve
from grader.worker.parts import part_of, with_part
from grader.worker.watchdog import TICK_MS, Watchdog, children_of

# after its last request, a worker ends by itself unless it is busy
LAST_BREATH_S = 0.2
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Surroundings:
    """What all workers of a zygote share.

    Attributes:
        state: the session's folder on the host.
        leash: a pipe that is closed when the zygote is gone.
        zygote: its process id.
        tree: what workers may read.
        offer: what this machine can do for a wall.
        public: the folder of the public packages.
        parts: the folder with what of them differs between assignments; empty when nothing does.
        data: for each assignment that has some, where it lies and its name beside the notebook.
    """

    state: str
    leash: int
    zygote: int
    tree: Readable
    offer: Offer
    public: str = ""
    parts: str = ""
    data: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class End:
    """How a worker ended: the limit it hit, if any, and what it used."""

    reason: Limit | None
    code: int
    usage: resource.struct_rusage
    peak_bytes: int


def supervise(policy: WorkerPolicy, ends: Ends, session: Surroundings, started: float) -> NoReturn:
    """Fork the worker, watch it to its end, report, and exit.

    Args:
        policy: what the worker may do and use.
        ends: its ends of the pipes.
        session: what it shares with others.
        started: when the request arrived, on the monotonic clock.
    """
    try:
        os.setsid()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        chosen = plan(policy, session.offer)
        gaps = properties.missing(chosen.layers) if policy.sandbox else ()
        if gaps:
            say(ends.status, Refused({gap.title: gap.provide for gap in gaps}))
        else:
            _run(chosen, policy, ends, session, started)
    except BaseException as error:
        say(ends.status, Failed(f"the supervisor failed: {told(error)}"))
    finally:
        os._exit(0)


def say(status: int, event: Event) -> None:
    """Write one line to the status pipe; nobody may be listening any more."""
    with contextlib.suppress(OSError):
        os.write(status, encode_event(event))


def _run(
    chosen: WallPlan, policy: WorkerPolicy, ends: Ends, session: Surroundings, started: float
) -> None:
    user = worker_user(os.getpid()) if USER_ID in chosen.layers else None
    group = Cgroup(session.zygote, policy) if CGROUP in chosen.layers else None
    data = session.data.get(policy.assignment, ())
    scratch = None if NAMESPACES in chosen.layers else make_scratch(session.state, user, data)
    kills_before = kills_when_out_of_memory()
    starved = False
    part = part_of(session.parts, policy.assignment)
    try:
        gate, key = os.pipe()
        if chosen.kind:
            namespaces.separate_processes(chosen.kind)
            _fork_first_process(gate)
        pid = os.fork()
        if pid == 0:
            os.close(key)
            behind = Behind(
                plan=chosen,
                tree=replace(with_part(session.tree, part), data=data),
                root=f"{session.state}/root",
                scratch=scratch,
                user=user,
                group=group,
                public=session.public,
                part=part,
            )
            enter_and_serve(policy, ends, behind, gate, started)
        os.close(gate)
        for descriptor in (ends.replies, ends.output):
            os.close(descriptor)
        alone = SECCOMP in chosen.layers
        dog = Watchdog(policy, pid, scratch=scratch, alone=alone, started=started)
        os.write(key, b"!")
        end = _watch(pid, dog, ends, session.leash)
        _end_descendants()
        if not end.reason and end.code == -signal.SIGKILL:
            if group and group.out_of_memory():
                end = replace(end, reason=Limit.MEMORY)
            elif group:
                starved = group.lost_a_member()
            else:
                starved = kills_when_out_of_memory() > kills_before
    finally:
        if group:
            group.remove()
        if scratch:
            remove_tree(scratch)
    wall_s = round(time.monotonic() - started, 3)
    cpu_s = round(end.usage.ru_utime + end.usage.ru_stime, 3)
    say(ends.status, Exit(end.reason, end.code, starved, cpu_s, wall_s, end.peak_bytes))


def _fork_first_process(gate: int) -> None:
    """Fork process 1 of the new namespace. With it ends everything in there.

    The worker had better not be it: the kernel drops signals to process 1, so that `abort()` or a
    kill of itself would have no effect.
    """
    if os.fork() == 0:
        try:
            close_all_but({gate})
            supervisor = select.poll()
            supervisor.register(gate, 0)
            supervisor.poll()  # returns when the other end is closed
        finally:
            os._exit(0)


def _watch(pid: int, dog: Watchdog, ends: Ends, leash: int) -> End:
    """Wait until the worker ends, or until it must, and then end it."""
    poll = select.poll()
    for descriptor in (ends.status, ends.requests, leash):
        poll.register(descriptor, 0)  # tells only that the other end is closed
    with contextlib.suppress(OSError, AttributeError):
        poll.register(os.pidfd_open(pid), select.POLLIN)
    reason: Limit | None = None
    last_breath = float("inf")
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(TICK_MS)}
        done, status, usage = os.wait4(pid, 0 if reason else os.WNOHANG)
        if done:
            peak = max(dog.peak_bytes, usage.ru_maxrss * MAXRSS_UNIT)
            return End(reason, os.waitstatus_to_exitcode(status), usage, peak)
        if ends.requests in ready:
            poll.unregister(ends.requests)
            last_breath = time.monotonic() + LAST_BREATH_S
        if {ends.status, leash} & ready or time.monotonic() > last_breath:
            reason = Limit.NOBODY_LISTENS
        else:
            reason = dog.reason()
        if reason:
            os.kill(pid, signal.SIGKILL)


def _end_descendants() -> None:
    """Kill what the worker left behind: as its subreaper, this process is now the parent."""
    while children := children_of(os.getpid()):
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
