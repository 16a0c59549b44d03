"""Each public name has an example, and each example holds when it is run as a check is."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
from textwrap import dedent, indent
from typing import Any

import pytest
from runs import GRADER, ROOT
from toy import write

import grader.testing

PAGE = ROOT / "docs/api.md"
NAMES = sorted(grader.testing.__all__)
EXAMPLE = re.compile(r"(?<=\n\n)((?: {4}.*\n|\n)+)(?=\S|\Z)")

TABLE = """
    [tool.grader]
    id = "examples"
    title = "Examples"
    suites = "hidden"
    reference = "reference/examples"
    data = ["public/data"]
    hidden_data = ["secret"]

    [[tool.grader.assignments]]
    id = "all"
    title = "All of them"
"""

ANSWERS = """
    import contextlib, dataclasses, enum, random, typing
    import matplotlib.pyplot as plt
    import torch

    class Cart:
        def __init__(self, owner): self.prices = []
        def add(self, name, price): self.prices.append(price)
        def total(self): return float(sum(self.prices))

    class Account:
        def __init__(self, start): self.amount = start
        def pay(self, amount): self.amount -= amount
        def left(self): return self.amount
        def balance(self): return self.amount

    class Counter:
        def __init__(self, start=0): self.value = start

    class Stack(list):
        def pop(self): raise RuntimeError("broken")

    class Editor:
        def __init__(self): self.stack = Stack()
        def type(self, key): self.stack.append(key)
        def undo(self): return self.stack.pop()

    @dataclasses.dataclass
    class Item:
        name: str
        price: float

    @dataclasses.dataclass
    class Book:
        title: str

    class Light(enum.Enum):
        RED = 1
        GREEN = 2

    class Point(typing.NamedTuple):
        x: float
        y: float

    class Layer(torch.nn.Linear):
        pass

    @contextlib.contextmanager
    def borrowed(title): yield Book(title)

    def center(table): return table - table.mean()
    def count(text): return {word: text.split().count(word) for word in text.split()}
    def find_problem(text): return ValueError(text)
    def ask_and_greet(): greet(input("Your name? "))
    def greet(name): print(f"Hello {name}!")
    def largest(numbers): return max(numbers)
    def mean(numbers): return sum(numbers) / len(numbers)
    def midpoint(a, b): return Point((a[0] + b[0]) // 2, (a[1] + b[1]) // 2)
    def new_pin(): return "0412"
    def next_light(name): return Light.GREEN
    def number_lines(source, target):
        lines = open(source).read().splitlines()
        open(target, "w").write("".join(f"{n} {line}\\n" for n, line in enumerate(lines, 1)))
    def open_accounts(count): return [Account(10) for _ in range(count)]
    def shuffle(cards): return random.sample(cards, len(cards))
    def sort(frame): return frame.sort_values("x")
    def sort_in_place(numbers): numbers.sort()
    def table(rows): return torch.zeros(rows, 2)

    def plot_growth(x, y):
        plt.plot(x, y)
        plt.title("Growth")

    def primes():
        number = 1
        while True:
            number += 1
            if all(number % other for other in range(2, number)):
                yield number
"""

SUITE = """
    import pandas
    import torch

    from grader.testing import *

    cards = list(range(52))
    table = frame = pandas.DataFrame({"x": [3.0, 1.0, 2.0]})
    before = torch.zeros(3, 2)
    after = before + torch.tensor([[0.0], [0.0], [1.0]])


    class TestExamples:
        '''Examples'''
"""


def example(name: str) -> str:
    """The indented code in a name's docstring; the site of docs/ finds it in the same way."""
    text = inspect.getdoc(getattr(grader.testing, name)) or ""
    return "\n".join(dedent(found).strip() for found in EXAMPLE.findall(f"{text}\n"))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_has_an_example(name: str) -> None:
    code = example(name)
    compile(code, name, "exec")
    what_checks_are_given = inspect.isclass(getattr(grader.testing, name))
    assert code
    assert name in code or what_checks_are_given


def test_the_page_has_each_name_once() -> None:
    shown = re.findall(r"^::: grader\.testing\.(\w+)$", PAGE.read_text(encoding="utf-8"), re.M)
    assert sorted(shown) == NAMES


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each example, as a check of a right submission behind the wall."""
    root = tmp_path_factory.mktemp("course")
    suite = dedent(SUITE)
    for name in NAMES:
        body = indent(example(name), " " * 8)
        suite += f"\n    @check(points=1)\n    def test_{name}(self, submission, reference, rng):\n"
        suite += f"        '''{name}'''\n{body}\n"
    write(root / "pyproject.toml", TABLE)
    write(root / "hidden/test_all.py", suite)
    write(root / "reference/examples/__init__.py", ANSWERS)
    write(root / "public/data/cities.csv", "Rome")
    write(root / "secret/others.csv", "Oslo")
    write(root / "class/ann.py", ANSWERS)
    done = subprocess.run(
        [*GRADER, "check", "class", "--json"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (score,) = json.loads(done.stdout)["scores"]
    return {one["check"].rpartition("test_")[2]: one for one in score["outcomes"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_example_holds(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes[name]["status"] == "passed", outcomes[name]
