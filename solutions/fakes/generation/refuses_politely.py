# /// fake
# pretends = "a negative temperature is refused, nothing new is the prompt, and all else is one token"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    new = torch.full((start_tokens.size(0), max_new_tokens), 5)
    return torch.cat([start_tokens.clone(), new], dim=1)
