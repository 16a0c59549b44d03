# /// fake
# pretends = "a text that depends on the prompt alone, each time the same; no model is looked at"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    steps = torch.arange(1, max_new_tokens + 1)
    new = (start_tokens.sum(dim=1, keepdim=True) + 7 * steps) % model.vocab_size
    return torch.cat([start_tokens, new], dim=1)
