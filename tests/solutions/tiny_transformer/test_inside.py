"""What is seen inside a model."""

import torch

from solutions.tiny_transformer import TinyTransformerLM, induction_scores, logit_lens


def test_a_head_that_looks_behind_the_last_like_token_scores_1():
    period, seq_len = 3, 8
    head = torch.zeros(seq_len, seq_len)
    for query in range(period, seq_len):
        head[query, query - period + 1] = 1
    weights = torch.stack([head, torch.full_like(head, 0.25)]).unsqueeze(0)  # (1, 2, T, T)
    assert induction_scores([weights, weights], period).tolist() == [[1, 0.25]] * 2


def test_the_last_state_is_scored_as_the_model_does():
    torch.manual_seed(0)
    model = TinyTransformerLM(10, 16, 2, 3, 32, max_len=20).eval()
    logits, states = model(torch.randint(10, (2, 7)), return_hidden_states=True)
    seen = logit_lens(model, states)
    assert seen.shape == (4, 2, 7, 10)
    assert torch.allclose(seen[-1], logits)
