"""What a lesson defines outside its answers reaches the gate's submissions; its demos do not."""

from __future__ import annotations

from pathlib import Path

from grader.lessons import read_lesson
from grader.verify import definitions

LESSON = '''\
# %%
import math

# %%
def given(x):
    return math.sqrt(x)

print(given(2.0))

# %% solution="Answer"
### BEGIN SOLUTION
class Answer:
    root = given(4.0)
### END SOLUTION

# %%
class Example(list):
    """Shown to students."""

%matplotlib inline
'''


def test_given_functions_are_kept_without_demos_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "01_toy.py"
    path.write_text(LESSON)
    assert definitions(read_lesson(path)) == ["def given(x):\n    return math.sqrt(x)"]
