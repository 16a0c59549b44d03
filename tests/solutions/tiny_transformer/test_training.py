"""Overfitting, judged by the text that comes back."""

import torch

from solutions.tiny_transformer import TinyTransformerLM, generate, overfit

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


def test_training_flags_are_put_back_and_the_text_is_left_alone():
    model, text = build().eval(), TEXT.clone()
    model.blocks[0].train()
    overfit(model, text, n_steps=1)
    assert not model.training
    assert model.blocks[0].training
    assert text.equal(TEXT)
