"""A PostgreSQL server of the tests' own.

GRADER_TEST_POSTGRESQL names an empty database to use instead.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine


def drop_everything(url: str) -> None:
    """Make a database that a test has used as empty as it was."""
    engine = create_engine(url)
    tables = MetaData()
    tables.reflect(engine)
    tables.drop_all(engine)
    engine.dispose()


@contextlib.contextmanager
def empty_database() -> Iterator[str]:
    """Lend a database's address; skip the test where there is no PostgreSQL."""
    pytest.importorskip("psycopg", reason="missing: psycopg, which `make e2e` installs")
    if given := os.environ.get("GRADER_TEST_POSTGRESQL"):
        yield given
        return
    where = _programs()
    if where is None:
        pytest.skip("missing: PostgreSQL's server: apt-get install postgresql")
    become = _an_ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path must be short
    folder.chmod(0o777)
    data = folder / "data"

    def run(*command: str) -> None:
        # what it starts must not hold on to a pipe of ours
        with (folder / "log").open("ab") as log:
            subprocess.run([*become, *command], cwd="/", stdout=log, stderr=log, check=True)

    run(str(where / "initdb"), "-D", str(data), "-U", "grader", "--auth=trust")
    run(str(where / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "server.log"),
        "-o", f"-k {folder} -c listen_addresses=''", "start")  # fmt: skip
    try:
        run(str(where / "createdb"), "-h", str(folder), "-U", "grader", "gradebook")
        yield f"postgresql+psycopg://grader@/gradebook?host={folder}"
    finally:
        run(str(where / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Where PostgreSQL's server programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _an_ordinary_user() -> list[str]:
    """PostgreSQL does not run as root: how to become somebody else."""
    if os.geteuid() != 0:
        return []
    with contextlib.suppress(KeyError):
        return ["setpriv", f"--reuid={pwd.getpwnam('postgres').pw_uid}", "--clear-groups"]
    return ["setpriv", "--reuid=12345", "--clear-groups"]
