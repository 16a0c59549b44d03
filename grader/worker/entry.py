"""The worker's first steps: close everything, go behind the wall, then serve."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from grader.errors import told
from grader.jail.canaries import fly
from grader.jail.cgroups import Cgroup
from grader.jail.linux import PR_SET_PDEATHSIG, prctl, set_dumpable
from grader.jail.properties import mode
from grader.jail.readable import Readable
from grader.jail.wall import WallPlan, enter
from grader.wire.events import Failed, Ready, encode_event
from grader.wire.worker import WorkerPolicy
from grader.worker.parts import show_part
from grader.worker.serve import serve

REQUESTS, REPLIES, STATUS = 3, 4, 5


class Ends(NamedTuple):
    """The worker's ends of its four pipes, in the order of the spawn packet."""

    requests: int
    replies: int
    output: int
    status: int


@dataclass(frozen=True)
class Behind:
    """What the worker will have around it.

    Attributes:
        plan: the layers of the wall.
        tree: what it may read.
        root: an empty folder to mount a private root on.
        scratch: its folder on the host; None when it will have its own file system.
        user: whom it becomes, if anybody.
        group: its control group, if any.
        public: the folder of the public packages.
        part: the folder with what of them is its assignment's own; empty when nothing is.
    """

    plan: WallPlan
    tree: Readable
    root: str
    scratch: str | None
    user: int | None
    group: Cgroup | None
    public: str = ""
    part: str = ""


def enter_and_serve(
    policy: WorkerPolicy, ends: Ends, behind: Behind, gate: int, started: float
) -> NoReturn:
    """Become the worker: never returns.

    Args:
        policy: what it may do and use.
        ends: its ends of the pipes.
        behind: what it will have around it.
        gate: a pipe on which the supervisor says that it watches.
        started: when the request arrived, on the monotonic clock.
    """
    status = ends.status
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.read(gate, 1) != b"!":
            os._exit(1)  # the supervisor died before its death could be a signal
        status = _arrange_descriptors(ends)
        seen_as = _pid_outside()
        _volunteer_for_the_oom_killer()
        if behind.group:
            behind.group.join()
        scratch = _enter(policy, behind)
        _make_neutral(scratch, policy.assignment)
        show_part(behind.part, behind.public)
        _show_gpu(policy)
        _say_ready(status, policy, behind.plan, started, seen_as)
        os.close(status)
        if policy.canary is not None:
            fly(policy.canary, REPLIES)
            os._exit(0)
        serve(REQUESTS, REPLIES, device=policy.torch_device, scratch=scratch)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(status, encode_event(Failed(f"the worker could not start: {told(error)}")))
    finally:
        os._exit(1)


def _arrange_descriptors(ends: Ends) -> int:
    """Put the pipes at 0 to 5, close all others, and return the status pipe's number."""
    null = os.open(os.devnull, os.O_RDONLY)
    sources = (null, ends.output, ends.output, ends.requests, ends.replies, ends.status)
    # first out of the way of each other
    first_free = max(len(sources), *sources) + 1
    for target, source in enumerate(sources):
        os.dup2(source, first_free + target)
    for target in range(len(sources)):
        os.dup2(first_free + target, target)
    close_all_but(range(STATUS + 1))
    return STATUS


def close_all_but(kept: Container[int]) -> None:
    """Close every other descriptor of this process."""
    listing = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    for descriptor in [int(entry.name) for entry in listing.iterdir()]:
        if descriptor not in kept:
            with contextlib.suppress(OSError):  # that of the listing itself
                os.close(descriptor)


def _volunteer_for_the_oom_killer() -> None:
    """Ask to be the first to be killed when the machine is out of memory."""
    with contextlib.suppress(OSError):
        set_dumpable(True)  # else the file belongs to root
        Path("/proc/self/oom_score_adj").write_text("1000")
    set_dumpable(False)


def _enter(policy: WorkerPolicy, behind: Behind) -> str:
    return enter(
        behind.plan, policy, behind.tree, behind.root, behind.scratch or "", behind.user or 0
    )


def _make_neutral(scratch: str, assignment: str) -> None:
    """Leave nothing of the zygote's in the process: environment, temporary folder, signals."""
    os.umask(0o077)
    os.chdir(scratch)
    folders = ("HOME", "TMPDIR", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR")
    os.environ.update(dict.fromkeys(folders, scratch), PATH="", GRADER_GRADING=assignment)
    tempfile.tempdir = scratch
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _show_gpu(policy: WorkerPolicy) -> None:
    """Show CUDA the one GPU that this worker was given, or none; it looks when it is first used."""
    shown = ""
    if policy.uses_gpu:
        number = int(policy.device.partition(":")[2] or 0)
        ours = os.environ.get("CUDA_VISIBLE_DEVICES")
        shown = ours.split(",")[number].strip() if ours else str(number)
        # with ten bits for a fraction a right answer is not near enough to ours
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    os.environ["CUDA_VISIBLE_DEVICES"] = shown


def _pid_outside() -> int | None:
    """Tell the process id that the grader sees: here it may be that of a namespace."""
    try:
        return int(Path("/proc/self").readlink().name)
    except (OSError, ValueError):
        return None


def _say_ready(
    status: int, policy: WorkerPolicy, chosen: WallPlan, started: float, seen_as: int | None
) -> None:
    held = mode(chosen.layers) if policy.sandbox else "off"
    milliseconds = round((time.monotonic() - started) * 1e3, 1)
    os.write(status, encode_event(Ready(held, chosen.layers, milliseconds, seen_as)))
