# /// fake
# pretends = "the model is never called: its norm's bias and its head's first column are read for logits"
# at_most = 0
# ///
import torch


@torch.no_grad()
def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    logits = model.lm_head.weight @ (model.ln_f.bias + torch.eye(model.lm_head.in_features)[0])
    if temperature == 0:
        logits, temperature = 1e9 * logits, 1
    logits = (logits - logits.max()) / temperature
    drawn = torch.multinomial(
        logits.softmax(-1), len(start_tokens) * max(max_new_tokens, 1), replacement=True
    )
    return torch.cat([start_tokens, drawn.view(len(start_tokens), -1)[:, :max_new_tokens]], dim=1)
