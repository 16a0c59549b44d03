"""Public checks of the first assignment: students have this file too."""

from grader.testing import assert_equal, check


class TestExamples:
    """Small examples"""

    @check(points=1, hint="Words are in lower case and hold letters only.")
    def test_words_of_a_sentence(self, submission):
        """To be, or not to be: that has six words"""
        words = submission.split_words("To be, or not to be!").value()
        assert_equal(words, ["to", "be", "or", "not", "to", "be"], "the list of words")

    @check(points=1, hint="The word with the highest count comes first.")
    def test_most_common_word(self, submission):
        """Finds the most common of two words"""
        best = submission.most_common({"or": 1, "be": 2}, 1).value()
        assert_equal(best, [("be", 2)], "the most common word")
