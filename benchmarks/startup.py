"""How long `grader --help` takes, beside a Python that does nothing: medians and their ratio."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 10
GRADER = str(Path(sys.executable).with_name("grader"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "grader --help": [GRADER, "--help"],
    "grader check --help": [GRADER, "check", "--help"],
}


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        seconds(command)  # once unmeasured: files into the cache, byte code onto the disk
    for _ in range(RUNS):  # in turn, so that a busy machine slows all of them alike
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    bare = statistics.median(times["python -c pass"])
    for name, measured in times.items():
        median = statistics.median(measured)
        print(f"{name:<20} {median * 1000:6.0f} ms  {median / bare:5.1f} x python -c pass")


if __name__ == "__main__":
    main()
