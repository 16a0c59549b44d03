"""torch's own layers inside, hooks for the states, parts under other names, a mask on the fly."""

import functools

import numpy as np
import torch
import torch.nn as nn
from torch.nn import functional as F

import course.parts as ready


def get_model_config(size):
    columns = {
        "d_model": [128, 256, 512, 768],
        "n_heads": [4, 8, 8, 12],
        "n_layers": [4, 6, 8, 12],
        "d_ff": [512, 1024, 2048, 3072],
        "max_len": [512, 1024, 1024, 2048],
    }
    sizes = ["tiny", "small", "medium", "large"]
    row = sizes.index(size)  # a ValueError by itself
    config = {name: int(np.array(values)[row]) for name, values in columns.items()}
    config["dropout"] = 0.1
    return config


class PreNorm(nn.Module):
    """One norm, one function, one sum."""

    def __init__(self, width, function, rate):
        super().__init__()
        self.norm, self.function, self.rate = nn.LayerNorm(width), function, nn.Dropout(rate)

    def forward(self, x, **kwargs):
        out = self.function(self.norm(x), **kwargs)
        out, extra = out if isinstance(out, tuple) else (out, None)
        return x + self.rate(out), extra


class Attention(nn.Module):
    def __init__(self, width, heads, rate):
        super().__init__()
        self.heads, self.rate = heads, rate
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Conv1d(width, width, kernel_size=1)

    def forward(self, x, mask=None, return_attention=False):
        b, t, d = x.size()
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        rate = self.rate if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        out = self.out(mixed.permute(0, 1, 3, 2).reshape(b, d, t)).mT
        if not return_attention:
            return out, None
        eye = torch.eye(t, dtype=x.dtype, device=x.device).expand(b, self.heads, t, t)
        return out, F.scaled_dot_product_attention(q, k, eye, attn_mask=mask)


class Layer(nn.Module):
    def __init__(self, width, heads, inner, rate):
        super().__init__()
        if width % heads != 0:
            raise ValueError("n_heads must divide d_model")
        self.attend = PreNorm(width, Attention(width, heads, rate), rate)
        feed = nn.Sequential(
            nn.Linear(width, inner), nn.GELU(), nn.Dropout(rate), nn.Linear(inner, width)
        )
        self.feed = PreNorm(width, feed, rate)

    def forward(self, x, mask=None, return_attention=False):
        x, weights = self.attend(x, mask=mask, return_attention=return_attention)
        return self.feed(x)[0], weights


class Base(nn.Module):
    """What any language model does."""

    def logits(self, x):
        return self.lm_head(self.ln_f(x))

    def forward(self, tokens, mask=None, return_hidden_states=False):
        x = self.embedding(tokens)
        if mask is None:
            place = torch.arange(tokens.shape[1], device=tokens.device)
            mask = place[:, None] >= place
        kept = [x]

        def step(x, block):
            kept.append(block(x, mask=mask)[0])
            return kept[-1]

        out = self.logits(functools.reduce(step, self.blocks, x))
        return [out, kept if return_hidden_states else None]


class TinyTransformerLM(Base):
    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        n_heads: int,
        n_layers: int,
        d_ff: int,
        max_len: int = 1024,
        dropout: float = 0.1,
        positional: str = "sinusoidal",
        tie_weights: bool = True,
        padding_idx: "int | None" = None,
    ):
        arguments = dict(locals())
        super().__init__()
        for name in ("vocab_size", "d_model", "n_heads", "n_layers", "d_ff", "max_len"):
            setattr(self, name, arguments[name])
        make = functools.partial(Layer, d_model, n_heads, d_ff, dropout)
        self.blocks = nn.ModuleList()
        for _ in range(n_layers):
            self.blocks.append(make())
        self.embedding = ready.TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.ln_f = nn.LayerNorm([d_model])
        self.lm_head = nn.utils.skip_init(nn.Linear, d_model, vocab_size, bias=False)
        self.lm_head.weight.data.normal_().mul_(0.02)
        if tie_weights:
            del self.lm_head.weight
            self.lm_head.register_parameter(
                "weight", self.embedding.token_embedding.embedding.weight
            )
