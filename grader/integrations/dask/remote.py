"""What is asked of a scheduler and of workers beside grading: named functions, JSON out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
import time
from typing import Any

from grader.errors import GraderError, told
from grader.integrations.dask.messages import Host
from grader.judging.doctor import examine
from grader.judging.engine import usable_cores
from grader.judging.gpus import find_gpus
from grader.serialization import to_json
from grader.store.fingerprint import engine_digest, versions

PREFIX = "grader-run-"


async def forget_dead_runs(dask_scheduler: Any) -> None:
    """Take back the plugins of runs whose clients are gone. Runs in the scheduler."""
    for name in list(dask_scheduler.worker_plugins):
        client = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and client not in dask_scheduler.clients:
            with contextlib.suppress(ValueError):
                await dask_scheduler.unregister_worker_plugin(None, name=name)


async def look(dask_worker: Any) -> bytes:
    """Let workers try to break out here. Runs in a worker.

    Returns:
        The JSON of a `Host`.
    """
    return to_json(await asyncio.to_thread(_look, dask_worker))


def _look(worker: Any) -> Host:
    name, host = worker.address, platform.node()
    try:
        found = examine()
    except GraderError as error:
        return Host(worker=name, host=host, error=str(error), hint=error.hint)
    except Exception as error:
        return Host(worker=name, host=host, error=told(error))
    return Host(
        worker=name,
        host=host,
        engine=engine_digest(),
        versions=versions(),
        mode=found.mode,
        complete=found.complete,
        missing=tuple(one.property for one in found.properties if not one.held),
        cores=usable_cores(),
        slots=worker.state.nthreads,
        gpus=len(find_gpus(environment=os.environ)),
        free_bytes=shutil.disk_usage(worker.local_directory).free,
        clock=time.time(),
    )
