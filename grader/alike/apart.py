"""Reading what strangers wrote, apart: in processes of their own, within memory and time.

Parsing runs nothing of it. But the parser is a large program in C, and a text may be made to crash
it, or to keep it busy. So that costs its author alone: a process that dies or takes too long is
replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import grader
from grader.alike.prints import Prints, read_prints, read_stubs

SECONDS = 10.0
"""One file takes some hundredths of a second."""
MEMORY_BYTES = 1 << 30
DEEPEST = 5000
"""Calls within calls while a tree is read: people write code of some dozens."""

CODE = """\
import sys
sys.path.insert(0, sys.argv[1])
from grader.alike.apart import serve
serve()
"""

Order = tuple[Sequence[str], Collection[str] | None]
"""Cells, and the answers that are asked for: see `read_prints`."""


class ReadingFailed(Exception):
    """A file could not be read; the message says why."""


class Readers:
    """Processes that read files, as many as there are cores; started when they are needed."""

    def __init__(self, count: int | None = None) -> None:
        self._count = count or min(os.cpu_count() or 1, 16)
        self._free: SimpleQueue[_Reader] = SimpleQueue()
        self._all = [_Reader() for _ in range(self._count)]
        for reader in self._all:
            self._free.put(reader)

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._all:
            reader.close()

    def prints(self, orders: Sequence[Order]) -> Iterator[Prints]:
        """Yield the fingerprints of files, in their order; of what can't be read, why not."""
        with ThreadPoolExecutor(self._count) as pool:
            yield from pool.map(self._prints, orders)

    def stubs(self, sources: Sequence[str]) -> list[str]:
        """Return what a template leaves to students.

        Raises:
            ReadingFailed: it can't be read.
        """
        names: list[str] = self._ask({"stubs": list(sources)})
        return names

    def _prints(self, order: Order) -> Prints:
        sources, asked = order
        try:
            said = self._ask({"cells": list(sources), "asked": None if asked is None else [*asked]})
        except ReadingFailed as error:
            return Prints([], {}, {}, [str(error)])
        return Prints(
            spans=[(first, last) for first, last in said["spans"]],
            lines={int(value): lines for value, lines in said["lines"].items()},
            answers=said["answers"],
            notes=said["notes"],
        )

    def _ask(self, question: dict[str, Any]) -> Any:
        reader = self._free.get()
        try:
            return reader.ask(question)
        finally:
            self._free.put(reader)


class _Reader:
    """One process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: dict[str, Any]) -> Any:
        """Put a question to it and return its answer.

        Raises:
            ReadingFailed: it has died of it, or taken too long.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(SECONDS, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = b""
        finally:
            timed_out = not late.is_alive()
            late.cancel()
        if not answer.endswith(b"\n"):
            self.close()
            why = (
                f"takes more than {SECONDS:g} s"
                if timed_out
                else "is more than the parser can take"
            )
            raise ReadingFailed(f"the file {why}: it is not compared")
        return json.loads(answer)

    def _start(self) -> subprocess.Popen[bytes]:
        engine = Path(grader.__file__).parents[1]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", CODE, str(engine)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        return self._process

    def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


# ---------------------------------------------------------------- the far end


def serve() -> None:
    """Answer questions on stdin, a line each, until there are no more."""
    _limit_memory()
    sys.setrecursionlimit(DEEPEST)
    for line in sys.stdin.buffer:
        _answer(json.loads(line), sys.stdout.buffer)


def _answer(question: dict[str, Any], out: IO[bytes]) -> None:
    if "stubs" in question:
        said: object = read_stubs(question["stubs"])
    else:
        said = read_prints(question["cells"], question["asked"])._asdict()
    out.write(json.dumps(said).encode() + b"\n")
    out.flush()


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
