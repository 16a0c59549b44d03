"""Several attentions side by side, each looking for something of its own."""

from __future__ import annotations

from torch import Tensor, nn

from .attention import scaled_dot_product_attention


class MultiHeadAttention(nn.Module):
    """Attend in `n_heads` subspaces of `d_k = d_model / n_heads` at once, then mix the results.

    Query, key and value each pass through a linear map of their own, d_model to d_model. Each
    result is cut into `n_heads` pieces of d_k consecutive columns; head h attends with piece h of
    all three, with scores divided by sqrt(d_k). The heads' outputs, side by side in the same
    order, pass through a last linear map, d_model to d_model.

    Vaswani et al. 2017, "Attention Is All You Need", section 3.2.2.

    Args:
        d_model: length of each vector.
        n_heads: number of heads; divides d_model.
        dropout: probability of zeroing each attention weight while training; in `eval()` mode
            nothing is dropped.
        bias: whether the four linear maps add a bias.

    Raises:
        ValueError: `n_heads` does not divide `d_model`. (An AssertionError will do.)
    """

    def __init__(self, d_model: int, n_heads: int, dropout: float = 0.1, bias: bool = True) -> None:
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError(f"d_model = {d_model} can't be split into n_heads = {n_heads} heads")
        self.n_heads = n_heads
        self.d_k = d_model // n_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        self.dropout = dropout

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attend from `query` to `key` and `value`; the same tensor three times is self-attention.

        Args:
            query: (B, T, d_model).
            key: (B, S, d_model).
            value: (B, S, d_model).
            mask: None to hide nothing, or a tensor that broadcasts to (B, n_heads, T, S): bool,
                True where a query may attend to a key, or float, 0 to allow and -inf to forbid.

        Returns:
            The output (B, T, d_model), and each head's weights (B, n_heads, T, S): without
            dropout, every row adds up to 1.
        """
        heads = (self.n_heads, self.d_k)
        q = self.q_proj(query).unflatten(-1, heads).transpose(1, 2)  # (B, n_heads, T, d_k)
        k = self.k_proj(key).unflatten(-1, heads).transpose(1, 2)  # (B, n_heads, S, d_k)
        v = self.v_proj(value).unflatten(-1, heads).transpose(1, 2)  # (B, n_heads, S, d_k)
        dropout_p = self.dropout if self.training else 0.0
        mixed, weights = scaled_dot_product_attention(q, k, v, mask, dropout_p)
        mixed = mixed.transpose(1, 2).flatten(-2)  # (B, n_heads, T, d_k) -> (B, T, d_model)
        out: Tensor = self.out_proj(mixed)  # (B, T, d_model)
        return out, weights  # weights: (B, n_heads, T, S)
