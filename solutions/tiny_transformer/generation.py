"""Writing text: choose the next token, append it, repeat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from .model import TinyTransformerLM


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Rule out all but the k most probable tokens of each row.

    Fan et al. 2018, "Hierarchical Neural Story Generation", section 5.4.

    Args:
        logits: (B, V).
        k: how many to keep; all of them if k is V or more. Which ones, among equals, is open.

    Returns:
        New logits (B, V), -inf for each token that is ruled out.

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"top_k must be 1 or more, not {k}")
    kept = logits.topk(min(k, logits.size(-1)), dim=-1)  # (B, k)
    return torch.full_like(logits, -math.inf).scatter(-1, kept.indices, kept.values)  # (B, V)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Rule out all but the nucleus of each row: the fewest tokens with probability p or more.

    Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1.

    Args:
        logits: (B, V).
        p: probability of the nucleus, above 0; at 1 every token is kept. The most probable token
            is always kept.

    Returns:
        New logits (B, V), -inf for each token that is ruled out.

    Raises:
        ValueError: p is not in (0, 1].
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must be more than 0 and at most 1, not {p}")
    if p == 1:
        return logits.clone()  # rounding of the cumulative sum must not cost the rarest tokens
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)  # (B, V), (B, V)
    probabilities = ordered.softmax(dim=-1)  # (B, V)
    before = probabilities.cumsum(dim=-1) - probabilities  # (B, V), of all more probable tokens
    ordered = ordered.masked_fill(before >= p, -math.inf)  # (B, V)
    return torch.empty_like(logits).scatter(-1, order, ordered)  # (B, V)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """Rule out each token that is less than p times as probable as its row's most probable one.

    Nguyen et al. 2025, "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM
    Outputs", section 3.

    Args:
        logits: (B, V).
        p: the fraction; at 0 every token is kept, at 1 only the most probable.

    Returns:
        New logits (B, V), -inf for each token that is ruled out.

    Raises:
        ValueError: p is not in [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p must be between 0 and 1, not {p}")
    if p == 0:
        return logits.clone()  # log(0) below
    floor = logits.amax(dim=-1, keepdim=True) + math.log(p)  # (B, 1)
    return logits.masked_fill(logits < floor, -math.inf)  # (B, V)


def sample_next(
    logits: Tensor,
    temperature: float = 1.0,
    *,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one token for each row, with probabilities softmax(logits / temperature).

    Ackley, Hinton and Sejnowski 1985, "A Learning Algorithm for Boltzmann Machines", equation 4.

    Args:
        logits: (B, V).
        temperature: 0 for the most probable token, without drawing; 1 for the probabilities as
            they are; more makes them more even. Anything from 1e-37 on works.
        top_k: (bonus) then keep the k most probable tokens: see `keep_top_k`.
        top_p: (bonus) then keep the nucleus: see `keep_top_p`.
        min_p: (bonus) then drop what is far less probable than the best: see `keep_min_p`.
        generator: where the random numbers come from; if it is None, wherever you like.

    Returns:
        Token ids (B,), int64; each row is drawn independently.

    Raises:
        ValueError: `temperature` is negative, or one draws and a limit is out of range.
    """
    if not temperature >= 0:  # also refuses nan
        raise ValueError(f"temperature must be 0 or more, not {temperature}")
    logits = logits.float()  # (B, V); 16 bits are too coarse for probabilities
    if temperature < torch.finfo(torch.float32).tiny:  # 0, or as good as 0: it would be rounded
        return logits.argmax(dim=-1)  # (B,)
    # The largest logit becomes 0, so that a tiny temperature can only push the others to -inf.
    logits = logits - logits.amax(dim=-1, keepdim=True)  # (B, V)
    logits = logits / temperature  # (B, V)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    if min_p is not None:
        logits = keep_min_p(logits, min_p)
    probabilities = logits.softmax(dim=-1)  # (B, V)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)  # (B,)


class KeyValueCache:
    """The keys and values of the positions that a model has read, block by block.

    A position's key and value depend on earlier positions alone, so that they stay right when
    the sequence grows: only the new positions need computing. That ends when the sequence outgrows
    the model's window: then every token moves to another position.

    Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", section 2.4.

    Args:
        model: the model that reads, in `eval()` mode. A cache has to know what a block is made of:
            this one knows the norm `ln_1` before `attention`, with its four maps `q_proj`,
            `k_proj`, `v_proj` and `out_proj`, and the norm `ln_2` before `feedforward`.

    Attributes:
        n_read: number of positions whose keys and values are kept.
        keys, values: one tensor (B, n_heads, n_read, d_k) for each block.
    """

    def __init__(self, model: TinyTransformerLM) -> None:
        self.model = model
        self.n_read = 0
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def read(self, tokens: Tensor) -> Tensor:
        """Read what is new in a sequence and score its next token.

        Args:
            tokens: the whole sequence (B, T), T at most `model.max_len`; the first `n_read` tokens
                are those of the call before, and at least one is new.

        Returns:
            The logits (B, V) at the last position.
        """
        seq_len = tokens.size(1)
        everything = torch.ones(seq_len, seq_len, dtype=torch.bool, device=tokens.device)  # (T, T)
        mask = everything.tril()[self.n_read :]  # (N, T), N are new
        x = self.model.embedding(tokens)[:, self.n_read :]  # (B, N, d_model)
        for layer, block in enumerate(self.model.blocks):
            q, k, v = self._project(block, x)  # (B, H, N, d_k) each
            if self.n_read == 0:
                self.keys.append(k)
                self.values.append(v)
            else:
                self.keys[layer] = torch.cat([self.keys[layer], k], dim=2)  # (B, H, T, d_k)
                self.values[layer] = torch.cat([self.values[layer], v], dim=2)  # (B, H, T, d_k)
            mixed = F.scaled_dot_product_attention(
                q, self.keys[layer], self.values[layer], attn_mask=mask
            )  # (B, H, N, d_k)
            x = self._finish(block, x, mixed.transpose(1, 2).flatten(-2))  # (B, N, d_model)
        self.n_read = seq_len
        logits: Tensor = self.model.lm_head(self.model.ln_f(x[:, -1]))  # (B, V)
        return logits

    def _project(self, block: Any, x: Tensor) -> tuple[Tensor, ...]:
        """Compute queries, keys and values (B, H, N, d_k) of new positions (B, N, d_model)."""
        attention, normed = block.attention, block.ln_1(x)  # normed: (B, N, d_model)
        maps = (attention.q_proj, attention.k_proj, attention.v_proj)
        heads = (self.model.n_heads, -1)
        return tuple(linear(normed).unflatten(-1, heads).transpose(1, 2) for linear in maps)

    def _finish(self, block: Any, x: Tensor, mixed: Tensor) -> Tensor:
        """Add what the heads gathered (B, N, d_model), then what the feed-forward makes of it."""
        x = x + block.attention.out_proj(mixed)  # (B, N, d_model)
        new: Tensor = block.feedforward(block.ln_2(x))  # (B, N, d_model)
        return x + new


def generate(
    model: TinyTransformerLM,
    start_tokens: Tensor,
    max_new_tokens: int,
    temperature: float = 1.0,
    *,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    use_cache: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Continue each sequence: sample a token from the last position's logits, append it, repeat.

    The model sees the last `model.max_len` tokens of the text so far. It is used in `eval()` mode
    and without gradients; every module's training flag is afterwards what it was before, also when
    the model raises.

    Args:
        model: a language model: `model(tokens)` returns logits (B, T, V) and something else;
            `model.max_len` is the longest sequence that it takes. Without `use_cache`, no more
            is asked of it: an `nn.Module` without parameters will do.
        start_tokens: token ids (B, T) to continue, int32 or int64; T is at least 1, and may be
            more than `model.max_len`. They are left as they are.
        max_new_tokens: how many tokens to add to each sequence.
        temperature: logits are divided by it before the softmax; 0 takes the most probable token.
        top_k: (bonus) sample from the k most probable tokens alone.
        top_p: (bonus) sample from the fewest tokens that together have probability top_p or more.
        min_p: (bonus) sample from tokens at least min_p times as probable as the most probable.
        use_cache: (bonus) keep each block's keys and values instead of computing them again for
            every token: the same text, sooner. Each step calls the model's `lm_head`.
        generator: where all random numbers come from, if it is given. Torch's default generator is
            never seeded here.

    Returns:
        Token ids (B, T + max_new_tokens), a new tensor with the start's dtype and on its device:
        first the start, then what follows. Each sequence is continued on its own.

    Raises:
        ValueError: `temperature` or `max_new_tokens` is negative, there is no token to start
            from, or a token is to be drawn and a limit is out of range.
    """
    if not temperature >= 0:  # before any work, also when nothing is to be sampled
        raise ValueError(f"temperature must be 0 or more, not {temperature}")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, not {max_new_tokens}")
    if start_tokens.size(1) == 0:
        raise ValueError("start_tokens needs at least one token to continue")
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            tokens = start_tokens.clone()  # (B, T)
            cache = KeyValueCache(model) if use_cache else None
            for _ in range(max_new_tokens):
                if cache is not None and tokens.size(1) <= model.max_len:
                    last = cache.read(tokens)  # (B, V)
                else:
                    logits, _ = model(tokens[:, -model.max_len :])  # (B, T, V)
                    last = logits[:, -1]  # (B, V)
                new = sample_next(
                    last, temperature, top_k=top_k, top_p=top_p, min_p=min_p, generator=generator
                )  # (B,)
                tokens = torch.cat([tokens, new.to(tokens.dtype).unsqueeze(1)], dim=1)  # (B, T + 1)
    finally:
        for module, flag in training:
            module.training = flag
    return tokens
