# %% [markdown]
# # 1 · Counting words
#
# Say here what this is about.

# %% solution
def answer() -> int:
    """Say here what it returns: students read this, and get a stub of the rest."""
    return 42


# %% check public question=answer points=1
from grader.testing import assert_equal


def test_answer(submission):
    """The answer is right"""
    assert_equal(submission.answer().value(), 42, "the answer")


# %% mutant wrong_answer loses=answer replace="42" by="41"
