"""Generated mutants: each operator makes its mistake, ids are stable, nothing is made twice."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from grader.authoring.generated import Generated, difference, generate, sample


def made(source: str, operator: str = "") -> list[Generated]:
    return [one for one in generate({"f": source}) if f":{operator}" in one.id]


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        ("constant", "x = 3", ["x = 4", "x = 2"]),
        ("constant", "x = 0.5", ["x = 1.0"]),
        ("constant", "x = True", ["x = False"]),
        ("constant", "x = 'a'", ["x = 'a_'"]),
        ("comparison", "x = a < b", ["x = a >= b"]),
        ("boundary", "x = a < b", ["x = a <= b"]),
        ("boundary", "x = a < b <= c", ["x = a <= b <= c", "x = a < b < c"]),
        ("comparison", "x = a is None", ["x = a is not None"]),
        ("binary", "x = a * b", ["x = a / b"]),
        ("binary", "x += b", ["x -= b"]),
        ("boolean", "x = a and b", ["x = a or b", "x = b", "x = a"]),
        ("unary", "x = -a", ["x = a"]),
        ("condition", "x = a if b else c", ["x = a if not b else c"]),
        ("removed-statement", "g(a)", ["pass"]),
        ("removed-statement", "self.a = b", ["pass"]),
        ("removed-statement", "raise ValueError(f'{a}')", ["pass"]),
        ("exception", "raise ValueError(f'{a}')", ["raise RuntimeError('wrong')"]),
        ("removed-with", "with a:\n        g()", ["if True:\n        g()"]),
        ("removed-return", "if a:\n        return b", ["pass"]),
        ("removed-call", "x = math.sqrt(a)", ["x = a"]),
        ("removed-call", "x = a.float()", ["x = a"]),
        ("removed-call", "x = self.drop(a)", ["x = a"]),
        ("swapped-arguments", "x = g(a, b, *c)", ["x = g(b, a, *c)"]),
        ("dropped-keyword", "x = g(a, k=b, **c)", ["x = g(a, **c)"]),
        ("other-attribute", "x = a.max(b)", ["x = a.min(b)"]),
        ("other-attribute", "x = max(a, b)", ["x = min(a, b)"]),
        ("slice", "x = a[b:c]", ["x = a[:c]", "x = a[b:]"]),
    ],
)
def test_each_operator_makes_its_mistake(operator: str, before: str, after: list[str]) -> None:
    head = "def f(a, b):\n    "
    expected = [ast.unparse(ast.parse(head + one)) for one in after]
    assert [one.source for one in made(head + before, operator)] == expected


def test_parameters_and_their_defaults_are_mistaken_too() -> None:
    source = "def f(a, b, c=1, d=None, *, e=True):\n    return g(a, b, c, d, e)"
    heads = [one.source.split("\n")[0] for one in made(source)]
    assert "def f(b, a, c=1, d=None, *, e=True):" in heads
    assert "def f(a, b, d=None, c=1, *, e=True):" in heads
    assert "def f(a, c=1, b, d=None, *, e=True):" not in heads
    assert {
        "def f(a, b, c=2, d=None, *, e=True):",
        "def f(a, b, c=1, d=0, *, e=True):",
        "def f(a, b, c=1, d=None, *, e=False):",
    } <= set(heads)


def test_parts_of_one_kind_are_mistaken_for_each_other() -> None:
    source = """
class Block:
    def __init__(self, d):
        self.norm1 = Norm(d)
        self.norm2 = Norm(d)
        self.drop = Drop(d)
    def forward(self, x):
        return self.drop(self.norm1(x))
"""
    changes = [one.change for one in generate({"Block": source}) if ":other-part:" in one.id]
    assert changes == ["return self.drop(self.norm1(x)) → return self.drop(self.norm2(x))"]


def test_what_is_free_is_left_alone() -> None:
    source = '''
def f(a: "T" = x) -> "T":
    """Doc 1."""
    if a:
        raise ValueError(f"{a + 1} is {'wrong'}")
    return a
'''
    assert {one.id.split(":")[1] for one in made(source)} == {
        "condition", "removed-statement", "exception",
    }  # fmt: skip


def test_every_mutant_is_valid_python_and_like_no_other() -> None:
    source = """
class A:
    def f(self, x, y=2):
        while x > 0 and not y:
            x -= 1
            del y[0]
        return {k: v for k, v in zip(x, y) if k}[1:2]
"""
    found = generate({"A": source})
    assert len({one.source for one in found}) == len(found) == len({one.id for one in found}) > 15
    for one in found:
        compile(one.source, "mutant", "exec")


def test_an_id_depends_on_its_function_alone() -> None:
    one, other = "def f():\n    return 1\n", "def g(x):\n    return x + 2\n"
    alone = {m.id: m.change for m in generate({"g": other})}
    after = {m.id: m.change for m in generate({"f": one, "g": "\n# moved\n" + other})}
    assert alone.items() <= after.items()


def test_given_functions_are_not_mutated() -> None:
    source = "class A:\n    def f(self):\n        return 1\n    def g(self):\n        return 2\n"
    ids = [one.id for one in generate({"A": source}, {"A": ["f"]})]
    assert ids
    assert all(name.startswith("A.g:") for name in ids)


def test_a_difference_is_one_line() -> None:
    assert difference("a\nb\nc", "a\nd\ne\nc") == "b → d; e"
    assert difference("a\nb", "a") == "b → (nothing)"


def test_long_lines_are_cut_around_what_differs() -> None:
    head, tail = "f(" + "a, " * 40, ", b" * 40 + ")"
    one, other = difference(head + "x" + tail, head + "y" + tail).split(" → ")
    assert len(one) == len(other) == 63
    assert (one.replace("x", "y"), one[0], one[-1]) == (other, "…", "…")


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("def f(a):\n    return np.cumsum(a, axis=0)[1:]", ["np.cumprod(a, axis=0)", "axis=1"]),
        ("def f(d):\n    return d.groupby('x').head(3)", [".tail(3)", "'x_'", "head(4)"]),
        ("def f(d):\n    return d[d['n'].notna()].median()", [".isna()", ".mean()", "d['n_']"]),
        ("def f(s):\n    return s.lower().startswith('a')", [".upper()", ".endswith('a')"]),
    ],
)
def test_arrays_frames_and_text_have_mutants_of_their_own(source: str, changes: list[str]) -> None:
    made = [one.change for one in generate({"f": source})]
    for change in changes:
        assert any(change in one.partition(" → ")[2] for one in made), (change, made)


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_a_sample_has_some_of_each_function_and_is_always_the_same(most: int) -> None:
    source = "class A:\n    def f(self, a):\n        return a + 1 if a > 2 else a - 3\n"
    source += "    def g(self, b):\n        return b * 4\n"
    made = generate({"A": source})
    counts = Counter(one.id.partition(":")[0] for one in made)
    assert min(counts.values()) > 1
    chosen = sample(made, most)
    assert chosen == sample(made, most)
    assert len(set(chosen)) == len(chosen)
    found = Counter(one.id.partition(":")[0] for one in chosen)
    assert found == {name: min(most, number) for name, number in counts.items()}
