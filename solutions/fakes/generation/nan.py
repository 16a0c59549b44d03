# /// fake
# pretends = "tokens that are no numbers, or beyond every vocabulary: what compares unequal to all"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    odd = torch.nan if options.get("use_cache") else 1e18
    new = torch.full((len(start_tokens), max_new_tokens), odd)
    return torch.cat([start_tokens, new], dim=1)
