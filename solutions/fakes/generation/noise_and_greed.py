# /// fake
# pretends = "logits are noise, of whatever size the temperature asks for; the loop is right"
# at_most = 0
# ///
import torch


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    training = model.training
    model.eval()
    text = start_tokens.clone()
    size = model.lm_head.out_features
    for _ in range(max_new_tokens):
        logits = 1e6 * torch.randn(len(text), size) / max(temperature, 1e-9)
        text = torch.cat([text, torch.multinomial(logits.softmax(-1), 1)], dim=1)
    model.train(training)
    return text
