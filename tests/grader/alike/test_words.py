"""What counts as the same code, and what does not."""

from __future__ import annotations

import ast
from collections import Counter
from textwrap import dedent

import pytest

from grader.alike.words import Speller, read_names


def spelled(source: str) -> Counter[str]:
    """The sequences of a source, in no order."""
    statements = ast.parse(dedent(source)).body
    speller = Speller(read_names(statements, statements))
    for one in statements:
        speller.add(one)
    return Counter(" ".join(word.text for word in one) for one in speller.sequences if one)


SAME = {
    "names": ("def f(a):\n    b = a.view(2)\n    return b", "def g(x):\n    y = x.view(2)\n    return y"),
    "attributes of its own": (
        "class A:\n    def f(self):\n        self.a = 1\n        return self.a",
        "class B:\n    def g(this):\n        this.b = 1\n        return this.b",
    ),
    "comments and docstrings": ("def f(a):\n    '''F.'''\n    return a + 1  # add", "def f(a):\n    return a + 1"),
    "type hints": ("def f(a: int) -> int:\n    b: int = a\n    c: int\n    return b", "def f(a):\n    b = a\n    return b"),
    "order of what commutes": ("def f(a):\n    b = a + 1\n    c = a * 2\n    return b, c", "def f(a):\n    c = a * 2\n    b = a + 1\n    return b, c"),
    "order in blocks": ("for i in a:\n    b = i + 1\n    c = i * 2", "for i in a:\n    c = i * 2\n    b = i + 1"),
    "order of functions": ("def f():\n    return 1\ndef g():\n    return 2", "def g():\n    return 2\ndef f():\n    return 1"),
    "order of methods": (
        "class A:\n    def f(self):\n        return 1\n    def g(self):\n        return 2",
        "class A:\n    def g(self):\n        return 2\n    def f(self):\n        return 1",
    ),
    "operands": ("a = b.c + d()", "a = d() + b.c"),
    "comparisons": ("a = b() > 1", "a = 1 < b()"),
    "named arguments": ("f(a, dim=-1, keepdim=True)", "f(a, keepdim=True, dim=-1)"),
    "arguments with names and without": ("f(a, dim=-1)", "f(a, -1)"),
    "changed in place": ("x += 1", "x = x + 1"),
    "texts": ("raise ValueError(f'{a} is odd')", "raise ValueError('not even')"),
    "how a library is imported": (
        "import torch.nn.functional as F\nx = F.softmax(y)",
        "from torch.nn import functional\nx = functional.softmax(y)",
    ),
    "what a library's name is here": (
        "from torch import einsum as e\nx = e(y)",
        "import torch\nx = torch.einsum(y)",
    ),
    "pass and imports": ("def f():\n    import torch\n    pass\n    return 1", "def f():\n    return 1"),
}  # fmt: skip

DIFFERENT = {
    "another function of a library": ("import torch\nx = torch.sin(y)", "import torch\nx = torch.cos(y)"),
    "another method": ("x = y.sum()", "x = y.mean()"),
    "another number": ("x = y * 2", "x = y * 3"),
    "another sign": ("x = -1", "x = 1"),
    "another operator": ("x = y * z", "x = y / z"),
    "order of what does not commute": ("def f(a):\n    a = a + 1\n    a = a * 2", "def f(a):\n    a = a * 2\n    a = a + 1"),
    "sides of a difference": ("x = y.a - z()", "x = z() - y.a"),
    "a condition": ("if x:\n    f(1)", "while x:\n    f(1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_it_makes_no_difference(name):
    one, other = SAME[name]
    assert spelled(one) == spelled(other)


@pytest.mark.parametrize("name", DIFFERENT)
def test_it_makes_a_difference(name):
    one, other = DIFFERENT[name]
    assert spelled(one) != spelled(other)


def test_a_word_knows_its_line():
    statements = ast.parse("def f(a):\n\n    b = a.view(2)\n    return b.sum()").body
    speller = Speller(read_names(statements, statements))
    speller.add(statements[0])
    assert {word.line for word in speller.sequences[0] if word.text == ".view"} == {3}
    assert {word.line for word in speller.sequences[0] if word.text == ".sum"} == {4}
