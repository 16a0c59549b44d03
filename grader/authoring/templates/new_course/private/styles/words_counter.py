"""Right answers with what the standard library offers: all of them get full marks."""

from collections import Counter
from itertools import groupby


def split_words(text):
    runs = groupby(text.lower(), str.isalpha)
    return ["".join(letters) for is_word, letters in runs if is_word]


def count_words(words):
    return dict(Counter(words))


def most_common(counts, n):
    if n < 0:
        raise ValueError(n)
    by_word = sorted(counts.items())
    by_word.sort(key=lambda pair: pair[1], reverse=True)
    return by_word[:n]
