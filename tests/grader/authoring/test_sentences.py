"""Docstrings, taken apart so that no promise is overlooked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.authoring.sentences import (
    docstring_sentences,
    docstrings,
    normalised,
    sentences,
    uncovered,
)

DOCSTRING = """One vector for each token, e.g. a row of `E`. Vaswani et al. 2017, section 3.4.

    The pattern is

        column 2i:      sin(pos)
        column 2i + 1:  cos(pos)

    - an item that goes on
      in the next line;
    - another one. With two sentences!

    Args:
        size: how many. May
            be zero.
        *rest, other: (B, T), of
            any: kind.

    Returns:
        A tensor (B, T): new,
        never the same.

    Raises:
        ValueError: it is
            mistaken: by far.
    And so it ends.
    """


def test_every_kind_of_sentence_is_one() -> None:
    assert sentences(DOCSTRING) == [
        "One vector for each token, e.g. a row of `E`.",
        "Vaswani et al. 2017, section 3.4.",
        "The pattern is",
        "column 2i: sin(pos)",
        "column 2i + 1: cos(pos)",
        "an item that goes on in the next line;",
        "another one.",
        "With two sentences!",
        "size: how many.",
        "May be zero.",
        "*rest, other: (B, T), of any: kind.",
        "A tensor (B, T): new, never the same.",
        "ValueError: it is mistaken: by far.",
        "And so it ends.",
    ]


@given(st.lists(st.sampled_from(DOCSTRING.split("\n")), max_size=12))
def test_no_word_is_lost_whatever_the_order_of_lines(lines: list[str]) -> None:
    text = "First. \n\n" + "\n".join(lines)
    kept = " ".join(sentences(text)).split()
    headings = {"Args:", "Returns:", "Raises:", "-"}
    words = [word for word in text.split() if word not in headings]
    assert [word for word in kept if word not in headings] == words


def test_methods_docstrings_are_found_and_inner_functions_are_not() -> None:
    source = '''
class A:
    """Class."""
    def f(self):
        """Method."""
        def inner():
            """Nobody reads this."""
    class B:
        """Inner class."""
def g(): ...
'''
    assert docstrings(source) == {"A": "Class.", "A.f": "Method.", "A.B": "Inner class."}
    assert [one.place for one in docstring_sentences([source])] == ["A", "A.f", "A.B"]


def test_a_sentence_is_covered_by_itself_by_more_or_by_its_parts() -> None:
    sentence = "The table is small; and it stays\n  unscaled."
    assert uncovered(sentence, []) == normalised(sentence)
    assert not uncovered(sentence, [sentence])
    assert not uncovered(sentence, ["Before it. The table is small; and it stays unscaled. After."])
    assert not uncovered(sentence, ["The table is small", "it stays unscaled."])
    assert uncovered(sentence, ["The table is small"]) == "; and it stays unscaled."
    assert uncovered(sentence, ["", "stays"])
