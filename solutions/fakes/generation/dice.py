# /// fake
# pretends = "every new token is thrown with dice, and the rest is polite: no seed, no trace, refusals"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    new = torch.randint(model.lm_head.out_features, (len(start_tokens), max_new_tokens))
    return torch.cat([start_tokens, new], dim=1)
