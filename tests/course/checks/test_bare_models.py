"""A model with nothing to ask but logits, and one that fails when it has been asked enough."""

import pytest
import torch

from course.checks.bare_models import BareModel, failing
from course.parts import TinyTransformerLM


def test_a_bare_model_is_sure_of_one_token_after_each():
    model = BareModel(11, 3, 2, max_len=5)
    logits, _ = model(torch.tensor([[0, 4, 10]]))
    assert logits.argmax(-1).tolist() == [[2, 3, 10]]
    assert logits.softmax(-1).amax() == 1
    assert (list(model.parameters()), list(model.children())) == ([], [])


def test_a_model_fails_after_so_many_calls_until_that_is_undone():
    model = TinyTransformerLM(5, 4, 1, 1, 8, max_len=4).eval()
    hooks = failing(model, 2)
    model(torch.zeros(1, 1, dtype=torch.long))
    with pytest.raises(RuntimeError, match="the model fails"):
        model(torch.zeros(1, 1, dtype=torch.long))
    for hook in hooks:
        hook.remove()
    model(torch.zeros(1, 1, dtype=torch.long))
