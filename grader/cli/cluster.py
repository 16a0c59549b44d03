"""Options of commands that grade on a cluster as well as on this machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from grader.cli.options import Finite

if TYPE_CHECKING:
    from grader.integrations.dask.cluster import Cluster
    from grader.reports.terminal import Progress

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound=Callable[..., Any])

cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Grade on a Dask cluster: tcp://…, tls://…, a scheduler file; local:N starts one here.",
)
_insecure = click.option(
    "--insecure-cluster", is_flag=True, help="The cluster needs no TLS: its network is yours alone."
)
_wait = click.option(
    "--cluster-wait",
    type=Finite(min=1, max=604_800),
    metavar="S",
    default=300.0,
    show_default=True,
    help="Seconds to wait when the cluster has nobody who grades.",
)


def cluster_options(command: F) -> F:
    """Add `--cluster` and what goes with it."""
    return cluster_option(_insecure(_wait(command)))


def asked_cluster(address: str | None, *, insecure: bool, wait_s: float) -> Cluster | None:
    """Return the cluster that is asked for, if any.

    Raises:
        UsageError: it is no address of one, or Dask is not installed.
    """
    if address is None:
        return None
    from grader.integrations.dask.cluster import Cluster
    from grader.integrations.dask.connecting import require_dask

    require_dask()
    return Cluster(address, insecure=insecure, wait_s=wait_s)


def grade_on(cluster: Cluster | None, run: R, progress: Progress) -> R:
    """Return what grades on a cluster, if there is one: `run` with another executor."""
    if cluster is None:
        return run
    cluster.tell = progress.tell
    return cast("R", functools.partial(run, starts=cluster))


def told_by(cluster: Cluster | None) -> list[str]:
    """What a cluster has to say at the end."""
    return [] if cluster is None else cluster.remarks()
