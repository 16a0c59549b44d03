"""A client of a scheduler, or a sentence that says why there is none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from grader.errors import GraderError, GraderFault, UsageError, told
from grader.integrations.dask.address import Address

if TYPE_CHECKING:
    from distributed import Client

Tell = Callable[[str], None]

SLACK_S = 5.0
"""How much longer than Dask's own time for it a connection may take."""

LARGE_GRAPH = "distributed.admin.large-graph-warning-threshold"


def require_dask() -> None:
    """Demand that Dask is installed.

    Raises:
        UsageError: it isn't.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"a cluster needs Dask, which can't be imported here ({told(error)})",
            hint="pip install 'walled-grader[cluster]'",
        ) from None


@contextlib.contextmanager
def connected(address: Address, tell: Tell) -> Iterator[Client]:
    """Connect to a cluster, or start one on this machine.

    Args:
        address: where it is.
        tell: hears what is being waited for.

    Raises:
        GraderFault: nobody answers at the address, or not as a scheduler that we can use.
    """
    require_dask()
    if not os.environ.get("GRADER_DEBUG"):
        _silence_dask()
    import dask

    with contextlib.ExitStack() as stack:
        # submissions travel within graphs, and how large these may be is ours to say
        stack.enter_context(dask.config.set({LARGE_GRAPH: "1 GiB"}))
        if address.local:
            target: Any = stack.enter_context(_local_cluster(address.local))
        else:
            tell(f"connecting to the scheduler at {address}")
            target = address.scheduler
        client = stack.enter_context(_client(target, address))
        _require_compatible(client, address)
        yield client


def _silence_dask() -> None:
    """Whatever Dask logs of a connection, we say it in a sentence."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextlib.contextmanager
def _client(target: Any, address: Address) -> Iterator[Client]:
    try:
        if address.scheduler.startswith("tls://"):
            _require_certificates()
        client = _within_time(target)
    except Exception as error:  # of many kinds: sockets, TLS, other programs that answer
        raise GraderFault(
            f"no scheduler can be reached ({_told_at_length(error)})",
            where=str(address),
            hint="is `dask scheduler` running there? tls:// needs the certificates of Dask's "
            "configuration: see docs/scaling.md",
        ) from None
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=5)


def _require_certificates() -> None:
    """Demand what TLS takes, before a client is half made.

    Raises:
        OSError: a certificate can't be read. ValueError: none is configured.
    """
    from distributed.security import Security

    if Security().get_connection_args("client").get("ssl_context") is None:
        raise ValueError("no certificates are configured: distributed.comm.tls.ca-file and others")


def _within_time(target: Any) -> Client:
    """Connect in the time that Dask's configuration gives, which Dask itself may exceed by far.

    Raises:
        Exception: nobody can be connected to.
    """
    import dask
    from dask.utils import parse_timedelta
    from distributed import Client

    limit_s = float(parse_timedelta(dask.config.get("distributed.comm.timeouts.connect")))
    came: queue.SimpleQueue[Client | Exception] = queue.SimpleQueue()

    def connect() -> None:
        try:
            came.put(Client(target, set_as_default=False, name="grader", timeout=limit_s))
        except Exception as error:
            came.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        found = came.get(timeout=limit_s + SLACK_S)
    except queue.Empty:
        raise TimeoutError(f"nothing of use within {limit_s:g} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def _told_at_length(error: BaseException) -> str:
    """What an exception says, and what the one before it said that caused it."""
    said = [told(error)]
    while (cause := error.__cause__ or error.__context__) is not None and len(said) < 4:
        error = cause
        if not isinstance(error, asyncio.CancelledError) and told(error) not in said:
            said.append(told(error))
    return "; ".join(said)


@contextlib.contextmanager
def _local_cluster(workers: int) -> Iterator[Any]:
    from distributed import LocalCluster

    try:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # anybody else's may have the usual port
            memory_limit=None,  # what is graded is no part of the worker, and has limits of its own
            silence_logs=logging.CRITICAL,
        )
    except Exception as error:
        raise GraderFault(
            f"no workers can be started here ({told(error)})", where=f"local:{workers}"
        ) from None
    try:
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.close(timeout=5)


def _require_compatible(client: Client, address: Address) -> None:
    """Demand a scheduler of our version of Dask, which has our package.

    Raises:
        GraderFault: it is another one.
    """
    from importlib.metadata import version

    try:
        theirs = client.run_on_scheduler(_version_of_dask)
    except Exception as error:
        if isinstance(error, GraderError):
            raise
        raise GraderFault(
            f"the scheduler can't run with this grader ({told(error)})",
            where=str(address),
            hint="install the same environment, walled-grader among it, where the scheduler runs",
        ) from None
    ours = version("distributed")
    if theirs.partition(".")[0] != ours.partition(".")[0]:
        raise GraderFault(
            f"the scheduler runs distributed {theirs}, and here is {ours}",
            where=str(address),
            hint="install the same version in both places",
        )


def _version_of_dask() -> str:
    from importlib.metadata import version

    return version("distributed")
