"""Attempts to forge a score with tensors: what crosses is bytes, and shape and dtype come first.

The numbers are those of the threat model (docs/threat-model.md, "Forging the grade").
"""

from __future__ import annotations

import pytest
from hostile import ON_LINUX
from toy import Silent, notebook, write

from grader.config.course import load_course
from grader.gradebook import Score, State
from grader.model import Status
from grader.pipeline import Options, check

pytestmark = ON_LINUX

TABLE = """
[tool.grader]
id = "tensors"
title = "Tensors"
suites = "hidden"
preload = ["torch"]

[tool.grader.limits]
wall_s = 60
cell_s = 5
check_s = 5

[[tool.grader.assignments]]
id = "scaling"
title = "Scaling"
"""

SUITE = '''
import torch

from grader.testing import assert_close, assert_differs, check


class TestDouble:
    """Doubling"""

    @check(points=1)
    def test_doubles(self, submission):
        """Doubles every element"""
        x = torch.randn(3, 4)
        assert_close(submission.double(x).tensor(), 2 * x)

    @check(points=1)
    def test_doubles_twice(self, submission):
        """Answers a second input by its own numbers"""
        x, y = torch.randn(3, 4), torch.randn(3, 4)
        first, second = submission.double(x).tensor(), submission.double(y).tensor()
        assert_close(first, 2 * x)
        assert_differs(first, second)


class TestScale:
    """A layer that scales"""

    @check(points=1)
    def test_uses_its_weight(self, submission):
        """The output is the input times the weight, whatever the weight is"""
        layer = submission.Scale(4)
        x, weight = torch.randn(2, 4), torch.randn(4)
        layer.weight.data = weight
        assert_close(layer.weight.tensor(), weight)
        assert_close(layer(x).tensor(), x * weight)

    @check(points=1)
    def test_gradient(self, submission):
        """The weight's gradient is the sum of the inputs"""
        layer = submission.Scale(4)
        x = torch.randn(2, 4)
        layer(x).sum().backward()
        assert_close(layer.weight.grad.tensor(), x.sum(0))
'''

RIGHT = """
import torch
def double(x):
    return 2 * x
class Scale(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(n))
    def forward(self, x):
        return x * self.weight
"""

# each answers with `answer(x)` and a layer that returns it
WRONG = """
import torch
def double(x):
    return answer(x)
class Scale(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(n))
    def forward(self, x):
        return answer(x)
"""

ANSWERS = {
    # 1: liars and laggards
    "liar": """
        import torch
        class Liar(torch.Tensor):
            @classmethod
            def __torch_function__(cls, *a, **k): return True
            def __eq__(self, other): return True
            def detach(self): return self
            def cpu(self): return self
            __hash__ = object.__hash__
        def answer(x): return torch.zeros_like(x).as_subclass(Liar)
        """,
    "not_a_number": "import torch\ndef answer(x): return torch.full_like(x, float('nan'))",
    "infinite": "import torch\ndef answer(x): return torch.full_like(x, float('inf'))",
    "broadcast_scalar": "import torch\ndef answer(x): return torch.zeros(())",
    "broadcast_row": "import torch\ndef answer(x): return (2 * x)[:1]",
    "broadcast_empty": "import torch\ndef answer(x): return torch.zeros(0, 4)",
    "extra_dimension": "import torch\ndef answer(x): return (2 * x)[None].expand(2, *x.shape)",
    "on_the_meta_device": "import torch\ndef answer(x): return torch.empty(x.shape, device='meta')",
    "rounded": "import torch\ndef answer(x): return (2 * x).to(torch.float16)",
    "integers": "import torch\ndef answer(x): return (2 * x).long()",
    "a_list": "def answer(x): return [[0.0] * 4] * 3",
    "an_array": "import numpy\ndef answer(x): return numpy.zeros(tuple(x.shape))",
    "constant": "import torch\ndef answer(x): return torch.zeros_like(x)",
    "random": "import torch\ndef answer(x): return torch.randn(x.shape)",
    # 6: memory that is not its own
    "uninitialised": "import torch\ndef answer(x): return torch.empty_like(x)",
    "changes_its_input": """
        def answer(x):
            x.zero_()
            return x
        """,
    "changes_its_answer_later": """
        import torch
        last = torch.zeros(3, 4)
        def answer(x):
            last.copy_(x)
            return last
        """,
    "resized_storage": """
        import torch
        def answer(x):
            y = torch.zeros_like(x)
            y.untyped_storage().resize_(0)
            return y
        """,
    "outside_its_storage": """
        import torch
        def answer(x): return torch.as_strided(torch.zeros(1), (3, 4), (0, 0))
        """,
    # 1, 11: torch itself, patched over there
    "patched_torch": """
        import torch
        torch.allclose = torch.equal = torch.isclose = lambda *a, **k: True
        torch.Tensor.__eq__ = lambda *a: True
        torch.Tensor.numpy = torch.Tensor.detach = torch.Tensor.cpu = lambda self, *a: self
        torch.isfinite = lambda x: torch.ones_like(x, dtype=torch.bool)
        torch.manual_seed = lambda *a: None
        def answer(x): return torch.zeros(x.shape)
        """,
    "patched_module": """
        import torch
        torch.nn.Module.__call__ = lambda self, x: x
        torch.nn.Module.__getattr__ = lambda self, name: torch.zeros(4)
        def answer(x): return torch.zeros_like(x)
        """,
    # 40: pickles and files that a careless reader would load
    "pickled": """
        import os, pickle, torch
        class Bomb:
            def __reduce__(self): return (os._exit, (0,))
        torch.save({"x": 1}, "answer.pt")
        def answer(x): return Bomb()
        """,
    # 36: a device that is not there
    "other_device": """
        import torch
        def answer(x): return torch.zeros(x.shape, device="cuda" if torch.cuda.is_available() else "meta")
        """,
    # 1 again: layouts and modes that are not what they look like
    "function_mode": """
        import torch
        from torch.overrides import TorchFunctionMode
        class Agree(TorchFunctionMode):
            def __torch_function__(self, function, types, args=(), kwargs=None):
                return torch.Tensor._make_subclass(torch.Tensor, torch.ones(3, 4))
        mode = Agree()
        def answer(x):
            if not mode.__dict__.get("on"): mode.on = True; mode.__enter__()
            return torch.Tensor()
        """,
    "dispatch_mode": """
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode
        class Agree(TorchDispatchMode):
            def __torch_dispatch__(self, function, types, args=(), kwargs=None):
                return True
        def answer(x):
            Agree().__enter__()
            return x
        """,
    "wrapper": """
        import torch
        class Wrapper(torch.Tensor):
            @staticmethod
            def __new__(cls, x):
                return torch.Tensor._make_wrapper_subclass(cls, x.shape, dtype=x.dtype)
            @classmethod
            def __torch_dispatch__(cls, function, types, args=(), kwargs=None): return args[0]
        def answer(x): return Wrapper(x)
        """,
    "sparse": "import torch\ndef answer(x): return torch.zeros(x.shape).to_sparse()",
    "nested": "import torch\ndef answer(x): return torch.nested.nested_tensor([r for r in x])",
    "quantized": """
        import torch
        def answer(x): return torch.quantize_per_tensor(torch.zeros(x.shape), 1.0, 0, torch.qint8)
        """,
    "conjugated": "import torch\ndef answer(x): return torch.complex(2 * x, x).conj()",
    "freed_while_it_is_sent": """
        import threading, torch
        y = torch.zeros(3, 4)
        def shake():
            while True: y.untyped_storage().resize_(0); y.untyped_storage().resize_(48)
        threading.Thread(target=shake, daemon=True).start()
        def answer(x): return y
        """,
    "too_large": "import torch\ndef answer(x): return torch.zeros(1 << 26).expand(64, 1 << 26)",
}

# 12: what a notebook may leave torch in, without losing or gaining anything
STATES = {
    "other_defaults": "import torch\ntorch.set_default_dtype(torch.float64)",
    "no_gradients": "import torch\ntorch.set_grad_enabled(False)",
    "meta_by_default": "import torch\ntorch.set_default_device('meta')",
    "many_threads": "import torch\ntorch.set_num_threads(16)",
    "deterministic": "import torch\ntorch.use_deterministic_algorithms(True)",
    "seeded": "import torch\ntorch.manual_seed(0)",
}


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    root = tmp_path_factory.mktemp("tensors")
    write(root / "course/pyproject.toml", TABLE)
    write(root / "course/hidden/test_scaling.py", SUITE)
    write(root / "class/ann/scaling.py", RIGHT)
    write(root / "class/zoe/scaling.py", RIGHT)
    for name, answer in ANSWERS.items():
        write(root / "class" / name / "scaling.ipynb", notebook(answer, WRONG))
    for name, state in STATES.items():
        write(root / "class" / name / "scaling.ipynb", notebook(state, RIGHT))
    book = check((root / "class",), load_course(root / "course"), Options(), Silent())
    return {score.student: score for score in book.scores}


@pytest.mark.parametrize("attack", ANSWERS)
def test_nothing_is_earned(scores: dict[str, Score], attack: str) -> None:
    score = scores[attack]
    assert (score.state, score.earned) == (State.GRADED, 0.0), score.outcomes
    assert not any(outcome.status is Status.PASSED for outcome in score.outcomes)


@pytest.mark.parametrize("state", STATES)
def test_what_a_notebook_leaves_torch_in_costs_nothing(
    scores: dict[str, Score], state: str
) -> None:
    assert scores[state].earned == 4.0, scores[state].outcomes


def test_neighbours_are_graded_as_if_alone(scores: dict[str, Score]) -> None:
    assert scores["ann"].earned == scores["zoe"].earned == 4.0
