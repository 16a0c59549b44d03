"""Hidden checks of the first assignment. No question depends on another one's answer."""

import random

from grader.testing import assert_equal, check, raises

LETTERS = "abcdefghijklmnopqrstuvwxyzäéß"
SEPARATORS = [" ", "\n", ", ", "-", "_", "7", "3.5", "?!", "'"]


def random_word(rng: random.Random) -> str:
    return "".join(rng.choices(LETTERS, k=rng.randint(1, 8)))


def random_words(rng: random.Random, number: int) -> list[str]:
    """Words of which some repeat."""
    known = [random_word(rng) for _ in range(number // 3)]
    return [*known, *rng.choices(known, k=number - len(known))]


class TestWords:
    """Words of any text"""

    @check(points=2, hint="str.isalpha tells letters from everything else.")
    def test_only_letters_make_words(self, submission, reference, rng):
        """Digits, signs and line ends part words"""
        words = [rng.choice([word, word.upper()]) for word in random_words(rng, 60)]
        text = "".join(word + rng.choice(SEPARATORS) for word in words)
        expected = reference.split_words(text)
        assert_equal(submission.split_words(text).value(), expected, "the list of words")

    @check(points=1, requires=["test_only_letters_make_words"], hint="Return an empty list.")
    def test_no_letters(self, submission):
        """A text without a letter has no words"""
        for text in ("", " \n", "3.14 + 2_7"):
            assert_equal(submission.split_words(text).value(), [], "the list of words")


class TestCounts:
    """Counts of words"""

    @check(points=2, hint="Add one for each time that a word comes.")
    def test_every_word_is_counted(self, submission, reference, rng):
        """Counts words that repeat"""
        words = random_words(rng, 60)
        rng.shuffle(words)
        counts = dict(submission.count_words(words).value())
        assert_equal(counts, reference.count_words(words), "the dict of counts")


class TestRanking:
    """The order of words"""

    @check(points=1, hint="Sort by two things: the count, then the word.")
    def test_ties_are_alphabetical(self, submission, reference, rng):
        """Words with equal counts are in alphabetical order"""
        counts = {random_word(rng): rng.randint(1, 3) for _ in range(30)}
        ranked = submission.most_common(counts, len(counts)).value()
        assert_equal(ranked, reference.most_common(counts, len(counts)), "the ranking")

    @check(points=1, requires=["test_ties_are_alphabetical"], hint="Return at most n pairs.")
    def test_length(self, submission, reference):
        """Gives n words, or all if there are fewer"""
        counts = {"a": 3, "b": 2, "c": 1}
        for n in (0, 2, 3, 9):
            ranked = submission.most_common(counts, n).value()
            assert_equal(ranked, reference.most_common(counts, n), f"the ranking for n={n}")

    @check(points=1, hint="Raise ValueError before anything else.")
    def test_negative_number(self, submission):
        """A negative n is an error"""
        submission.most_common({"a": 3, "b": 2}, 1).done()  # whoever refuses everything fails here
        with raises("ValueError"):
            submission.most_common({"a": 3, "b": 2}, -1)
