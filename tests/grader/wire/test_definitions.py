"""Forms of definitions: the same whatever names and comments say, another where code differs."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from grader.wire import definitions as module
from grader.wire.definitions import LEAST_NODES, MOST_CHARACTERS, definitions, read_cells

SOURCE = '''
class Model(nn.Module):
    """A model."""

    table: Tensor

    def __init__(self, size: int, rate: float = 0.1) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(size, size))
        self.drop = nn.Dropout(rate)  # while training
        if size < 1:
            raise ValueError(f"size is {size}")
        self.scale = math.sqrt(size)
        self.register_buffer("steps", torch.arange(size) * 2 - 1, persistent=False)

    def forward(self, tokens, mask=None):
        rows = self.table[tokens]
        if mask is not None:
            rows = rows.masked_fill(~mask, 0.0)
        total = self.mixed(rows) * self.scale + self.steps[: tokens.shape[1]].unsqueeze(0)
        return self.drop(total), [row.sum() for row in rows]

    def mixed(self, x):
        out = x
        for _ in range(3):
            out = torch.tanh(out @ self.table) + x
        return out
'''


def digests(source: str) -> list[str]:
    return sorted(one.digest for one in definitions(source))


def test_classes_and_their_methods_are_found_by_name() -> None:
    assert {one.name for one in definitions(SOURCE)} == {"Model", "Model.__init__", "Model.forward"}
    assert len(set(digests(SOURCE))) == 3


OWN = ["Model", "size", "rate", "table", "drop", "scale", "tokens", "mask", "rows", "total", "row",
       "mixed", "out", "x", "self.table", "_"]  # fmt: skip
NEW = st.from_regex(r"[a-z_][a-z0-9_]{3,8}", fullmatch=True).filter(
    lambda name: (
        not keyword.iskeyword(name) and name not in dir(__builtins__) and name not in SOURCE
    )
)


@given(st.lists(NEW, min_size=len(OWN), max_size=len(OWN), unique=True))
def test_other_names_make_no_difference(names: Sequence[str]) -> None:
    renamed = SOURCE.replace("super().__init__", "SUPER")
    for old, new in zip(OWN, names, strict=True):
        renamed = re.sub(rf"(?<![\w]){re.escape(old)}(?!\w)", new, renamed)
    renamed = renamed.replace("SUPER", "super().__init__")
    ast.parse(renamed)
    assert "Model" not in renamed
    assert digests(renamed) == digests(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A model."""', "# a model\n    pass"),
        ("  # while training", ""),
        ("    table: Tensor\n", ""),
        (": int, rate: float = 0.1) -> None", ", rate=0.1)"),
        ('f"size is {size}"', 'f"{size} is too small for this {size}"'.replace(" this {size}", "")),
        ("rows = self.table[tokens]", "rows: Tensor = self.table[tokens]"),
        ("return out", "'the end'\n        return out"),
        ("nn.Dropout", "torch.nn.Dropout"),
        ("def mixed(self, x):", "def mixed(\n        self,\n        x,\n    ):"),
    ],
)
def test_nor_do_words_types_and_layout(old: str, new: str) -> None:
    changed = SOURCE.replace(old, new)
    assert changed != SOURCE
    if "too small" not in new:  # the pieces of an f-string are code
        assert digests(changed) == digests(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("range(3)", "range(4)"),
        ("+ x", "- x"),
        ("torch.tanh", "torch.sin"),
        ("math.sqrt(size)", "size"),
        ("if size < 1", "if size <= 1"),
        ("rate: float = 0.1", "rate: float = 0.2"),
        ("out @ self.table", "self.table @ out"),
        ("sum()", "sum(0)"),
    ],
)
def test_another_code_has_another_form(old: str, new: str) -> None:
    assert digests(SOURCE.replace(old, new)) != digests(SOURCE)


def test_who_changes_one_method_has_the_others_still() -> None:
    changed = SOURCE.replace("math.sqrt(size)", "size ** 0.5")
    same = set(digests(changed)) & set(digests(SOURCE))
    assert [one.name for one in definitions(SOURCE) if one.digest in same] == ["Model.forward"]


def test_what_is_small_is_nobodys() -> None:
    assert definitions("def add(a, b):\n    return a + b\n") == []
    body = "\n".join(f"    x{n} = {n}" for n in range(LEAST_NODES))
    assert len(definitions(f"def f():\n{body}\n")) == 1


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: f"exec({text!r})",
        lambda text: f"%%time\n{text}",
        lambda text: f"%%writefile mine.py\n{text}",
        lambda text: f"if True:\n{indent(text, '    ')}",
        lambda text: f"def hide():\n{indent(text, '    ')}\n    return Model\nModel = hide()",
    ],
)
def test_it_is_found_in_texts_and_below_magics(wrap: object) -> None:
    source = TransformerManager().transform_cell(wrap(SOURCE))  # type: ignore[operator]
    assert set(digests(SOURCE)) <= set(digests(source))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "class",
        "def f(:",
        "class A:\n\tx\n        y",
        "\0 def f(): pass",
        "def f(): return " + "(" * 500 + ")" * 500,
        "def f(): return " + "-" * 5000 + "1",
        "def f(): return " + "+".join("x" * 1 for _ in range(20_000)),
        "class A: x = " + "[" * 90 + "]" * 90,
        "def f(): pass\n" * 40_000,
        "def f(): '''\ndef '''\n" * 3000,
        "\ud800 def f(): pass",
        "def f(): pass" + " " * (MOST_CHARACTERS + 1),
    ],
    ids=range(13),
)
def test_whatever_is_handed_in_it_ends_and_raises_nothing(source: str) -> None:
    assert read_cells([source, SOURCE])[1] == [one.digest for one in definitions(SOURCE)]


def test_one_definition_that_is_too_deep_hides_no_other() -> None:
    deep = "def deep(): return " + "+".join("x" for _ in range(2000))
    assert len(ast.parse(deep).body) == 1  # Python itself can read it
    assert set(digests(SOURCE)) <= set(digests(f"{deep}\n{SOURCE}"))


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    definitions(f"def f():\n{indent(text, '    ')}\nclass X: pass\n{text}")


def test_it_needs_nothing_but_the_standard_library() -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= {"__future__", "ast", "builtins", "hashlib", "collections.abc", "typing"}
