"""A stream of tokens from a generator function, on a frozen copy of the model.

Drawn by inverting the distribution function, with a generator of NumPy's own; keys and values go into
room that is there from the beginning; the model itself is never touched.
"""

import collections
import copy
import itertools

import numpy as np
import torch
import torch.nn.functional as F

CHANCE = np.random.default_rng()


def kept(p, top_k=None, top_p=None, min_p=None):
    """Which tokens of one distribution may be drawn."""
    order = np.argsort(-p, kind="stable")
    allowed = np.ones(len(p), dtype=bool)
    if (top_k or 1) < 1 or top_k == 0 or not 0 < (1 if top_p is None else top_p) <= 1:
        raise ValueError(f"{top_k=}, {top_p=}")
    if not 0 <= (min_p or 0) <= 1:
        raise ValueError(f"{min_p=}")
    if min_p is not None:
        allowed &= p >= min_p * p.max()
    if top_k is not None:
        allowed[order[top_k:]] = False
    if top_p is not None and top_p < 1:
        enough = int(np.searchsorted(np.cumsum(p[order]), top_p)) + 1
        allowed[order[enough:]] = False
    return allowed


def choose(chance, logits, temperature, **limits):
    if temperature == 0:
        return logits.argmax()
    p = np.exp((logits - logits.max()) / temperature)
    p /= p.sum()
    edges = np.cumsum(np.where(kept(p, **limits), p, 0.0))
    return np.searchsorted(edges, chance.random() * edges[-1], side="right")


class Reader:
    """Logits of the newest position; `room` holds keys and values of all that came before."""

    def __init__(self, model, batch):
        attention = model.blocks[0].layer.self_attn
        shape = (2, batch, attention.num_heads, model.max_len, attention.head_dim)
        device = attention.in_proj_weight.device
        self.room = [torch.zeros(shape, device=device) for _ in model.blocks]  # of the default type
        self.model, self.end = model, 0

    def __call__(self, tokens):
        start, self.end = self.end, tokens.size(1)
        places = torch.arange(self.model.max_len, device=tokens.device)
        mask = torch.zeros(self.end - start, self.model.max_len, device=tokens.device)
        mask[places > places[start : self.end, None]] = -torch.inf
        x = self.model.embedding(tokens)[:, start:]
        for block, room in zip(self.model.blocks, self.room, strict=True):
            layer, attention = block.layer, block.layer.self_attn
            joint = F.linear(layer.norm1(x), attention.in_proj_weight, attention.in_proj_bias)
            query, *new = joint.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
            room[:, :, :, start : self.end] = torch.stack(new)
            mixed = F.scaled_dot_product_attention(query, *room, attn_mask=mask)
            x = x + attention.out_proj(mixed.transpose(1, 2).flatten(2))
            x = x + layer.linear2(layer.activation(layer.linear1(layer.norm2(x))))
        return self.model.lm_head(self.model.ln_f(x[:, -1]))


def stream(model, prompt, temperature, use_cache, chance, limits):
    """Columns of tokens (B,), without end."""
    window = collections.deque(prompt.unbind(dim=1), maxlen=model.max_len)
    read = Reader(model, len(prompt)) if use_cache else None
    for length in itertools.count(prompt.size(1)):
        seen = torch.stack(tuple(window), dim=1)
        logits = read(seen) if read and length <= model.max_len else model(seen)[0][:, -1]
        rows = logits.double().cpu().numpy()
        chosen = [int(choose(chance, row, temperature, **limits)) for row in rows]
        window.append(torch.tensor(chosen, device=prompt.device))
        yield window[-1]


def generate(
    model,
    start_tokens,
    max_new_tokens,
    temperature=1.0,
    *,
    use_cache=False,
    generator=None,
    **limits,
):
    if temperature < 0 or max_new_tokens < 0 or not start_tokens.size(1):
        raise ValueError(f"{temperature=}, {max_new_tokens=}, {start_tokens.shape=}")
    chance = CHANCE
    if generator is not None:
        key = torch.randint(2**31, (4,), generator=generator, device=generator.device)
        chance = np.random.default_rng(key.tolist())
    frozen = copy.deepcopy(model).eval().requires_grad_(False)
    columns = stream(frozen, start_tokens, temperature, use_cache, chance, limits)
    text = torch.column_stack((start_tokens, *itertools.islice(columns, max_new_tokens)))
    return text.to(start_tokens.dtype)


def overfit(model, tokens, n_steps=250, learning_rate=4e-3):
    optimizer = torch.optim.NAdam(model.parameters(), lr=learning_rate)
    modes = [(module, module.training) for module in model.modules()]
    model.train()

    def closure():
        optimizer.zero_grad()
        logits, _ = model(tokens.expand(2, -1)[:, :-1])
        loss = F.cross_entropy(logits.mT, tokens.expand(2, -1)[:, 1:])
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(n_steps)]
    for module, mode in modes:
        module.training = mode
    return losses


def get_batch(tokens, batch_size, length):
    starts = CHANCE.integers(len(tokens) - length, size=batch_size)  # ValueError if there is none
    grid = starts[:, None] + np.arange(length)
    text = tokens.numpy()
    return torch.from_numpy(text[grid]), torch.from_numpy(text[grid + 1])


def cross_entropy(logits, targets, ignore_index=-100):
    counts = targets.ne(ignore_index)
    one_hot = F.one_hot(targets.where(counts, 0), logits.size(-1))
    losses = -(logits.log_softmax(-1) * one_hot).sum(-1)
    return (losses * counts).sum() / counts.sum()


def clip_gradients(parameters, max_norm):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.cat([each.flatten() for each in gradients]).norm()
    torch._foreach_mul_(gradients, float(torch.where(norm > max_norm, max_norm / norm, 1.0)))
    return float(norm)


def adamw_step(parameters, state, learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    state.setdefault("averages", collections.defaultdict(lambda: [0.0, 0.0]))
    state["products"] = [
        product * beta for product, beta in zip(state.get("products", (1, 1)), betas, strict=True)
    ]
    for p in filter(lambda p: p.grad is not None, parameters):
        both = state["averages"][id(p)]
        for which, (beta, new) in enumerate(zip(betas, (p.grad, p.grad.square()), strict=True)):
            both[which] = (
                torch.as_tensor(both[which]).lerp(new, 1 - beta)
                if torch.is_tensor(both[which])
                else (1 - beta) * new
            )
        m, v = (x / (1 - product) for x, product in zip(both, state["products"], strict=True))
        with torch.no_grad():
            p -= learning_rate * (m / (v.sqrt() + eps) + weight_decay * p)


def learning_rate_at(step, n_steps, peak, warmup=0, floor=0.0):
    x = np.clip((step - warmup) / (n_steps - warmup), 0, 1)
    down = floor + (peak - floor) * np.cos(np.pi * x / 2) ** 2
    return float(down if step >= warmup else peak * (step + 1) / warmup)


def validation_loss(model, tokens, length):
    with torch.no_grad():
        logits = [model(piece.unsqueeze(0))[0][0] for piece in tokens[:-1].split(length)]
        return float(F.cross_entropy(torch.cat(logits), tokens[1:]))


def train(model, tokens, n_steps=600, batch_size=32, length=24, peak=1e-2, after_step=None):
    losses, optimizer = [], torch.optim.AdamW(model.parameters(), weight_decay=0.1)
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, n_steps, peak, n_steps // 10)

        def closure():
            inputs, targets = get_batch(tokens, batch_size, length)
            optimizer.zero_grad()
            loss = cross_entropy(model(inputs)[0], targets)
            loss.backward()
            clip_gradients(model.parameters(), 1.0)
            return loss

        losses.append(optimizer.step(closure).item())
        if after_step is not None:
            after_step(step)
    return losses


def induction_scores(weights, period):
    return torch.stack(
        [torch.diagonal(w[..., period:, 1:], dim1=-2, dim2=-1).mean(-1).mean(0) for w in weights]
    )


def logit_lens(model, hidden_states):
    with torch.no_grad():
        return torch.stack([*map(model.lm_head, map(model.ln_f, hidden_states))])
