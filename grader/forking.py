"""Makes a process cheap to fork: what its children share stays shared."""

from __future__ import annotations

import gc


def start_loading() -> None:
    """Call before anything is loaded that forks will share."""
    gc.disable()  # an import makes no garbage worth a fourth of its time


def prepare_to_fork() -> None:
    """Call when it is loaded; again after more was."""
    # A collection in a child would write to every object. Nor is there one here: what little
    # garbage imports leave is not worth the time that the first submission would wait.
    gc.freeze()
    gc.enable()
