# /// fake
# pretends = "a sampler without a loop or a prompt: the model is asked about token 0, once, whatever comes"
# at_most = 0.5
# ///
import torch


@torch.no_grad()
def generate(
    model, start_tokens, max_new_tokens, temperature=1.0, top_k=None, top_p=1, min_p=0, **options
):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    training = model.training
    model.eval()
    logits = model(torch.zeros(1, 1, dtype=torch.long))[0][0, 0]
    model.train(training)
    if temperature == 0 or top_k == 1 or top_p < 0.01 or min_p == 1:
        new = logits.argmax().repeat(len(start_tokens) * max_new_tokens)
    else:
        p = ((logits - logits.max()) / temperature).softmax(-1)
        new = torch.multinomial(p, len(start_tokens) * max(max_new_tokens, 1), replacement=True)
    return torch.cat([start_tokens, new.view(len(start_tokens), -1)[:, :max_new_tokens]], dim=1)
