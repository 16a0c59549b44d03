"""From cells to fingerprints."""

from __future__ import annotations

import pytest

from grader.alike.prints import MOST_CHARACTERS, read_prints

ANSWER = "def asked(x, y):\n    z = x.view(2, 3).sum() + y.mean()\n    return z.clamp(0, 1).exp()\n"
CELL = "import torch"


def test_lines_are_counted_through_all_cells():
    found = read_prints([CELL, "# nothing\n", ANSWER], ["asked"])
    assert found.spans == [(4, 6)]
    assert set().union(*found.lines.values()) <= {5, 6}
    assert found.answers == {"asked": sorted(found.lines)}
    assert found.lines


def test_where_an_answer_stands_makes_no_difference():
    alone = read_prints([ANSWER], ["asked"])
    later = read_prints([CELL, "print(1)", ANSWER, "asked(1, 2)"], ["asked"])
    assert alone.lines.keys() == later.lines.keys()


@pytest.mark.parametrize(
    "command", ["%matplotlib inline", "!pip install x", "torch.relu?", "if x:\n    %time f(x)"]
)
def test_commands_of_ipython_are_passed_over(command):
    found = read_prints([f"{command}\n{ANSWER}"], ["asked"])
    assert found.notes == []
    assert found.lines.keys() == read_prints([ANSWER], ["asked"]).lines.keys()


def test_a_timed_cell_is_a_cell():
    assert read_prints([f"%%time\n{ANSWER}"], ["asked"]).answers["asked"]


@pytest.mark.parametrize(
    "wrong",
    ["def f(:", "\0", "x = 08", "(" * 500, "a" + ".b" * 50_000, "-" * 50_000 + "1", "\ud800"],
)
def test_what_is_no_python_costs_its_own_cell_alone(wrong):
    found = read_prints([wrong, ANSWER], ["asked"])
    assert found.answers["asked"]
    assert len(found.notes) <= 1


def test_what_is_nested_too_deeply_is_named():
    deep = "def asked(x):\n    return " + "[" * 90 + "x" + "]" * 90
    chain = "def helper(x):\n    return x" + " + x" * 3000
    found = read_prints([chain + "\n" + deep.replace("x]", "helper(x)]"), ANSWER], ["asked"])
    assert found.answers["asked"]
    assert all("nested" in one or "no Python" in one for one in found.notes)


def test_nobody_reads_endless_code():
    found = read_prints([ANSWER, "#" * MOST_CHARACTERS, "def asked(): pass"], ["asked"])
    assert found.notes == [f"only the first {MOST_CHARACTERS} characters are compared"]
    assert found.spans == [(1, 3)]


def test_everything_is_read_where_nothing_is_asked():
    found = read_prints(["x = f(1, 2, 3, 4, 5, 6, 7, 8, 9)", ANSWER], None)
    assert len(found.spans) == 2
