"""Sentences: what a docstring says, one promise's worth at a time.

A line of a section (`x: vectors (B, T)`), an item of a list and a line of code are sentences, too.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator

from grader.model import Value

SECTIONS = {
    "args:", "arguments:", "attributes:", "example:", "examples:", "note:", "notes:", "raises:",
    "returns:", "yields:",
}  # fmt: skip
ITEM = re.compile(r"^(?:[-*•]|\d+[.)])\s+")
NAMED = re.compile(r"^\*{0,2}[\w.`]+(?:, \*{0,2}[\w.`]+)*(?: \([^)]*\))?:\s")
END = re.compile(r"(?<=[.!?])[\"”'’)`*]*\s+(?=[\"“'‘(`*$]*[A-Z0-9`*$])")
ABBREVIATIONS = ("e.g.", "i.e.", "et al.", "cf.", "vs.", "sec.", "eq.", "fig.", "p.", "approx.")
JOINING = {"and", "or", "but", "then", "so", "that", "which", "it", "also", "with"}


class Sentence(Value, frozen=True):
    """A sentence and the definition in whose docstring it stands: `TokenEmbedding.forward`."""

    place: str
    text: str


def normalised(text: str) -> str:
    """A text with every run of white space as one space."""
    return " ".join(text.split())


def docstrings(source: str) -> dict[str, str]:
    """The docstrings of the classes and functions of a text, by name; none inside functions."""
    found: dict[str, str] = {}

    def visit(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for child in node.body:
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                text = ast.get_docstring(child, clean=False)
                if text is not None:
                    found[prefix + child.name] = text
                if isinstance(child, ast.ClassDef):
                    visit(child, f"{prefix}{child.name}.")

    visit(ast.parse(source), "")
    return found


def docstring_sentences(sources: Iterable[str]) -> list[Sentence]:
    """Every sentence of the docstrings of some definitions, in order."""
    return [
        Sentence(place, text)
        for source in sources
        for place, docstring in docstrings(source).items()
        for text in sentences(docstring)
    ]


def sentences(docstring: str) -> list[str]:
    """Take a docstring apart."""
    found = [one for block in _blocks(inspect.cleandoc(docstring)) for one in _split(block)]
    return [one for one in found if re.search(r"\w", one)]


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs, items, and lines of code, each on one line."""
    block: list[str] = []
    section = False
    depth = 0  # of a section's items: what is deeper goes on with one
    for line in text.split("\n"):
        words, indent = line.strip(), len(line) - len(line.lstrip())
        if words and not indent and (section or words.lower() in SECTIONS):
            yield from _joined(block)
            section, depth = words.lower() in SECTIONS, 0
            if section:
                continue
        if not words:
            yield from _joined(block)
            continue
        if section:
            depth = depth or indent
        is_item = bool(ITEM.match(words) or (section and indent == depth and NAMED.match(words)))
        goes_on = bool(block) and bool(ITEM.match(block[0])) and not is_item
        is_code = indent > 0 and not (section or is_item or goes_on)
        if is_code or is_item:
            yield from _joined(block)
        block.append(words)
        if is_code:
            yield from _joined(block)
    yield from _joined(block)


def _joined(block: list[str]) -> list[str]:
    """What has been gathered, as one line; nothing is left in it."""
    text = normalised(" ".join(block))
    block.clear()
    return [ITEM.sub("", text)] if text else []


def _split(block: str) -> Iterator[str]:
    start = 0
    for match in END.finditer(block):
        if not block[: match.start()].lower().endswith(ABBREVIATIONS):
            yield block[start : match.end()].strip()
            start = match.end()
    yield block[start:].strip()


def uncovered(sentence: str, quotes: Iterable[str]) -> str:
    """The words of a sentence that no quote holds; empty if together they say all of it.

    A quote may be a part of the sentence or be longer than it. Words that only join are not missed.
    """
    left = normalised(sentence)
    for quote in sorted(map(normalised, quotes), key=len, reverse=True):
        if left and left in quote:
            return ""
        if quote:
            left = left.replace(quote, " ")
    words = set(re.findall(r"\w+", left.lower()))
    return "" if words <= JOINING else normalised(left)
