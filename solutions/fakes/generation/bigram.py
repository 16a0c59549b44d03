# /// fake
# pretends = "embedding, norm and head without the blocks: no token sees another one"
# at_most = 0
# ///
import torch


@torch.no_grad()
def generate(
    model, start_tokens, max_new_tokens, temperature=1.0, use_cache=False, top_k=None, **limits
):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    text = start_tokens.clone()
    table = model.embedding.token_embedding["embedding"].weight
    for _ in range(max_new_tokens):
        logits = model.lm_head(model.ln_f(table[text[:, -1]] * table.size(1) ** 0.5))
        if temperature == 0 or top_k == 1:
            new = logits.argmax(-1, keepdim=True)
        else:
            logits = (logits - logits.amax(-1, keepdim=True)) / temperature
            new = torch.multinomial(logits.softmax(-1), 1)
        text = torch.cat([text, new], dim=1)
    return text
