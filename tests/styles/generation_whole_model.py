"""A whole model of one's own, with `generate` as its method that needs the rest of the class."""

import math
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(d_model), nn.LayerNorm(d_model)])
        self.qkv = nn.Conv1d(d_model, 3 * d_model, 1)
        self.out = nn.Linear(d_model, d_model)
        self.mlp = nn.Sequential(
            nn.Linear(d_model, d_ff), nn.GELU(), nn.Linear(d_ff, d_model), nn.Dropout(dropout)
        )
        self.heads, self.dropout = n_heads, nn.Dropout(dropout)

    def forward(self, x, mask=None, return_attention=False, past=None):
        B, T, D = x.shape
        q, k, v = (
            part.view(B, self.heads, D // self.heads, T).mT
            for part in self.qkv(self.norms[0](x).mT).split(D, dim=1)
        )
        if past is not None:
            past.append((k, v))
            k, v = (torch.cat(parts, dim=2) for parts in zip(*past, strict=True))
            past[:] = [(k, v)]
        scores = q @ k.mT / math.sqrt(D // self.heads)
        if mask is not None:
            if mask.dtype == torch.bool:
                scores = scores.masked_fill(~mask, -math.inf)
            else:
                scores = scores + mask
        weights = scores.softmax(-1)
        x = x + self.dropout(self.out((weights @ v).transpose(1, 2).reshape(B, T, D)))
        return x + self.mlp(self.norms[1](x)), weights if return_attention else None


class Embedding(nn.Module):
    def __init__(self, vocab_size, d_model, max_len, dropout):
        super().__init__()
        self.token_embedding = nn.Module()
        self.token_embedding.embedding = nn.Embedding(vocab_size, d_model)
        nn.init.normal_(self.token_embedding.embedding.weight, std=0.02)
        angle = np.arange(max_len)[:, None] / 10000 ** (np.arange(d_model) // 2 * 2 / d_model)
        waves = np.where(np.arange(d_model) % 2, np.cos(angle), np.sin(angle))
        self.register_buffer("waves", torch.from_numpy(waves).float())
        self.scale, self.dropout = d_model**0.5, nn.Dropout(dropout)

    def forward(self, tokens, start=0):
        x = self.token_embedding.embedding(tokens) * self.scale
        return self.dropout(x + self.waves[start : start + tokens.size(1)].to(x))


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.config = SimpleNamespace(vocab_size=vocab_size, max_len=max_len)
        self.max_len = max_len
        self.embedding = Embedding(vocab_size, d_model, max_len, dropout)
        self.blocks = nn.ModuleList(Block(d_model, n_heads, d_ff, dropout) for _ in range(n_layers))
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight

    def forward(self, tokens, mask=None, return_hidden_states=False):
        if mask is None:
            n = tokens.size(1)
            mask = torch.ones(n, n, device=tokens.device).tril().bool()
        states = [self.embedding(tokens)]
        for block in self.blocks:
            states.append(block(states[-1], mask)[0])
        return self.lm_head(self.ln_f(states[-1])), states if return_hidden_states else None

    def _step(self, tokens, past, start):
        """The logits after tokens that stand at `start` and later; `past` is what went before."""
        n = tokens.size(1)
        seen = torch.arange(start + n, device=tokens.device)
        mask = seen <= seen[start:, None]
        x = self.embedding(tokens, start)
        for block, kept in zip(self.blocks, past, strict=True):
            x, _ = block(x, mask, past=kept)
        return self.lm_head(self.ln_f(x[:, -1:]))[:, 0]

    def _limited(self, logits, top_k=None, top_p=None, min_p=None):
        if (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
            raise ValueError("a limit is out of range")
        if min_p is not None and not 0 <= min_p <= 1:
            raise ValueError("min_p is out of range")
        if top_k is not None:
            kth = logits.topk(min(top_k, self.config.vocab_size)).values[..., -1:]
            logits = torch.where(logits < kth, -math.inf, logits)
        if top_p is not None and top_p < 1:
            p, order = logits.softmax(-1).sort(descending=True)
            enough = (p.cumsum(-1) >= top_p).int().argmax(-1, keepdim=True)
            rank = order.argsort(-1)
            logits = torch.where(rank > enough, -math.inf, logits)
        if min_p is not None:
            p = logits.softmax(-1)
            logits = torch.where(p < min_p * p.max(-1, keepdim=True)[0], -math.inf, logits)
        return logits

    @torch.no_grad()
    def generate(
        self,
        start_tokens,
        max_new_tokens,
        temperature=1.0,
        use_cache=False,
        generator=None,
        **limits,
    ):
        if temperature < 0:
            raise ValueError("temperature must not be negative")
        if max_new_tokens < 0 or start_tokens.numel() == 0:
            raise ValueError("nothing to write, or nothing to continue")
        modes = {module: module.training for module in self.modules()}
        self.eval()
        try:
            return self._text(
                start_tokens, max_new_tokens, temperature, use_cache, generator, limits
            )
        finally:
            for module, mode in modes.items():
                module.training = mode

    def _text(self, start_tokens, max_new_tokens, temperature, use_cache, generator, limits):
        text, past, read = start_tokens, [[] for _ in self.blocks], 0
        for _ in range(max_new_tokens):
            if use_cache and text.shape[1] <= self.config.max_len:
                logits = self._step(text[:, read:], past, read)
                read = text.shape[1]
            else:
                logits = self(text[:, -self.config.max_len :])[0][:, -1, :]
            if temperature == 0:
                token = logits.argmax(-1, True)
            else:
                scores = self._limited(logits.double() / temperature, **limits)
                edges = scores.softmax(-1).cumsum(-1)
                at = torch.rand(edges[:, :1].shape, generator=generator, device=edges.device)
                token = torch.searchsorted(edges, at.double() * edges[:, -1:], right=True)
            text = torch.hstack([text, token.to(text.dtype)])
        return text if max_new_tokens else text.clone()


def overfit(model, tokens, n_steps=250, learning_rate=5e-3):
    modes = {module: module.training for module in model.modules()}
    model.train()
    optimizer = torch.optim.RAdam(model.parameters(), lr=learning_rate)
    history = []
    for _ in range(n_steps):
        logits, _ = model(tokens[:-1].unsqueeze(0))
        losses = logits[0].logsumexp(-1) - logits[0].gather(1, tokens[1:, None])[:, 0]
        history.append(losses.mean().item())
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
    for module, mode in modes.items():
        module.training = mode
    return history
