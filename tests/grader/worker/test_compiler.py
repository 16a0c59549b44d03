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


CHECKPOINT = """
from torch.utils.checkpoint import checkpoint
x = torch.ones(1, 2, requires_grad=True)
checkpoint(layer, x, use_reentrant=False).sum().backward()
assert layer.weight.grad.abs().sum() > 0
"""


def test_what_is_computed_again_needs_settings_alone() -> None:
    run(CHECKPOINT + "assert sys.modules['torch._dynamo'] is idle and idle.config.disable")


def test_settings_stay_what_they_are_when_the_real_one_comes() -> None:
    run(
        f"{CHECKPOINT}settings = idle.config\ntorch._dynamo.reset()\n{REAL}assert torch._dynamo.config is settings"
    )


def test_where_torch_has_no_such_settings_the_real_one_is_asked() -> None:
    run(f"torch.__file__ = 'no such folder/torch.py'\ntorch._dynamo.config\n{REAL}")


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
