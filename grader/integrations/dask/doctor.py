"""Every worker of a cluster, examined: its wall, its versions, and what it has to grade with."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from grader.errors import GraderFault, told
from grader.integrations.dask.address import Address
from grader.integrations.dask.connecting import Tell, connected
from grader.integrations.dask.crews import LEAST_FREE
from grader.integrations.dask.messages import Host
from grader.model import Value
from grader.serialization import from_json
from grader.store.fingerprint import engine_digest

ANSWER_S = 120.0
"""How long a worker may take to be examined."""
MOST_APART_S = 5.0
"""Clocks that differ by more are told of."""


class Fitness(Value, frozen=True):
    """One worker, and why it would grade nothing; `remarks` are what does not keep it from that."""

    host: Host
    unfit: tuple[str, ...]
    remarks: tuple[str, ...] = ()


class ClusterReport(Value, frozen=True):
    """What `grader doctor --cluster` found out. `engine` is the digest of the client's."""

    address: str
    engine: str
    workers: tuple[Fitness, ...]

    @property
    def complete(self) -> bool:
        """Whether there are workers, and all of them can grade."""
        return bool(self.workers) and not any(one.unfit for one in self.workers)


def examine_cluster(address: Address, tell: Tell) -> ClusterReport:
    """Let workers try to break out on every host of a cluster.

    Raises:
        GraderFault: there is no such cluster, or it has no workers.
    """
    with connected(address, tell) as client:
        workers = list(client.nthreads())
        if not workers:
            raise GraderFault("the cluster has no workers", where=str(address))
        tell(f"examining {len(workers)} workers")
        asked_at = time.time()
        found = client.sync(_ask_all, client, workers)
        took_s = time.time() - asked_at
        engine = engine_digest()
        judged = tuple(_judged(one, engine, asked_at, took_s) for one in found)
        return ClusterReport(str(address), engine, judged)


async def _ask_all(client: Any, workers: list[str]) -> list[Host]:
    """Ask all at once; one that does not answer holds up nobody for longer than its time."""
    return list(await asyncio.gather(*(_ask(client, worker) for worker in workers)))


async def _ask(client: Any, worker: str) -> Host:
    from grader.integrations.dask.remote import look

    try:
        asked = client.run(look, workers=[worker], on_error="return", asynchronous=True)
        answer = (await asyncio.wait_for(asked, ANSWER_S))[worker]
    except Exception as error:
        return Host(worker=worker, host=worker, error=f"it does not answer ({told(error)})")
    if isinstance(answer, bytes):
        return from_json(answer, Host)
    hint = "install the same environment, walled-grader among it, on every worker"
    return Host(worker=worker, host=worker, error=told(answer), hint=hint)


def _judged(host: Host, engine: str, asked_at: float, took_s: float) -> Fitness:
    if host.error:
        return Fitness(host, (host.error,))
    unfit = []
    if host.missing:
        unfit.append(f"the wall is not complete: {', '.join(host.missing)}")
    if host.engine != engine:
        unfit.append(f"another engine: {host.engine[:16]} instead of {engine[:16]}")
    if host.free_bytes < LEAST_FREE:
        unfit.append(f"only {host.free_bytes >> 20} MiB are free, of {LEAST_FREE >> 20} it takes")
    apart_s = max(asked_at - host.clock, host.clock - asked_at - took_s, 0.0)
    remarks = (f"its clock is {apart_s:.0f} s off",) if apart_s > MOST_APART_S else ()
    return Fitness(host, tuple(unfit), remarks)
