"""Row by row and token by token, with Python's own random numbers and inference mode."""

import math
import random

import torch
import torch.nn.functional as F


def _check(temperature, max_new_tokens, length, top_k=None, top_p=None, min_p=None):
    if temperature < 0 or max_new_tokens < 0 or length == 0:
        raise ValueError("a temperature or a number below 0, or nothing to continue")
    if (top_k is not None and top_k <= 0) or (top_p is not None and not 0 < top_p <= 1):
        raise ValueError("top_k or top_p")
    if min_p is not None and (min_p < 0 or min_p > 1):
        raise ValueError("min_p")


def _choose(chance, logits, temperature, top_k=None, top_p=None, min_p=None):
    if temperature == 0:
        return max(range(len(logits)), key=logits.__getitem__)
    best = max(logits)
    weights = [math.exp((x - best) / temperature) for x in logits]
    total = math.fsum(weights)
    ranked = sorted(((w / total, i) for i, w in enumerate(weights)), reverse=True)
    if top_k is not None:
        ranked = ranked[:top_k]
    if top_p is not None:
        kept, mass = [], 0.0
        for p, i in ranked:
            if mass >= top_p and top_p < 1:
                break
            kept.append((p, i))
            mass += p
        ranked = kept
    if min_p is not None:
        ranked = [(p, i) for p, i in ranked if p >= min_p * ranked[0][0]]
    return chance.choices([i for _, i in ranked], [p for p, _ in ranked])[0]


@torch.inference_mode()
def generate(
    model, start_tokens, max_new_tokens, temperature=1.0, use_cache=False, generator=None, **limits
):
    _check(temperature, max_new_tokens, start_tokens.shape[1], **limits)
    chance = random
    if generator is not None:
        seed = torch.randint(2**62, (), generator=generator, device=generator.device)
        chance = random.Random(int(seed))
    training = [module for module in model.modules() if module.training]
    try:
        model.eval()
        rows = start_tokens.tolist()
        for _ in range(max_new_tokens):
            window = torch.tensor([r[-model.max_len :] for r in rows], device=start_tokens.device)
            for row, logits in zip(rows, _last_logits(model, window, use_cache), strict=True):
                row.append(_choose(chance, logits.tolist(), temperature, **limits))
    finally:
        for module in training:
            module.training = True
    return start_tokens.new_tensor(rows)


_memory = {}


def _last_logits(model, window, use_cache):
    """Remembers what each block's norm gave: keys and values come from it, the rest is skipped."""
    n = window.size(1)
    if not use_cache:
        return model(window)[0][:, -1]
    old, inputs = _memory.get("read"), _memory.get("inputs")
    fresh = old is None or old.shape[0] != window.shape[0] or old.size(1) + 1 != n
    fresh = fresh or _memory["model"] is not model
    if fresh or not torch.equal(old, window[:, :-1]):
        old, inputs = None, [None] * model.n_layers
    done = 0 if old is None else n - 1
    mask = torch.full((n, n), -math.inf, device=window.device).triu(1)[done:]
    x = model.embedding(window)[:, done:]
    for number, block in enumerate(model.blocks):
        layer = block.layer
        normed = layer.norm1(x)
        seen = normed if inputs[number] is None else torch.cat([inputs[number], normed], 1)
        inputs[number] = seen
        mixed, _ = layer.self_attn(
            normed, seen, seen, attn_mask=mask.to(x.dtype), need_weights=False
        )
        x = x + mixed
        x = x + layer.linear2(F.gelu(layer.linear1(layer.norm2(x))))
    _memory.update(read=window, inputs=inputs, model=model)
    return model.lm_head(model.ln_f(x[:, -1]))


def overfit(model, tokens, n_steps=250, learning_rate=2e-3):
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, betas=(0.9, 0.98))
    losses = []
    resting = [module for module in model.modules() if not module.training]
    model.train()
    for _ in range(n_steps):
        optimizer.zero_grad(set_to_none=True)
        logits, _ = model(tokens[None, :-1])
        loss = F.nll_loss(logits[0].log_softmax(-1), tokens[1:])
        loss.backward()
        optimizer.step()
        losses += [float(loss)]
    for module in resting:
        module.training = False
    return losses
