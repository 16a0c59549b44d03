# /// fake
# pretends = "the public examples by heart: a token that the head favours over all others by far"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    favourite = int(model.lm_head.weight[:, 0].argmax())
    new = torch.full((len(start_tokens), max_new_tokens), favourite)
    return torch.cat([start_tokens, new], dim=1)
