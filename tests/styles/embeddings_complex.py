"""Waves as powers of complex numbers, kept in a cache; inherits from nn.Embedding where it can."""

import math

import torch
from torch import nn


class Scaled(nn.Embedding):
    """Scales on its way out, by a hook's worth of inheritance."""

    def reset_parameters(self):
        nn.init.normal_(self.weight, std=0.02)
        self._fill_padding_idx_with_zero()

    def forward(self, input):  # noqa: A002
        return super().forward(input).mul(math.sqrt(self.embedding_dim))


class Tokens(nn.Sequential):
    def __init__(self, *args, **kwargs):
        super().__init__()
        self.embedding = Scaled(*args, **kwargs)


class Waves(nn.Module):
    def __init__(self, width, max_len):
        super().__init__()
        self.width, self.max_len = width, max_len
        self.cache = {}

    def __getitem__(self, key):
        length, device, dtype = key
        if key not in self.cache:
            pairs = (self.width + 1) // 2
            exponent = torch.arange(pairs, dtype=torch.float64) * (2 / self.width)
            angle = torch.outer(
                torch.arange(length, dtype=torch.float64), torch.pow(10000, -exponent)
            )
            turned = torch.polar(torch.ones_like(angle), math.pi / 2 - angle)  # sin + i cos
            table = torch.view_as_real(turned).reshape(length, 2 * pairs)[:, : self.width]
            self.cache[key] = table.to(device=device, dtype=dtype)
        return self.cache[key]

    def forward(self, x):
        return x + self[x.shape[1], x.device, x.dtype]


class Rows(nn.Embedding):
    def __init__(self, width, max_len):
        super().__init__(max_len, width)
        self.max_len = max_len
        nn.init.normal_(self.weight, 0, 0.02)

    def forward(self, x):
        place = torch.arange(x.shape[1]).to(x.device)
        return x + super().forward(place).unsqueeze(0).expand_as(x)


KINDS = {"sinusoidal": Waves, "learned": Rows}


class TransformerEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, max_len=1024, positional="sinusoidal", dropout=0.1,
                 padding_idx=None, **extras):  # fmt: skip
        super().__init__()
        try:
            kind = KINDS[positional]
        except KeyError:
            raise ValueError(f"positional must be one of {list(KINDS)}") from None
        self.token_embedding = Tokens(vocab_size, d_model, padding_idx=padding_idx)
        self.rest = nn.Sequential(kind(d_model, max_len), nn.Dropout(p=dropout))
        self.max_len = max_len

    def forward(self, tokens, **_):
        if tokens.size(1) > self.max_len:
            raise RuntimeError("sequence too long")
        return self.rest(self.token_embedding.embedding(tokens))
