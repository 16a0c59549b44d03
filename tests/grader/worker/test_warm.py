"""What the zygote does before it forks: enough to save time, nothing that a fork does not survive."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import grader

pytestmark = pytest.mark.slow

# torch as on a machine with a GPU, where opening the driver and starting autograd's threads
# before a fork spoil both for the forks
GUARDED = """
import sys
import torch
from grader.worker.warm import preload

class Engine:
    def run_backward(self, *given, **named):
        raise AssertionError("a backward pass before the fork")
    def __getattr__(self, name):
        raise AssertionError("autograd's engine before the fork")

def driver(*given, **named):
    raise AssertionError("the driver before the fork")

real = torch.autograd.Variable._execution_engine
torch.autograd.Variable._execution_engine = Engine()
torch.backends.cuda.is_built = lambda: True
torch.cuda.is_available = torch.cuda.device_count = torch.accelerator.is_available = driver
preload(["numpy", "torch", "torch.nn.functional", "matplotlib.pyplot"])
"""
FIRST_USES = """
torch.autograd.Variable._execution_engine = real
torch.backends.cuda.is_built = lambda: False
torch.cuda.is_available = torch.accelerator.is_available = lambda: False
before = set(sys.modules)
layer = torch.nn.Linear(2, 2)
for optimizer in (torch.optim.AdamW, torch.optim.SGD):
    layer(torch.ones(1, 2)).backward(torch.ones(1, 2))
    layer(torch.ones(1, 2)).softmax(-1).sum().backward()
    optimizer(layer.parameters(), lr=0.1).step()
assert set(sys.modules) == before, set(sys.modules) - before
"""


def run(program: str) -> None:
    """Run a program in an interpreter of its own, which has not imported torch yet."""
    root = str(Path(grader.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_neither_the_driver_nor_autograd_starts_before_the_fork() -> None:
    run(GUARDED)


def test_a_first_training_step_finds_everything_imported() -> None:
    run(GUARDED + FIRST_USES)
