"""What a Dask worker gets for a run: a warm crew, started before its first submission.

Dask processes run no student code: the crew's judge and zygote are programs of their own, started
by `grader.judging.crew` as on a single machine, and walled in as there.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import threading
import time
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from grader.errors import GraderError, GraderFault, told
from grader.integrations.dask.crews import Crew
from grader.integrations.dask.messages import Answer, News, Said, Setup
from grader.serialization import from_json, to_json

IDLE_S = 120.0
"""A crew without work ends its processes after so long, and the course leaves the disk."""
AGAIN_S = 60.0
"""After so long a worker that could not grade is asked again whether it can."""
LOOK_S = 5.0
ENDED = frozenset({"cancelled", "released", "forgotten"})


class _Shared:
    """A crew that several runs of one class use, and how many they are."""

    def __init__(self) -> None:
        self.users = 0
        self.crew: Crew | None = None
        self.lock = threading.Lock()


_shared: dict[tuple[str, str], _Shared] = {}
"""By the worker's address and the crew's name: threads of one process may be several workers."""


def resource(setup: Setup) -> str:
    """The name of the resource that a worker has while it can grade with this crew."""
    return f"grader-{setup.crew}"


class CrewPlugin(WorkerPlugin):
    """Holds a crew on a worker while its run goes on; tells the client by events.

    Nothing here raises: a worker that can't grade serves everybody else as before.

    Args:
        name: the plugin's, and the topic of its events.
        setup: the JSON of a `Setup`.
        archive: the course.
    """

    def __init__(self, name: str, setup: bytes, archive: bytes) -> None:
        self.name = name
        self._setup_json, self._archive = setup, archive

    def setup(self, worker: Worker) -> None:
        """Begin to warm up; the worker has the crew's resource when that is done."""
        self._worker = worker
        self._setup = from_json(self._setup_json, Setup)
        self._unfit_since: float | None = None
        self._key = (worker.address, self._setup.crew)
        shared = _shared.setdefault(self._key, _Shared())
        shared.users += 1
        self._closed = False
        self._task = asyncio.create_task(self._look_after())

    async def teardown(self, worker: Worker) -> None:
        """End the crew, unless another run has use for it; what it grades for this one ends."""
        del worker
        self._closed = True
        self._task.cancel()
        shared = _shared[self._key]
        shared.users -= 1
        if not shared.users:
            del _shared[self._key]
            await self._offer(0)
            await asyncio.to_thread(self._close, shared)

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """End what is being graded for nobody."""
        if finish == "cancelled" or (start == "executing" and finish in ENDED):
            crew = _shared[self._key].crew if self._key in _shared else None
            if crew is not None:
                crew.forget(str(key))

    def grade(self, key: str, order: bytes, content: bytes) -> bytes:
        """See `Crew.grade`; called in the threads of the worker."""
        shared = _shared.get(self._key)
        if shared is None or shared.crew is None:
            raise RuntimeError("this worker has no crew for it")
        answer = shared.crew.grade(key, order, content, lambda: self._begun(key))
        if unfit := from_json(answer, Answer).unfit:
            self._worker.loop.add_callback(self._withdraw, unfit)
        return answer

    # ------------------------------------------------------------ in the worker's event loop

    async def _look_after(self) -> None:
        await self._try_to_offer()
        while True:
            await asyncio.sleep(LOOK_S)
            shared = _shared[self._key]
            idle = shared.crew is not None and time.monotonic() - shared.crew.used_at > IDLE_S
            if idle and shared.crew is not None:
                await asyncio.to_thread(shared.crew.rest)
            elif self._unfit_since and time.monotonic() - self._unfit_since > AGAIN_S:
                await self._try_to_offer()

    async def _try_to_offer(self) -> None:
        try:
            await asyncio.to_thread(self._warm_up)
        except GraderError as error:
            self._refuse(str(error), error.hint)
        except Exception as error:
            self._refuse(f"the worker can't start a crew ({told(error)})")
        else:
            self._unfit_since = None
            await self._offer(self._worker.state.nthreads)
            self._say(News.READY)

    def _warm_up(self) -> None:
        shared = _shared[self._key]
        with shared.lock:
            if shared.crew is None:
                local = self._worker.local_directory
                shared.crew = Crew(self._setup, self._archive, local)
                if self._closed:
                    shared.crew.close()

    def _close(self, shared: _Shared) -> None:
        if shared.crew is not None:
            shared.crew.close()
        with shared.lock:  # one that was just being started
            if shared.crew is not None:
                shared.crew.close()

    async def _offer(self, slots: int) -> None:
        with contextlib.suppress(OSError):  # a scheduler that is gone needs no offers
            await self._worker.set_resources(**{resource(self._setup): slots})

    async def _withdraw(self, reason: str) -> None:
        """Take no more submissions: what was wrong with the last ones was this worker."""
        if self._unfit_since is not None:
            return
        await self._offer(0)
        shared = _shared[self._key]
        crew, shared.crew = shared.crew, None
        self._refuse(reason)
        if crew is not None:
            await asyncio.to_thread(crew.close)

    def _refuse(self, reason: str, hint: str = "") -> None:
        self._unfit_since = time.monotonic()
        self._say(News.REFUSED, reason=reason, hint=hint)

    def _begun(self, key: str) -> None:
        self._say(News.BEGUN, key=key)

    def _say(self, news: News, **more: str) -> None:
        worker = self._worker
        said = Said(
            news=news,
            worker=worker.address,
            host=platform.node(),
            slots=worker.state.nthreads,
            gpus=int(worker.state.total_resources.get("GPU", 0)),
            **more,
        )
        worker.log_event(self.name, to_json(said).decode())


def grade(plugin: str, order: bytes, content: bytes) -> bytes:
    """Grade one submission on this worker; the task that Dask schedules.

    Args:
        plugin: the name of the run's plugin.
        order: the JSON of an `Order`.
        content: the submission's bytes.

    Returns:
        The JSON of an `Answer`.

    Raises:
        GraderFault: there is no crew for it here.
    """
    worker = get_worker()
    found = worker.plugins.get(plugin)
    if not isinstance(found, CrewPlugin):
        raise GraderFault("this worker has no crew for it")
    return found.grade(str(worker.get_current_task()), order, content)
