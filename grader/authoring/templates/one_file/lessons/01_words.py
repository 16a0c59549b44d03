# %% [grader]
# title = "Counting words"
# questions.ranking = "The order of words"

# %% [markdown]
# # 1 · Counting words
#
# Which words does a text use most? You count them, and put them in order.

# %% solution
def count_words(words: list[str]) -> dict[str, int]:
    """Return how often each word occurs."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


# %% check public question=counts points=1
from grader.testing import assert_equal, raises


def test_small_example(submission):
    """Three words, of which two are the same

    Hint: Look a word up before you add one to its count.
    """
    counts = submission.count_words(["well", "oh", "well"]).value()
    assert_equal(counts, {"well": 2, "oh": 1}, "the dict of counts")


# %% check hidden question=counts points=2
def test_many_words(submission, reference, rng):
    """Counts many words that repeat"""
    words = [rng.choice(["to", "be", "or", "not"]) for _ in range(60)]
    expected = reference.count_words(words)
    assert_equal(submission.count_words(words).value(), expected, "the dict of counts")


# %% mutant counts_once loses=counts replace="counts.get(word, 0) + 1" by="1"
# a word that comes again is not counted

# %% [markdown]
# ## The most common ones


# %% solution
def most_common(counts: dict[str, int], n: int) -> list[tuple[str, int]]:
    """Return the n most common words with their counts, or all if there are fewer.

    Words with the same count are in alphabetical order. Raises ValueError if n is negative.
    """
    if n < 0:
        raise ValueError("n must not be negative")
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ranked[:n]


# %% check hidden question=ranking points=3
def test_ties(submission, reference, rng):
    """Words with equal counts are in alphabetical order

    Hint: Sort by two things: the count, then the word.
    """
    counts = {word: rng.randint(1, 2) for word in ["to", "that", "or", "not", "is", "be"]}
    ranked = submission.most_common(counts, 6).value()
    assert_equal(ranked, reference.most_common(counts, 6), "the ranking")


def test_negative_number(submission):
    """A negative n is an error"""
    submission.most_common({"a": 3}, 1).done()  # whoever refuses everything fails here
    with raises("ValueError"):
        submission.most_common({"a": 3}, -1)


# %% mutant ties_as_they_come loses=ranking replace="(-pair[1], pair[0])" by="-pair[1]"


# %% mutant negative_is_a_slice loses=ranking
# a negative number leaves words out at the end
def most_common(counts, n):
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
