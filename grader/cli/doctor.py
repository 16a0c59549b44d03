"""`grader doctor`: whether this machine can wall submissions in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from grader.cli.cluster import asked_cluster, cluster_option
from grader.cli.options import echo_json, json_option
from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.model import Limits


@click.command()
@cluster_option
@json_option()
def doctor(cluster: str | None, as_json: bool) -> None:
    r"""Try the wall around submissions on this machine.

    Workers try to read, write, connect, signal, fork and take more than they may; what they hit is
    looked at from outside. Exits with 1 when anything comes through or is missing. Says, too, how
    long answers that never end may keep a grading busy. Needs no course; if there is one here, it
    is about that one's limits. With --cluster, every worker of a cluster is tried.

    \b
    Examples:
      grader doctor
      grader doctor --json
      grader doctor --cluster tls://scheduler.example.edu:8786
    """
    if cluster is not None:
        _examine_cluster(cluster, as_json=as_json)
    import msgspec

    from grader.judging.doctor import examine, loops
    from grader.judging.engine import usable_cores
    from grader.reports.doctor import print_wall_report

    found = msgspec.structs.replace(examine(), loops=loops(_limits(), usable_cores()))
    if as_json:
        echo_json(found)
    else:
        print_wall_report(found)
    sys.exit(ExitStatus.OK if found.complete else ExitStatus.BELOW)


def _examine_cluster(address: str, *, as_json: bool) -> NoReturn:
    from grader.integrations.dask.doctor import examine_cluster
    from grader.reports.doctor_cluster import print_cluster

    asked = asked_cluster(address, insecure=True, wait_s=1)
    assert asked is not None
    found = examine_cluster(asked.address, lambda text: click.echo(text, err=True))
    if as_json:
        echo_json(found)
    else:
        print_cluster(found.workers, complete=found.complete)
    sys.exit(ExitStatus.OK if found.complete else ExitStatus.BELOW)


def _limits() -> Limits:
    """The limits of the course that this is run in; the usual ones where there is none."""
    from grader.config.course import load_course
    from grader.errors import ConfigError
    from grader.model import Limits

    try:
        return load_course().limits
    except ConfigError:
        return Limits()
