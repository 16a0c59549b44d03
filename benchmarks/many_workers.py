"""Very many Dask workers in one process, for `benchmarks.scaling simulate`: they only wait.

python -m benchmarks.many_workers ADDRESS NUMBER SECONDS
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable

from distributed import Worker

from benchmarks import no_grading


class Waiting(no_grading.NoCrew):
    """Answers after so many seconds."""

    seconds = 0.0

    def grade(self, key: str, order: bytes, content: bytes, begun: Callable[[], None]) -> bytes:
        time.sleep(self.seconds)
        return super().grade(key, order, content, begun)


async def work(address: str, number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workers = [
            Worker(address, nthreads=1, memory_limit=0, local_directory=folder, dashboard=False)
            for _ in range(number)
        ]
        for start in range(0, number, 20):
            await asyncio.gather(*workers[start : start + 20])
        await asyncio.gather(*(worker.finished() for worker in workers))


if __name__ == "__main__":
    Waiting.seconds = float(sys.argv[3])
    no_grading.plugin.Crew = Waiting  # type: ignore[assignment, misc]
    asyncio.run(work(sys.argv[1], int(sys.argv[2])))
