"""Answers as somebody hands them in who has taken them over and does not want it to be seen."""

from __future__ import annotations

import ast
import builtins
from random import Random

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Assert)


def renamed(source: str, random: Random, keep: set[str]) -> str:
    """Every variable, parameter, helper and attribute of its own has another name."""
    tree = ast.parse(source)
    names, attributes, fixed = _chosen(tree)
    fixed |= keep | set(dir(builtins)) | {"self", "cls", "forward"}
    fixed |= {name for name in names | attributes if name.startswith("__")}
    attributes -= names
    new_name, new_attribute = _other(names - fixed, random), _other(attributes - fixed, random)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            node.attr = new_attribute.get(node.attr, node.attr)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [new_name.get(name, name) for name in node.names]
        elif isinstance(node, FUNCTIONS) and node.name in called:
            continue  # a method, perhaps
        elif not isinstance(node, (ast.keyword, ast.alias)):
            for field in ("id", "arg", "name"):
                value = getattr(node, field, None)
                if isinstance(value, str):
                    setattr(node, field, new_name.get(value, value))
    return ast.unparse(tree)


def _chosen(tree: ast.AST) -> tuple[set[str], set[str], set[str]]:
    """The names and attributes that the author chose, and what others call by its name."""
    names: set[str] = set()
    attributes: set[str] = set()
    called = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            called.add(node.arg)
    return names, attributes, called


def _other(own: set[str], random: Random) -> dict[str, str]:
    return {
        name: f"{random.choice('abcdefgh')}{random.randrange(10**6)}_{number}"
        for number, name in enumerate(sorted(own))
    }


def _imported(tree: ast.AST) -> set[str]:
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def commented(source: str, random: Random) -> str:
    """Other comments, docstrings and type hints; other quotes and line breaks come by themselves."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            for one in node.args.args:
                one.annotation = random.choice([None, ast.Name("object")])
            node.returns = random.choice([None, ast.Constant("Any")])
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
            if random.random() < 0.5:
                node.body.insert(0, ast.Expr(ast.Constant(f"My own idea {random.random()}.")))
    lines = ast.unparse(ast.fix_missing_locations(tree)).split("\n")
    return "\n".join(f"{line}  # {random.random()}" if random.random() < 0.2 and _ends(line) else line
                     for line in lines)  # fmt: skip


def _ends(line: str) -> bool:
    return line.endswith((":", ")")) and not set("'\"") & set(line)


def rearranged(source: str, random: Random) -> str:
    """Definitions, methods, and neighbours that have nothing to do with each other, in another order."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, FUNCTIONS)]
            random.shuffle(methods)
            fresh = iter(methods)
            node.body = [next(fresh) if isinstance(one, FUNCTIONS) else one for one in node.body]
        elif isinstance(node, FUNCTIONS):
            for _ in range(3):
                for place in range(len(node.body) - 1):
                    if random.random() < 0.7 and _independent(*node.body[place : place + 2]):
                        node.body[place : place + 2] = node.body[place : place + 2][::-1]
    return ast.unparse(tree)


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether two plain assignments may change places."""
    if not (isinstance(first, ast.Assign) and isinstance(second, ast.Assign)):
        return False
    read, written = zip(*map(_places, (first, second)), strict=True)
    return not (written[0] & (read[1] | written[1]) or written[1] & read[0])


def _places(statement: ast.Assign) -> tuple[set[str], set[str]]:
    read, written = set(), set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Name, ast.Attribute)):
            text = ast.unparse(node)
            if text != "self":
                (written if isinstance(node.ctx, ast.Store) else read).add(text)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            written.add(ast.unparse(node.value))
    return read, written


def split(source: str, random: Random) -> str:
    """A run of statements of each longer function is a function of its own."""
    tree = ast.parse(source)
    helpers: list[ast.stmt] = []
    for node in list(ast.walk(tree)):
        if isinstance(node, FUNCTIONS) and len(node.body) >= 4:
            start = random.randrange(1, len(node.body) - 2)
            run = node.body[start : start + 2 + random.randrange(2)]
            if all(isinstance(one, SIMPLE) and _movable(one) for one in run):
                helper, call = _helper(run, f"_step_{len(helpers)}")
                node.body[start : start + len(run)] = [call]
                helpers.append(helper)
    tree.body += helpers
    return ast.unparse(ast.fix_missing_locations(tree))


def _movable(statement: ast.stmt) -> bool:
    return not any(
        isinstance(node, (ast.Lambda, ast.Yield, ast.YieldFrom, ast.Await, ast.comprehension))
        or (isinstance(node, ast.Name) and node.id == "super")
        for node in ast.walk(statement)
    )


def _helper(run: list[ast.stmt], name: str) -> tuple[ast.FunctionDef, ast.stmt]:
    used = [node for one in run for node in ast.walk(one) if isinstance(node, ast.Name)]
    made = sorted({one.id for one in used if isinstance(one.ctx, ast.Store)})
    taken = sorted({one.id for one in used} - set(dir(builtins)))
    result = ", ".join(made) or "None"
    head = ast.parse(f"def {name}({', '.join(taken)}):\n    return {result}\n").body[0]
    assert isinstance(head, ast.FunctionDef)
    head.body[0:0] = run
    call = f"{name}({', '.join(taken)})"
    return head, ast.parse(f"{result} = {call}" if made else call).body[0]


DISGUISES = {"commented": commented, "rearranged": rearranged, "split": split}


def disguised(source: str, random: Random, keep: set[str]) -> str:
    """All of them at once, in some order; the names last."""
    ways = list(DISGUISES.values())
    random.shuffle(ways)
    for way in ways:
        source = way(source, random)
    return commented(renamed(source, random, keep), random)
