"""What stands in for an answer that is missing does so while it is asked, and no longer."""

import pytest
import torch

from course.checks.stand_ins import class_of, most_probable, with_most_probable

NAMES = """
class Writer:
    def write(self):
        return sample(1)

def write(logits):
    return sample(logits, 1.0, top_k=3)

method = Writer.write
"""


@pytest.fixture
def notebook():
    names: dict = {}
    exec(NAMES, names)
    return names


def test_the_best_of_each_row_is_taken(notebook):
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 1.0]])
    assert with_most_probable(notebook["write"], "sample")(logits).tolist() == [1, 0]


def test_a_name_that_was_missing_is_missing_again(notebook):
    with_most_probable(notebook["write"], "sample")(torch.zeros(1, 2))
    assert "sample" not in notebook


def test_what_the_notebook_had_is_back_also_after_an_error(notebook):
    def own(*_):
        return None

    notebook["sample"] = own
    with pytest.raises(AttributeError):
        with_most_probable(notebook["write"], "sample")("no logits")
    assert notebook["sample"] is own


def test_what_wraps_a_function_is_seen_through(notebook):
    wrapped = torch.no_grad()(notebook["write"])
    assert with_most_probable(wrapped, "sample")(torch.eye(2)).tolist() == [0, 1]


def test_the_class_of_a_method_is_found(notebook):
    assert class_of(notebook["method"]) is notebook["Writer"]
    with pytest.raises(LookupError):
        class_of(notebook["write"])


def test_whatever_else_is_asked_makes_no_difference():
    assert most_probable(torch.eye(3), 0.5, top_p=0.1).tolist() == [0, 1, 2]
