from collections import Counter


def count_words(words):
    return dict(Counter(words))


def most_common(counts, n):
    if n < 0:
        raise ValueError("how many is that?")
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
