"""A run on a cluster: its client, its plugin on the workers, and who of them can grade."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.config.course import Course
from grader.errors import GraderFault, told
from grader.integrations.dask.archive import pack
from grader.integrations.dask.connecting import connected
from grader.integrations.dask.messages import News, Said, Setup
from grader.serialization import from_json, to_json
from grader.store.fingerprint import engine_digest, versions

if TYPE_CHECKING:
    from distributed import Client

    from grader.integrations.dask.cluster import Cluster

ANSWER_S = 5.0
"""How long a scheduler may take for a small question."""

ROUND_S = 0.5
"""How often it is looked whether anybody is still there."""

NAMED = 5
"""So many hosts are named in a sentence."""


class Lost(Exception):
    """The scheduler is gone; all that was on its way is, too."""


@dataclass(frozen=True)
class Gone:
    """A worker has left. `expected`: it was asked to."""

    worker: str
    expected: bool


class Session:
    """One client's run on a cluster; see `opened`."""

    def __init__(self, client: Client, setup: Setup) -> None:
        from grader.integrations.dask.plugin import resource
        from grader.integrations.dask.remote import PREFIX

        self._client = client
        self._name = f"{PREFIX}{client.id}"
        self._resource = resource(setup)
        self._news: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()
        self._ready: dict[str, Said] = {}
        self._refused: dict[str, Said] = {}

    @classmethod
    @contextlib.contextmanager
    def opened(
        cls, cluster: Cluster, course: Course, digests: Mapping[str, str], *, sandbox: bool
    ) -> Iterator[Session]:
        """Connect, and have every worker that is there, or comes, warm up a crew for a course.

        Raises:
            GraderFault: no scheduler can be used. UsageError: the course can't travel.
        """
        archive = pack(course, cluster.most_bytes) or b""
        setup = Setup(
            engine=engine_digest(),
            versions=versions(),
            suites=dict(digests),
            root=str(course.root),
            archive=hashlib.sha256(archive).hexdigest() if archive else "",
            sandbox=sandbox,
        )
        with connected(cluster.address, cluster.tell) as client:
            session = cls(client, setup)
            session._join(setup, archive)
            try:
                yield session
            finally:
                session._leave()

    # ------------------------------------------------------------ jobs

    def submit(self, key: str, order: bytes, content: bytes, *, gpu: bool) -> Any:
        """Send a job; its answer, or what went wrong, is news under its key."""
        from grader.integrations.dask.plugin import grade

        needs = {self._resource: 1} | ({"GPU": 1} if gpu else {})
        future = self._client.submit(
            grade, self._name, order, content, key=key, pure=False, resources=needs
        )
        loop: Any = self._client.loop
        asyncio.run_coroutine_threadsafe(self._bring(key, future), loop.asyncio_loop)
        return future

    def news(self, wait_s: float) -> tuple[str, object]:
        """Return the next news: bytes of an `Answer` or an error under a key, `Said`, or `Gone`.

        Raises:
            queue.Empty: there is none.
        """
        return self._news.get(timeout=wait_s) if wait_s else self._news.get_nowait()

    async def _bring(self, key: str, future: Any) -> None:
        try:
            answer = await self._client.gather(future, asynchronous=True)
        except (Exception, asyncio.CancelledError) as error:
            self._news.put((key, error))
        else:
            self._news.put((key, bytes(answer)))

    # ------------------------------------------------------------ workers

    def slots(self, gpu: bool = False) -> int:
        """How many submissions can be graded at once."""
        return sum(min(one.slots, one.gpus) if gpu else one.slots for one in self._ready.values())

    def host(self, worker: str) -> str:
        """The name of a worker's machine, as far as it is known."""
        said = self._ready.get(worker) or self._refused.get(worker)
        return f"{said.host} ({worker})" if said else worker

    def joined(self, said: Said) -> bool:
        """A worker has told whether it can grade; returns whether it refuses."""
        refuses = said.news is News.REFUSED
        known, other = (self._refused, self._ready) if refuses else (self._ready, self._refused)
        known[said.worker] = said
        other.pop(said.worker, None)
        return refuses

    def left(self, worker: str) -> bool:
        """A worker is gone; returns whether it could grade."""
        self._refused.pop(worker, None)
        return self._ready.pop(worker, None) is not None

    def require_connection(self) -> None:
        """Demand that the scheduler is there.

        Raises:
            Lost: it isn't.
        """
        if self._client.status != "running":
            raise Lost("the connection to the scheduler is lost")

    def why_nobody(self, *, gpu: bool) -> tuple[str, bool]:
        """Say in words why no slot is free for anybody, and whether that will change soon."""
        workers = self._workers()
        if not workers:
            return "the cluster has no workers", False
        if gpu and self._ready:
            return "no worker has the resource GPU (`dask worker --resources GPU=1`)", False
        refused = self._reasons()
        if refused:
            return f"no worker can grade: {refused}", False
        return f"of {len(workers)} workers none is ready yet", True

    def require_somebody(self) -> None:
        """Demand that somebody grades, or may yet do so.

        Raises:
            GraderFault: everybody who is there has refused.
        """
        if self._ready or not self._refused or not self._workers() <= set(self._refused):
            return
        hint = next((one.hint for one in self._refused.values() if one.hint), "")
        raise GraderFault(
            f"no worker of the cluster can grade: {self._reasons()}",
            hint=hint or "`grader doctor --cluster …` shows all of them",
        )

    def _reasons(self) -> str:
        said = [f"{one.host} ({one.worker}): {one.reason}" for one in self._refused.values()]
        more = f", and {len(said) - NAMED} more" if len(said) > NAMED else ""
        return "; ".join(said[:NAMED]) + more

    def _workers(self) -> set[str]:
        try:
            found = self._client.sync(
                self._client.scheduler.ncores,  # type: ignore[union-attr]
                callback_timeout=ANSWER_S,
            )
        except Exception as error:
            raise Lost(f"the scheduler does not answer ({told(error)})") from None
        return set(found)

    # ------------------------------------------------------------ plugin and events

    def _join(self, setup: Setup, archive: bytes) -> None:
        from grader.integrations.dask.plugin import CrewPlugin
        from grader.integrations.dask.remote import forget_dead_runs

        client = self._client
        client.subscribe_topic(self._name, self._said)
        client.subscribe_topic("all", self._happened)
        client.run_on_scheduler(forget_dead_runs, wait=False)
        plugin = CrewPlugin(self._name, to_json(setup), archive)

        def register() -> None:
            try:  # it waits for every worker, also for one that never answers
                client.register_plugin(plugin, name=self._name)
                for event in client.get_events(self._name):  # told before somebody listened
                    self._said(event, again=True)
            except Exception:  # the connection is lost, which is noticed elsewhere
                return

        threading.Thread(target=register, daemon=True).start()

    def _leave(self) -> None:
        """End the crews of this run, if the scheduler is still there to tell."""

        def unregister() -> None:
            with contextlib.suppress(Exception):
                self._client.unsubscribe_topic("all")
                self._client.unsubscribe_topic(self._name)
                self._client.unregister_worker_plugin(self._name)

        if self._client.status == "running":
            thread = threading.Thread(target=unregister, daemon=True)
            thread.start()
            thread.join(ANSWER_S)

    def _said(self, event: tuple[float, Any], again: bool = False) -> None:
        said = from_json(event[1].encode(), Said)
        if not (again and said.news is News.BEGUN):
            self._news.put(("", said))

    def _happened(self, event: tuple[float, Any]) -> None:
        what = event[1]
        if isinstance(what, dict) and what.get("action") == "remove-worker":
            self._news.put(("", Gone(what["worker"], bool(what.get("expected")))))


def cancel(future: Any) -> None:
    """Let Dask forget a task."""
    if future is not None:
        with contextlib.suppress(Exception):
            future.cancel()
