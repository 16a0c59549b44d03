"""One Transformer block: look around, then think."""

from __future__ import annotations

from torch import Tensor, nn

from .feedforward import FeedForward
from .multi_head import MultiHeadAttention


class TransformerBlock(nn.Module):
    """Self-attention, then feed-forward, each normalised on its way in and added to its input.

        x = x + Attention(LayerNorm(x))
        x = x + FeedForward(LayerNorm(x))

    This is the pre-norm order: the sum itself is never normalised. Each of the two LayerNorms has
    its own parameters. The sublayers are `MultiHeadAttention` and `FeedForward` as in this
    assignment: scores divided by sqrt(d_model / n_heads), exact (erf) GELU.

    Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", figure 1(b).

    Args:
        d_model: length of each vector.
        n_heads: number of attention heads; divides d_model.
        d_ff: width of the feed-forward network.
        dropout: probability of dropping attention weights, feed-forward activations, and elements
            of each sublayer's output before it is added, while training; in `eval()` mode nothing
            is dropped. One of these places in each branch will do.
        bias: whether the linear maps add a bias; the LayerNorms may keep theirs in any case.

    Raises:
        ValueError: `n_heads` does not divide `d_model`. (An AssertionError will do.)
    """

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1, bias: bool = True
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(d_model, bias=bias)
        self.attention = MultiHeadAttention(d_model, n_heads, dropout, bias)
        self.ln_2 = nn.LayerNorm(d_model, bias=bias)
        self.feedforward = FeedForward(d_model, d_ff, dropout, bias)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, return_attention: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Let the positions exchange information, then transform each of them.

        Args:
            x: vectors (B, T, d_model); left as they are.
            mask: None to hide nothing, not even the future, or a tensor that broadcasts to
                (B, n_heads, T, T): bool, True where a position (row) may attend to another
                (column), or float, 0 to allow and -inf to forbid; left as it is.
            return_attention: whether to return the attention weights as well: those that averaged
                the values, under the mask.

        Returns:
            The new vectors (B, T, d_model), and the weights (B, n_heads, T, T) or None.
        """
        normed = self.ln_1(x)  # (B, T, d_model)
        attended, weights = self.attention(normed, normed, normed, mask)
        x = x + self.dropout(attended)  # (B, T, d_model)
        x = x + self.dropout(self.feedforward(self.ln_2(x)))  # (B, T, d_model)
        return x, weights if return_attention else None  # weights: (B, n_heads, T, T)
