"""A cluster that can't be used says so: what, where, what to do next; never a traceback, never mute."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dask_hosts import ROOT, Cluster, cluster
from toy import RIGHT, Silent, write

pytest.importorskip("distributed")

from grader.config.course import Course
from grader.errors import GraderFault
from grader.exit_status import ExitStatus
from grader.gradebook import State
from grader.integrations.dask.cluster import Cluster as Elsewhere
from grader.pipeline import Options, check

SOON = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}


@pytest.fixture
def graded(toy: Path, class_of: Callable[..., Path]) -> Callable[..., tuple[int, str]]:
    """Grade one submission on a cluster by the command line: status, and what is said of it."""
    folder = class_of(ann=RIGHT)

    def run(address: str, *more: str, **environment: str) -> tuple[int, str]:
        ran = subprocess.run(
            [sys.executable, "-m", "grader.cli", "check", str(folder), "--cluster", address, *more],
            cwd=toy,
            env={**os.environ, "PYTHONPATH": str(ROOT), **SOON, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, ran.stderr

    return run


Graded = Callable[..., tuple[int, str]]


def test_what_is_no_address(graded: Graded) -> None:
    status, said = graded("local:many")
    assert status == ExitStatus.USAGE
    assert "hint:" in said


def test_dask_that_is_not_installed(graded: Graded, tmp_path: Path) -> None:
    write(tmp_path / "without/distributed/__init__.py", "raise ImportError('none here')")
    status, said = graded("local:1", PYTHONPATH=f"{tmp_path / 'without'}:{ROOT}")
    assert status == ExitStatus.USAGE
    assert "pip install 'walled-grader[cluster]'" in said


@pytest.mark.slow
def test_nobody_at_the_address(graded: Graded) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    status, said = graded(f"tcp://127.0.0.1:{port}")
    assert status == ExitStatus.UNGRADED
    assert "no scheduler can be reached (" in said
    assert "is `dask scheduler` running there?" in said


@pytest.mark.e2e
def test_another_program_at_the_address(graded: Graded) -> None:
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        began = time.monotonic()
        status, said = graded(f"tcp://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert status == ExitStatus.UNGRADED
    assert "no scheduler can be reached" in said
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_tls_without_certificates_and_with_a_wrong_one(graded: Graded, tmp_path: Path) -> None:
    assert ssl.OPENSSL_VERSION
    status, said = graded("tls://127.0.0.1:9")
    assert status == ExitStatus.UNGRADED
    assert "certificates of Dask's configuration" in said
    no_certificate = write(tmp_path / "ca.pem", "this is none")
    status, said = graded(
        "tls://127.0.0.1:9", DASK_DISTRIBUTED__COMM__TLS__CA_FILE=str(no_certificate)
    )
    assert status == ExitStatus.UNGRADED
    assert "no scheduler can be reached" in said


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), 0) as hosts:
        yield hosts


@pytest.mark.slow
def test_a_cluster_without_workers_is_waited_for_with_a_word(
    graded: Graded, empty: Cluster
) -> None:
    status, said = graded(empty.address, "--cluster-wait", "2")
    assert status == ExitStatus.INTERRUPTED
    assert "the cluster has no workers: waiting up to 2 s for one" in said
    assert "given up after waiting 2 s" in said
    assert ("uses no TLS" in said) == empty.apart


@pytest.mark.e2e
def test_workers_that_differ_are_refused_by_name_and_others_grade(
    empty: Cluster, toy_course: Course, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(ROOT / "grader", other / "grader")
    with (other / "grader/text.py").open("a") as text:
        text.write("# another version\n")
    told: list[str] = []
    stranger = empty.add(PYTHONPATH=str(other))
    empty.wait_for(stranger)
    folder = class_of(ann=RIGHT, bob=RIGHT)
    elsewhere = Elsewhere(empty.address, wait_s=60, tell=told.append)
    hurried = Elsewhere(empty.address, wait_s=1)
    try:
        with pytest.raises(GraderFault, match=r"another engine: \w{16} here, \w{16} at"):
            check([folder], toy_course, Options(), Silent(), starts=hurried)
        empty.wait_for(empty.add())
        book = check([folder], toy_course, Options(), Silent(), starts=elsewhere)
        assert {score.state for score in book.scores} == {State.GRADED}
        assert any("grades nothing: another engine" in line for line in told)
        gpu = Options(device="cuda")
        waits = Elsewhere(empty.address, wait_s=9, tell=told.append)
        book = check([folder], toy_course, gpu, Silent(), starts=waits)
        assert not book.complete
        assert any("no worker has the resource GPU" in line for line in told)
    finally:
        empty.remove(stranger)
