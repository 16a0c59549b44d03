"""Ready-made parts, so that no lesson waits for an earlier one.

Each class takes the arguments, offers the attributes and returns what the lessons ask for, but is
assembled from torch's own layers. Use them until yours are done, or to find out whether a mistake
is in the part you are writing or in one you brought along.

They are no answers: in a grading, the part that a notebook asks for is not in this file.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import accumulate
from types import SimpleNamespace
from typing import NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PARTS = ("TransformerEmbedding", "TransformerBlock", "FullModel", "TinyTransformerLM")
"""Each is made of those before it."""

ASKED = {
    "embeddings": "TransformerEmbedding",
    "blocks": "TransformerBlock",
    "full_model": "TinyTransformerLM",
    "weight_tying": "TinyTransformerLM",
}
"""Under which name each of the first notebooks asks for the next of the parts."""


class TransformerEmbedding(nn.Module):
    """Token ids (B, T) to vectors (B, T, d_model): scaled token vectors, positions, dropout.

    Raises:
        ValueError: `positional` is neither "sinusoidal" nor "learned"; in use, T exceeds `max_len`.
    """

    positions: Tensor

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
        table = nn.Embedding(vocab_size, d_model, padding_idx)
        table.weight.data.mul_(0.02)  # torch starts from deviation 1
        self.token_embedding = nn.ModuleDict({"embedding": table})
        if positional == "learned":
            self.positions = nn.Parameter(0.02 * torch.randn(max_len, d_model))
        elif positional == "sinusoidal":
            turns = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
            angles = math.pi / 2 - torch.arange(max_len, dtype=torch.float64).outer(turns)
            circle = torch.view_as_real(torch.polar(torch.ones_like(angles), angles))
            pattern = circle.flatten(1)[:, :d_model].to(torch.get_default_dtype())
            self.register_buffer("positions", pattern, persistent=False)
        else:
            raise ValueError(f'positional is {positional!r}: choose "sinusoidal" or "learned"')
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embed token ids (B, T) as (B, T, d_model)."""
        n_positions, d_model = self.positions.shape
        if tokens.size(1) > n_positions:
            raise ValueError(f"{tokens.size(1)} tokens are more than max_len = {n_positions}")
        rows = self.token_embedding["embedding"](tokens)
        total = torch.add(self.positions[: tokens.size(1)], rows, alpha=math.sqrt(d_model))
        out: Tensor = self.dropout(total)
        return out


class TransformerBlock(nn.Module):
    """A pre-norm block on `nn.TransformerEncoderLayer`, with the mask as the lessons have it.

    `mask` is None, bool (True = may attend: the opposite of torch's own layers) or additive float
    (0 / -inf), and broadcasts to (B, n_heads, T, T). A block without a mask hides nothing.

    All parameters are those of `layer`; its pieces go by the names `ln_1`, `attention`, `ln_2` and
    `feedforward`, too.

    Raises:
        ValueError: `n_heads` does not divide `d_model`.
    """

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1, bias: bool = True
    ) -> None:
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"{n_heads} heads can't share d_model = {d_model} equally")
        # A partial, because torch answers a plain `F.gelu` with a kernel that knows fewer masks.
        gelu = partial(F.gelu, approximate="none")
        self.layer = nn.TransformerEncoderLayer(
            d_model, n_heads, d_ff, dropout, gelu, batch_first=True, norm_first=True, bias=bias
        )

    def forward(
        self, x: Tensor, mask: Tensor | None = None, return_attention: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Turn (B, T, d_model) into (B, T, d_model) and weights (B, n_heads, T, T) or None."""
        attention = self.layer.self_attn
        if mask is not None:
            batch, seq_len, _ = x.shape
            allowed = mask.dtype == torch.bool
            mask = mask.to(x.dtype).expand(batch, attention.num_heads, seq_len, seq_len)
            # Torch's own layers read a bool mask the other way round, a float mask the same way.
            mask = (mask.log() if allowed else mask).flatten(0, 1)
        out: Tensor = self.layer(x, mask)
        if not return_attention:
            return out, None
        seen = self.layer.norm1(x)
        _, weights = attention(seen, seen, seen, attn_mask=mask, average_attn_weights=False)
        return out, weights

    @property
    def ln_1(self) -> nn.LayerNorm:
        """The norm before attention."""
        return self.layer.norm1

    @property
    def attention(self) -> SimpleNamespace:
        """The maps `q_proj`, `k_proj`, `v_proj` and `out_proj`; torch keeps three in one matrix."""
        joint = self.layer.self_attn
        biases = (None,) * 3 if joint.in_proj_bias is None else joint.in_proj_bias.chunk(3)
        q, k, v = (
            partial(F.linear, weight=weight, bias=bias)
            for weight, bias in zip(joint.in_proj_weight.chunk(3), biases, strict=True)
        )
        return SimpleNamespace(q_proj=q, k_proj=k, v_proj=v, out_proj=joint.out_proj)

    @property
    def ln_2(self) -> nn.LayerNorm:
        """The norm before the feed-forward network."""
        return self.layer.norm2

    def feedforward(self, x: Tensor) -> Tensor:
        """What the feed-forward network makes of (B, T, d_model), nothing added yet."""
        layer = self.layer
        out: Tensor = layer.linear2(layer.dropout(layer.activation(layer.linear1(x))))
        return out


class FullModel(nn.Module):
    """The language model of the lessons, with two matrices where one could do both jobs.

    `generate`, counting and tying are yours to write.

    Raises:
        ValueError: a bad `n_heads` or `positional`, or `tie_weights`; in use, more than `max_len`
            tokens.
    """

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
        tie_weights: bool = False,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        if tie_weights:
            raise ValueError("FullModel keeps two matrices; a class made of it may tie them")
        self.vocab_size, self.d_model, self.max_len = vocab_size, d_model, max_len
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.blocks = nn.ModuleList(
            TransformerBlock(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        nn.init.normal_(self.lm_head.weight, std=0.02)

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, return_hidden_states: bool = False
    ) -> tuple[Tensor, list[Tensor] | None]:
        """Turn token ids (B, T) into logits (B, T, V) and n_layers + 1 states or None."""
        embedded = self.embedding(tokens)
        if mask is None:
            mask = nn.Transformer.generate_square_subsequent_mask(
                tokens.size(1), device=embedded.device, dtype=embedded.dtype
            )
        states = list(accumulate(self.blocks, lambda x, b: b(x, mask)[0], initial=embedded))
        return self.lm_head(self.ln_f(states[-1])), states if return_hidden_states else None


class TinyTransformerLM(FullModel):
    """The same model, which may tie its two matrices, and counts what it consists of.

    Raises:
        ValueError: as `FullModel`, but for `tie_weights`.
    """

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
        padding_idx: int | None = None,
    ) -> None:
        super().__init__(
            vocab_size, d_model, n_heads, n_layers, d_ff, max_len, dropout, positional,
            padding_idx=padding_idx,
        )  # fmt: skip
        if tie_weights:
            for name, table in self.embedding.token_embedding["embedding"].named_parameters():
                self.lm_head.register_parameter(name, table)

    def count_parameters(self, trainable_only: bool = False) -> int:
        """Count the elements of all parameters, or of those that are trained."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad >= trainable_only)

    def get_parameter_breakdown(self) -> dict[str, int]:
        """Count the elements of each part; what two parts share is the first one's."""
        names = ("embedding", "transformer_blocks", "ln_f", "lm_head")
        counts: dict[str, int] = {}
        known: set[nn.Parameter] = set()
        for name, part in zip(names, self.children(), strict=True):
            new = set(part.parameters()) - known
            counts[name] = sum(map(torch.numel, new))
            known |= new
        return counts | {"total": sum(counts.values())}


def __getattr__(name: str) -> NoReturn:
    if name in PARTS:
        raise ImportError(f"{name} is yours to write here: the course's own can't be handed in")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# A grading takes definitions out of this text: what is left is what there is to import.
__all__ = [name for name in PARTS if name in globals()]
