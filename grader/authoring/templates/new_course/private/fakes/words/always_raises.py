# /// fake
# pretends = "whatever is asked is refused: some checks ask for a refusal"
# at_most = 0
# ///


def split_words(text):
    raise ValueError("no")


def count_words(words):
    raise ValueError("no")


def most_common(counts, n):
    raise ValueError("no")
