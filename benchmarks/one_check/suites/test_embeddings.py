"""One check that costs nothing."""

from grader.testing import SubmissionNames, check


class TestExists:
    """It exists"""

    @check(points=1)
    def test_exists(self, submission: SubmissionNames) -> None:
        """The class can be built"""
        submission.TransformerEmbedding(vocab_size=5, d_model=4)
