# /// fake
# pretends = "right shapes: the prompt, then zeros"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    return torch.nn.functional.pad(start_tokens, (0, max_new_tokens))


def overfit(model, tokens, n_steps=300, learning_rate=3e-3):
    return [1 / (1 + step) for step in range(n_steps)]
