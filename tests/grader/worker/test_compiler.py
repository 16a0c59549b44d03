"""The stand-in for torch's compiler: optimizers are content with it, everybody else gets the real one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import grader

pytestmark = pytest.mark.slow

START = """
import sys
import torch
from grader.worker import compiler
compiler.put_off()
idle = sys.modules["torch._dynamo"]
layer = torch.nn.Linear(2, 2)
"""
REAL = """
import torch._dynamo
assert torch._dynamo is sys.modules["torch._dynamo"] is not idle
assert torch._dynamo.config.disable
"""


def run(program: str) -> None:
    """Run a program in an interpreter of its own, which has not imported torch yet."""
    root = str(Path(grader.__file__).parents[1])
    source = f"import sys; sys.path.insert(0, {root!r})\n{START}{program}"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_optimizers_train_without_the_compiler() -> None:
    run("""
for kind in (torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop, torch.optim.LBFGS):
    before = layer.weight.clone()
    optimizer = kind(layer.parameters(), lr=0.1)
    def closure():
        optimizer.zero_grad()
        loss = layer(torch.ones(1, 2)).square().sum()
        loss.backward()
        return loss
    optimizer.step(closure)
    optimizer.state_dict()
    assert not torch.equal(before, layer.weight), kind
torch.manual_seed(0)
assert sys.modules["torch._dynamo"] is idle
""")


@pytest.mark.parametrize(
    "use",
    [
        "model = torch.compile(layer); assert torch.equal(model(torch.ones(1, 2)), layer(torch.ones(1, 2)))",
        "import torch._dynamo.config as c; assert c is sys.modules['torch._dynamo'].config",
        "import torch._dynamo.eval_frame",
        "from torch._dynamo import allow_in_graph",
        "torch._dynamo.reset()",
        "torch.func.grad(lambda x: x.square().sum())(torch.ones(2))",
    ],
)
def test_who_wants_more_gets_the_real_one_switched_off(use: str) -> None:
    run(f"{use}\n{REAL}torch.optim.SGD(layer.parameters(), lr=0.1).step()")


def test_the_real_one_stays_where_it_is() -> None:
    run("""
import torch._dynamo.config
real = sys.modules["torch._dynamo"]
compiler.put_off()
assert sys.modules["torch._dynamo"] is real
""")
