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


class Lesson:
    """The parts of a training as one object; the functions below ask it."""

    def __init__(self, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.n, self.m, self.v = 0, {}, {}

    @torch.no_grad()
    def step(self, parameters, rate):
        self.n += 1
        (b1, b2), n = self.betas, self.n
        for i, p in enumerate(parameters):
            g = p.grad
            if g is not None:
                self.m[i] = b1 * self.m.get(i, 0) + (1 - b1) * g
                self.v[i] = b2 * self.v.get(i, 0) + (1 - b2) * g.pow(2)
                root = (self.v[i] / (1 - b2**n)).sqrt_().add_(self.eps)
                old = p.clone()
                p.addcdiv_(self.m[i] / (1 - b1**n), root, value=-rate)
                p.add_(old, alpha=-rate * self.weight_decay)


def get_batch(tokens, batch_size, length):
    last = tokens.numel() - length
    if last <= 0:
        raise ValueError("too few tokens")
    starts = (torch.rand(batch_size) * last).long().clamp_(max=last - 1)
    inputs = torch.stack([tokens[s : s + length] for s in starts])
    return inputs, torch.stack([tokens[s + 1 : s + 1 + length] for s in starts])


def cross_entropy(logits, targets, ignore_index=-100):
    return nn.CrossEntropyLoss(ignore_index=ignore_index)(logits.transpose(1, 2), targets)


def clip_gradients(parameters, max_norm):
    there = [p for p in parameters if p.grad is not None]
    norm = sum(p.grad.double().square().sum() for p in there).sqrt().item()
    for p in there:
        p.grad /= max(1.0, norm / max_norm)
    return norm


def adamw_step(parameters, state, learning_rate, *options, **named):
    if "lesson" not in state:
        state["lesson"] = Lesson(*options, **named)
    state["lesson"].step(parameters, learning_rate)


def learning_rate_at(step, n_steps, peak, warmup=0, floor=0.0):
    up = [peak * (s + 1) / warmup for s in range(warmup)]
    down = [
        floor + (peak - floor) * (np.cos(np.pi * s / (n_steps - warmup)) + 1) / 2
        for s in range(n_steps - warmup)
    ]
    return [*up, *down, floor][min(step, n_steps)]


def validation_loss(model, tokens, length):
    model_was, losses = model.training, []
    model.eval()
    for at in range(1, len(tokens), length):
        wanted = tokens[at : at + length]
        given = tokens[at - 1 : at - 1 + len(wanted)]
        p = model(given.unsqueeze(0))[0].detach().double().softmax(-1)[0]
        losses += [-math.log(p[i, t]) for i, t in enumerate(wanted)]
    model.train(model_was)
    return math.fsum(losses) / len(losses)


def train(model, tokens, n_steps=600, batch_size=32, length=24, peak=1e-2, after_step=None):
    lesson, losses = Lesson(weight_decay=0), []
    for step in range(n_steps):
        x, y = get_batch(tokens, batch_size, length)
        model.zero_grad()
        loss = cross_entropy(model(x)[0], y)
        losses += [loss.item()]
        loss.backward()
        clip_gradients(model.parameters(), 1)
        lesson.step(model.parameters(), learning_rate_at(step, n_steps, peak, n_steps // 10))
        if callable(after_step):
            after_step(step)
    return losses


def induction_scores(weights, period):
    w = torch.stack(tuple(weights))
    t = w.shape[-1]
    chosen = torch.ones(t, t).tril(1 - period).triu(1 - period)
    chosen[:period] = 0
    return torch.einsum("lbhts,ts->lh", w, chosen) / w.shape[1] / (t - period)


def logit_lens(model, hidden_states):
    return torch.stack([model.ln_f(h) @ model.lm_head.weight.T for h in hidden_states])
