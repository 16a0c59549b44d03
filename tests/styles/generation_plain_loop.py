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
        mixed, _ = layer.self_attn(normed, seen, seen, attn_mask=mask, need_weights=False)
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


def get_batch(tokens, batch_size, length):
    text, inputs, targets = tokens.tolist(), [], []
    if length >= len(text):
        raise ValueError("nothing to learn from")
    for _ in range(batch_size):
        start = random.randint(0, len(text) - length - 1)
        inputs.append(text[start : start + length])
        targets.append(text[start + 1 : start + length + 1])
    return torch.tensor(inputs), torch.tensor(targets)


def cross_entropy(logits, targets, ignore_index=-100):
    losses = []
    for rows, wanted in zip(logits, targets.tolist(), strict=True):
        for row, target in zip(rows, wanted, strict=True):
            if target != ignore_index:
                top = row.max()
                losses.append((row - top).exp().sum().log() + top - row[target])
    return sum(losses) / len(losses)


def clip_gradients(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    length = math.sqrt(sum(float((p.grad**2).sum()) for p in parameters))
    if length > max_norm:
        for p in parameters:
            p.grad = p.grad * (max_norm / length)
    return length


def adamw_step(parameters, state, learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    for number, p in enumerate(parameters):
        if p.grad is None:
            continue
        n, m, v = state.get(number, (0, 0.0, 0.0))
        n += 1
        m = betas[0] * m + (1 - betas[0]) * p.grad
        v = betas[1] * v + (1 - betas[1]) * p.grad * p.grad
        state[number] = n, m, v
        step = (m / (1 - betas[0] ** n)) / (torch.sqrt(v / (1 - betas[1] ** n)) + eps)
        p.data = p.data - learning_rate * (step + weight_decay * p.data)


def learning_rate_at(step, n_steps, peak, warmup=0, floor=0.0):
    if step < warmup:
        return peak * (step + 1) / warmup
    if step > n_steps:
        step = n_steps
    angle = math.pi * (step - warmup) / (n_steps - warmup)
    return floor + 0.5 * (peak - floor) * (1 + math.cos(angle))


def validation_loss(model, tokens, length):
    total, count = 0.0, 0
    for start in range(0, len(tokens) - 1, length):
        inputs = tokens[start : min(start + length, len(tokens) - 1)]
        logits = model(inputs.view(1, -1))[0][0].detach()
        for place, row in enumerate(logits):
            total -= float(row.log_softmax(0)[tokens[start + place + 1]])
            count += 1
    return total / count


def train(model, tokens, n_steps=600, batch_size=32, length=24, peak=1e-2, after_step=None):
    state, history = {}, []
    for step in range(n_steps):
        inputs, targets = get_batch(tokens, batch_size, length)
        loss = cross_entropy(model(inputs)[0], targets)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        clip_gradients(model.parameters(), 1.0)
        rate = learning_rate_at(step, n_steps, peak, warmup=n_steps // 10)
        adamw_step(model.parameters(), state, rate)
        history.append(float(loss))
        if after_step:
            after_step(step)
    return history


def induction_scores(weights, period):
    scores = torch.zeros(len(weights), weights[0].shape[1])
    for layer, w in enumerate(weights):
        for head in range(w.shape[1]):
            found = [w[:, head, t, t - period + 1].mean() for t in range(period, w.shape[2])]
            scores[layer, head] = sum(found) / len(found)
    return scores


def logit_lens(model, hidden_states):
    return torch.cat([model.lm_head(model.ln_f(h)).unsqueeze(0) for h in hidden_states])
