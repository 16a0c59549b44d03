"""The worker's first steps: close everything, go behind the wall, then serve."""

from __future__ import annotations

import json
import os
import resource
import signal
import tempfile
import time
from typing import TYPE_CHECKING, NoReturn

from grader.worker.jail.linux import PR_SET_PDEATHSIG, prctl
from grader.worker.jail.policy import Policy
from grader.worker.serve import serve

if TYPE_CHECKING:
    from grader.worker.supervisor import Ends

REQUESTS, REPLIES, STATUS = 3, 4, 5


def enter(policy: Policy, ends: Ends, scratch: str, started: float) -> NoReturn:
    """Become the worker: never returns.

    Args:
        policy: what it may do and use.
        ends: its ends of the pipes.
        scratch: the one folder it may write to.
        started: when the request arrived, on the monotonic clock.
    """
    status = ends.status
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        status = _arrange_descriptors(ends)
        _limit(policy)
        _neutral_process(scratch)
        isolation = {"mode": "off", "layers": ["process", "rlimits", "watchdog"], "missing": []}
        milliseconds = round((time.monotonic() - started) * 1e3, 1)
        line = json.dumps({"event": "ready", "isolation": isolation, "ms": milliseconds})
        os.write(status, line.encode() + b"\n")
        os.close(status)
        serve(REQUESTS, REPLIES, device=policy.device, scratch=scratch)
    except BaseException as error:
        line = json.dumps({"event": "failed", "message": f"the worker could not start: {error!r}"})
        try:
            os.write(status, line.encode() + b"\n")
        except OSError:
            pass
    finally:
        os._exit(1)


def _arrange_descriptors(ends: Ends) -> int:
    """Put the pipes at 0 to 5 and close all others."""
    null = os.open(os.devnull, os.O_RDONLY)
    sources = (null, ends.output, ends.output, ends.requests, ends.replies, ends.status)
    # first out of the way of the targets
    high = [os.dup2(source, 100 + target) for target, source in enumerate(sources)]
    for target, source in enumerate(high):
        os.dup2(source, target)
    os.closerange(STATUS + 1, 4096)
    return STATUS


def _limit(policy: Policy) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_FSIZE: policy.scratch_bytes,
    }
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value))


def _neutral_process(scratch: str) -> None:
    os.umask(0o077)
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch, MPLCONFIGDIR=scratch, PATH="")
    tempfile.tempdir = scratch
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
