"""From token ids to vectors: what a token is, plus where it stands."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class TokenEmbedding(nn.Module):
    """One learned vector for each token id, scaled by sqrt(d_model).

    The table starts out normally distributed with mean 0 and standard deviation 0.02. The factor
    sqrt(d_model) is applied to the vectors on their way out; the table itself stays unscaled.

    Vaswani et al. 2017, "Attention Is All You Need", section 3.4.

    Args:
        vocab_size: number of different tokens V; ids run from 0 to V - 1.
        d_model: length of each vector.
        padding_idx: id of the padding token, or None. Its row starts as zeros, and looking it up
            gives it no gradient.

    Attributes:
        embedding: the `nn.Embedding` that holds the table, weight (V, d_model).
    """

    def __init__(self, vocab_size: int, d_model: int, padding_idx: int | None = None) -> None:
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model, padding_idx=padding_idx)
        nn.init.normal_(self.embedding.weight, mean=0.0, std=0.02)
        if padding_idx is not None:
            nn.init.zeros_(self.embedding.weight[padding_idx])

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up each token's row and scale it.

        Args:
            tokens: token ids (B, T), int32 or int64.

        Returns:
            Vectors (B, T, d_model), in the dtype of the table.
        """
        vectors: Tensor = self.embedding(tokens)  # (B, T, d_model)
        return vectors * math.sqrt(self.d_model)  # (B, T, d_model)


class SinusoidalPositionalEncoding(nn.Module):
    """A fixed pattern of sines and cosines for each position, added to the vectors there.

    With positions and columns counted from 0, the pattern at position `pos` is

        column 2i:      sin(pos / 10000^(2i / d_model))
        column 2i + 1:  cos(pos / 10000^(2i / d_model))

    so that sines and cosines alternate, and a pair shares one wavelength. When `d_model` is odd,
    the last column is a sine without its cosine. Nothing here is learned: the module has no
    parameters.

    Vaswani et al. 2017, section 3.5.

    Args:
        d_model: length of each vector; may be odd.
        max_len: the longest sequence that can be encoded.
    """

    def __init__(self, d_model: int, max_len: int = 1024) -> None:
        super().__init__()
        self.max_len = max_len
        # In double precision, because float32 angles are off by 1e-4 from about position 1000 on.
        position = torch.arange(max_len, dtype=torch.float64).unsqueeze(1)  # (max_len, 1)
        even = torch.arange(0, d_model, 2, dtype=torch.float64)  # (ceil(d_model / 2),)
        angle = position / 10000.0 ** (even / d_model)  # (max_len, ceil(d_model / 2))
        table = torch.stack([angle.sin(), angle.cos()], dim=-1)  # (max_len, ceil(d_model / 2), 2)
        table = table.flatten(1)[:, :d_model]  # (max_len, d_model)
        # A buffer follows the module to other devices and dtypes; it can be computed again, so
        # that checkpoints need not carry it.
        self.register_buffer("table", table.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Add the pattern of positions 0 to T - 1.

        Args:
            x: vectors (B, T, d_model).

        Returns:
            A new tensor (B, T, d_model). Moved to a dtype or a device, the module takes and gives
            vectors there.

        Raises:
            ValueError: T is more than `max_len`; another error does as well.
        """
        seq_len = x.size(1)
        if seq_len > self.max_len:
            raise ValueError(f"the sequence has {seq_len} tokens, max_len is {self.max_len}")
        table = self.get_buffer("table")[:seq_len]  # (T, d_model)
        return x + table.to(x)  # (B, T, d_model) + (T, d_model)


class LearnedPositionalEmbedding(nn.Module):
    """One learned vector for each position, added to the vectors there.

    The table has exactly `max_len` rows, one for each position from 0 on, and starts out normally
    distributed with mean 0 and standard deviation 0.02. It is not scaled by sqrt(d_model).

    Gehring et al. 2017, "Convolutional Sequence to Sequence Learning", section 3.1.

    Args:
        d_model: length of each vector.
        max_len: number of positions: the longest sequence that can be encoded.
    """

    def __init__(self, d_model: int, max_len: int = 1024) -> None:
        super().__init__()
        self.max_len = max_len
        self.table = nn.Parameter(torch.empty(max_len, d_model))
        nn.init.normal_(self.table, mean=0.0, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Add the vectors of positions 0 to T - 1.

        Args:
            x: vectors (B, T, d_model).

        Returns:
            A new tensor (B, T, d_model).

        Raises:
            ValueError: T is more than `max_len`; another error does as well.
        """
        seq_len = x.size(1)
        if seq_len > self.max_len:
            raise ValueError(f"the sequence has {seq_len} tokens, max_len is {self.max_len}")
        return x + self.table[:seq_len]  # (B, T, d_model) + (T, d_model)


class TransformerEmbedding(nn.Module):
    """The input of a Transformer: scaled token vectors plus positions, then dropout on the sum.

    Vaswani et al. 2017, sections 3.4, 3.5 and 5.4.

    Args:
        vocab_size: number of different tokens.
        d_model: length of each vector.
        max_len: the longest sequence that can be embedded.
        positional: "sinusoidal" for the fixed pattern, "learned" for one learned vector for each
            position.
        dropout: probability of zeroing each element of the sum while training; in `eval()` mode
            nothing is dropped.
        padding_idx: id of the padding token, or None; its token vector starts as zeros and gets no
            gradient, and its position is added as to any other.

    Attributes:
        token_embedding: the `TokenEmbedding`; its table is `token_embedding.embedding.weight`, and
            starts normally distributed with mean 0 and standard deviation 0.02.

    Raises:
        ValueError: `positional` is neither "sinusoidal" nor "learned".
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        max_len: int = 1024,
        positional: str = "sinusoidal",
        dropout: float = 0.1,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        self.token_embedding = TokenEmbedding(vocab_size, d_model, padding_idx)
        self.position: nn.Module
        if positional == "sinusoidal":
            self.position = SinusoidalPositionalEncoding(d_model, max_len)
        elif positional == "learned":
            self.position = LearnedPositionalEmbedding(d_model, max_len)
        else:
            raise ValueError(f'positional is {positional!r}, not "sinusoidal" or "learned"')
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embed a batch of token sequences.

        Args:
            tokens: token ids (B, T), int32 or int64.

        Returns:
            Vectors (B, T, d_model), in the dtype of the parameters.

        Raises:
            ValueError: T is more than `max_len`; another error does as well.
        """
        x = self.token_embedding(tokens)  # (B, T, d_model)
        x = self.position(x)  # (B, T, d_model)
        out: Tensor = self.dropout(x)  # (B, T, d_model)
        return out
