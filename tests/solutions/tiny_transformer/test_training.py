"""Overfitting, judged by the text that comes back."""

import math

import pytest
import torch

from solutions.tiny_transformer import (
    TinyTransformerLM,
    adamw_step,
    clip_gradients,
    generate,
    overfit,
    train,
    validation_loss,
)

TEXT = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4])


def build() -> TinyTransformerLM:
    torch.manual_seed(0)
    return TinyTransformerLM(10, 16, 2, 1, 32, max_len=20, dropout=0.0)


def test_the_text_comes_back():
    model = build()
    losses = overfit(model, TEXT, n_steps=120, learning_rate=1e-2)
    assert len(losses) == 120
    assert losses[0] > 2 > 0.5 > losses[-1]
    assert generate(model, TEXT[:2].unsqueeze(0), 18, temperature=0)[0].equal(TEXT)


def test_gradients_that_there_are_not_have_no_length():
    assert clip_gradients(build().parameters(), 1.0) == 0.0


def test_training_flags_are_put_back_and_the_text_is_left_alone():
    model, text = build().eval(), TEXT.clone()
    model.blocks[0].train()
    overfit(model, text, n_steps=1)
    assert not model.training
    assert model.blocks[0].training
    assert text.equal(TEXT)


def test_steps_are_those_of_torch():
    torch.manual_seed(0)
    ours, theirs = (torch.nn.Linear(3, 2).double() for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimizer, state = torch.optim.AdamW(theirs.parameters(), lr=0.1, weight_decay=0.3), {}
    for _ in range(5):
        x = torch.randn(4, 3, dtype=torch.float64)
        for layer in (ours, theirs):
            layer.zero_grad()
            (layer(x) ** 2).mean().backward()
        adamw_step(ours.parameters(), state, 0.1, weight_decay=0.3)
        optimizer.step()
    assert torch.allclose(ours.weight, theirs.weight)


def test_gradients_are_clipped_as_torch_does():
    ours, theirs = (torch.nn.Parameter(torch.zeros(3)) for _ in range(2))
    for parameter in (ours, theirs):
        parameter.grad = torch.tensor([3.0, 0.0, 4.0])
    assert clip_gradients([ours], 2.0) == torch.nn.utils.clip_grad_norm_([theirs], 2.0) == 5
    assert torch.allclose(ours.grad, theirs.grad)


def test_the_loss_of_pieces_is_that_of_one_model_in_a_text_of_any_length():
    class Uniform(torch.nn.Module):
        def forward(self, tokens):
            assert tokens.size(1) <= 4
            return torch.zeros(*tokens.shape, 8), None

    for length in (2, 5, 6, 9):
        tokens = torch.arange(length) % 8
        assert validation_loss(Uniform(), tokens, 4) == pytest.approx(math.log(8))


def test_training_on_a_cycle_leaves_nothing_to_guess():
    torch.manual_seed(0)
    model = TinyTransformerLM(5, 16, 2, 1, 32, max_len=8, dropout=0.0)
    text, told = torch.arange(60) % 5, []
    losses = train(model, text, 40, 8, 8, 3e-2, told.append)
    assert told == list(range(40))
    assert losses[0] > 1.2 > 0.2 > losses[-1]
    assert validation_loss(model.eval(), torch.arange(23) % 5, 8) < 0.2
