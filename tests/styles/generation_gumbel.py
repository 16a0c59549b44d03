"""Gumbel noise and argmax on a text allocated in advance; limits as masks on sorted logits."""

from __future__ import annotations

from contextlib import contextmanager

import torch
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
