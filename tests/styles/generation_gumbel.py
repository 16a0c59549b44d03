"""Gumbel noise and argmax on a text allocated in advance; limits as masks on sorted logits."""

from __future__ import annotations

import math
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn


@contextmanager
def writing(model: nn.Module):
    modes = {name: module.training for name, module in model.named_modules()}
    enabled = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        yield model.train(False)
    finally:
        torch.set_grad_enabled(enabled)
        for name, module in model.named_modules():
            module.training = modes[name]


def limit(logits, top_k, top_p, min_p):
    ranked, order = torch.sort(logits, dim=-1, descending=True)
    probabilities = torch.softmax(ranked, dim=-1)
    drop = torch.zeros_like(ranked, dtype=torch.bool)
    if top_k:
        drop[:, top_k:] = True
    if top_p is not None and top_p < 1.0:
        drop[:, 1:] |= probabilities.cumsum(-1)[:, :-1] >= top_p
    if min_p:
        drop |= probabilities < min_p * probabilities[:, :1]
    return logits.masked_fill(torch.zeros_like(drop).scatter_(1, order, drop), float("-inf"))


class Cache:
    def __init__(self, model):
        self.model, self.kv, self.length = model, {}, 0

    def logits(self, tokens):
        model, new = self.model, tokens[:, self.length :]
        x = model.embedding(tokens)[:, -new.size(1) :]
        bias = torch.zeros(new.size(1), tokens.size(1), device=x.device, dtype=x.dtype)
        bias.masked_fill_(torch.ones_like(bias).triu(1 + self.length).bool(), float("-inf"))
        for i, block in enumerate(model.blocks):
            layer, attention = block.layer, block.layer.self_attn
            w, b = attention.in_proj_weight, attention.in_proj_bias
            qkv = (layer.norm1(x) @ w.T + b).view(*x.shape[:2], 3, attention.num_heads, -1)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            if i in self.kv:
                k, v = (torch.cat(pair, dim=2) for pair in zip(self.kv[i], (k, v), strict=True))
            self.kv[i] = (k, v)
            scores = torch.einsum("bhnd,bhtd->bhnt", q, k) * q.size(-1) ** -0.5 + bias
            mixed = torch.einsum("bhnt,bhtd->bnhd", scores.softmax(-1), v).reshape(x.shape)
            x = x + attention.out_proj(mixed)
            x = x + layer._ff_block(layer.norm2(x))
        self.length = tokens.size(1)
        return model.lm_head(model.ln_f(x))[:, -1]


def generate(
    model: nn.Module,
    start_tokens: torch.Tensor,
    max_new_tokens: int,
    temperature: float = 1.0,
    *,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    use_cache: bool = False,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    batch, length = start_tokens.shape
    for wrong, what in (
        (temperature < 0, f"temperature is {temperature}"),
        (max_new_tokens < 0, f"{max_new_tokens} tokens"),
        (length == 0, "an empty prompt"),
        (top_k is not None and top_k < 1, f"{top_k=}"),
        (top_p is not None and not 0 < top_p <= 1, f"{top_p=}"),
        (min_p is not None and not 0 <= min_p <= 1, f"{min_p=}"),
    ):
        if wrong:
            raise ValueError(what)
    text = start_tokens.new_zeros(batch, length + max_new_tokens)
    text[:, :length] = start_tokens
    with writing(model):
        cache = Cache(model)
        for end in range(length, length + max_new_tokens):
            if use_cache and end <= model.max_len:
                scores = cache.logits(text[:, :end])
            else:
                scores = model(text[:, max(0, end - model.max_len) : end])[0].select(1, -1)
            if temperature:
                scores = limit(scores.double() / temperature, top_k, top_p, min_p)
                scores = scores - torch.empty_like(scores).exponential_(generator=generator).log()
            text[:, end] = scores.max(dim=-1).indices
    return text


def overfit(model, tokens, n_steps=200, learning_rate=1e-2):
    modes = {module: module.training for module in model.modules()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
    criterion = nn.CrossEntropyLoss()
    losses = torch.zeros(n_steps)
    for step in range(n_steps):
        model.train()
        loss = criterion(model(tokens[:-1].view(1, -1))[0].squeeze(0), tokens[1:])
        losses[step] = loss.detach()
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    for module, mode in modes.items():
        module.training = mode
    return losses.tolist()


def get_batch(tokens, batch_size, length):
    if tokens.shape[0] < length + 1:
        raise ValueError("the text is too short")
    windows = tokens.unfold(0, length + 1, 1)  # every piece there is
    pieces = windows[torch.randint(0, len(windows), [batch_size])]
    return [pieces[:, :length], pieces[:, 1:]]


def cross_entropy(logits, targets, ignore_index=-100):
    return F.nll_loss(
        logits.log_softmax(-1).flatten(0, 1), targets.flatten(), ignore_index=ignore_index
    )


def clip_gradients(parameters, max_norm):
    return torch.nn.utils.clip_grad_norm_(parameters, max_norm).item()


def adamw_step(parameters, state, learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    if not state:
        state["torch's"] = torch.optim.AdamW(parameters, foreach=False)
    (group,) = state["torch's"].param_groups
    group.update(lr=learning_rate, betas=betas, eps=eps, weight_decay=weight_decay)
    state["torch's"].step()


def learning_rate_at(step, n_steps, peak, warmup=0, floor=0.0):
    if step < warmup:
        return peak / warmup * (step + 1)
    if step >= n_steps:
        return floor
    turn = math.sin(math.pi / 2 * (step - warmup) / (n_steps - warmup)) ** 2
    return peak * (1 - turn) + floor * turn


@torch.inference_mode()
def validation_loss(model, tokens, length):
    total = 0
    pairs = zip(tokens[:-1].split(length), tokens[1:].split(length), strict=True)
    for inputs, targets in pairs:
        log_p = model(inputs[None])[0].log_softmax(-1)[0]
        total = total - log_p.gather(1, targets[:, None]).sum()
    return total.item() / (len(tokens) - 1)


def train(
    model, tokens, n_steps=500, batch_size=16, length=24, peak=1e-2, after_step=lambda step: None
):
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_at(step, n_steps, 1.0, n_steps // 10)
    )
    losses = []
    for step in range(n_steps):
        inputs, targets = get_batch(tokens, batch_size, length)
        loss = F.cross_entropy(model(inputs)[0].mT, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        after_step(step)
    return losses


def induction_scores(weights, period):
    rows = []
    for layer in weights:
        t = torch.arange(period, layer.size(-1))
        rows.append(layer[:, :, t, t - period + 1].mean(dim=(0, 2)))
    return torch.stack(rows)


def logit_lens(model, hidden_states):
    return model.lm_head(model.ln_f(torch.stack(list(hidden_states))))
