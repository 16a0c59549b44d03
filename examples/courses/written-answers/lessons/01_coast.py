# %% [grader]
# title = "The length of a coast"
# questions.length = "The length of a line"
#
# [[manual]]
# id = "why_longer"
# title = "Why does a shorter ruler give a longer coast?"
# points = 4
#
# [[manual.rubric]]
# id = "detail"
# text = "Says that a shorter ruler follows bays that a longer one cuts off"
# points = 2
#
# [[manual.rubric]]
# id = "bound"
# text = "Says that the length may grow without bound"
# points = 2
#
# [[manual.rubric]]
# id = "circular"
# text = "Explains it by itself: “because it is longer”"
# points = -1
#
# [[manual]]
# id = "own_line"
# title = "A line of your own"
# points = 1
# bonus = true

# %% [markdown]
# # The length of a coast
#
# In 1951 Lewis Fry Richardson compared what Spain and Portugal said of the length of their border: 987 km and
# 1214 km. Both had measured well. They had used rulers of different lengths.
#
# ## 1 · The length of a line
#
# A line is a list of points `(x, y)`. Add up the distances from each point to the next: `math.dist` gives one.

# %%
import math

# %% solution
def length(line: list[tuple[float, float]]) -> float:
    """Return the sum of the distances from each point to the next; 0.0 for fewer than two points."""
    return float(sum(math.dist(a, b) for a, b in zip(line, line[1:])))


# %% check public question=length points=1
from grader.testing import assert_close


def test_a_right_angle(submission):
    """Three to the right and four up are seven

    Hint: Add the distance from each point to the next.
    """
    assert_close(submission.length([(0, 0), (3, 0), (3, 4)]).value(), 7.0, "the length")


# %% check hidden question=length points=2
def test_any_line(submission, reference, rng):
    """A line of any points

    Hint: math.dist(a, b) is the distance of two points.
    """
    line = [(rng.uniform(-9, 9), rng.uniform(-9, 9)) for _ in range(20)]
    assert_close(submission.length(line).value(), reference.length(line), "the length")


def test_a_point_has_no_length(submission):
    """A single point, and no point at all, have no length"""
    for line in ([(1, 2)], []):
        assert_close(submission.length(line).value(), 0.0, "the length")


# %% mutant around loses=length replace="zip(line, line[1:])" by="zip(line, line[1:] + line[:1])"

# %% mutant first_to_last loses=length
def length(line):
    return math.dist(line[0], line[-1]) if line else 0.0


# %% mutant needs_a_point loses=length
def length(line):
    line[0]
    return float(sum(math.dist(a, b) for a, b in zip(line, line[1:])))


# %% [markdown]
# ## 2 · Why does a shorter ruler give a longer coast?
#
# Explain it in three to six sentences. What happens when the ruler gets shorter and shorter? A person reads this.

# %% [markdown] answer=why_longer
# A long ruler cuts off every bay that is shorter than itself; a shorter one follows it. In each bay there are smaller
# bays, so this goes on: the length grows without bound, until there is no coast any more, but grains of sand.

# %% [markdown]
# ## 3 · A line of your own
#
# Write code that makes a line which gets longer when it is measured more closely. For one point more.

# %% answer=own_line
def koch(a, b, depth):
    """The points of Koch's curve from a to b: each line becomes four of a third of its length."""
    if not depth:
        return [a, b]
    (ax, ay), (bx, by) = a, b
    dx, dy = (bx - ax) / 3, (by - ay) / 3
    peak = (ax + 1.5 * dx - math.sqrt(3) / 2 * dy, ay + 1.5 * dy + math.sqrt(3) / 2 * dx)
    corners = [a, (ax + dx, ay + dy), peak, (bx - dx, by - dy), b]
    lines = (koch(c, d, depth - 1) for c, d in zip(corners, corners[1:]))
    return [a, *(point for line in lines for point in line[1:])]
