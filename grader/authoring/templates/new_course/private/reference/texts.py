"""The right answers. Notebooks take their solution cells from here, by name."""


def split_words(text: str) -> list[str]:
    """Return the words of a text in their order, in lower case.

    A word is a run of letters (`str.isalpha`), as long as possible; all else parts words.
    """
    spaced = (sign if sign.isalpha() else " " for sign in text.lower())
    return "".join(spaced).split()


def count_words(words: list[str]) -> dict[str, int]:
    """Return how often each word occurs."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(counts: dict[str, int], n: int) -> list[tuple[str, int]]:
    """Return the n most common words with their counts, or all if there are fewer.

    Highest counts come first; words with the same count are in alphabetical order.

    Raises:
        ValueError: n is negative.
    """
    if n < 0:
        raise ValueError("n must not be negative")
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ranked[:n]
