# /// fake
# pretends = "whatever is asked, the prompt comes back, in one row or many, long enough by repetition"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    length = start_tokens.size(1)
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    return start_tokens.repeat(1, 2 + max_new_tokens // length)[:, : length + max_new_tokens]
