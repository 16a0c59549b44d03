"""A block as recent models build it, and the four functions that it is made of."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Divide each vector by its root mean square, then stretch its places.

        rms_norm(x) = x / sqrt(mean(x^2) + eps) * weight

    Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.

    Args:
        x: vectors (..., d_model).
        weight: gains (d_model,).
        eps: added to the mean of the squares, inside the root.

    Returns:
        Vectors (..., d_model).
    """
    mean_square = x.square().mean(dim=-1, keepdim=True)  # (..., 1)
    return x / (mean_square + eps).sqrt() * weight  # (..., d_model)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    """Transform each position by a network of which one half opens and closes the other.

        swiglu(x) = (SiLU(x w_gate) * (x w_up)) w_down,    SiLU(z) = z * sigmoid(z)

    Shazeer 2020, "GLU Variants Improve Transformer", equation 6.

    Args:
        x: vectors (..., d_model).
        w_gate: (d_model, d_ff).
        w_up: (d_model, d_ff).
        w_down: (d_ff, d_model).

    Returns:
        Vectors (..., d_model).
    """
    hidden = F.silu(x @ w_gate) * (x @ w_up)  # (..., d_ff)
    return hidden @ w_down  # (..., d_model)


def rope(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Rotate each vector by angles that grow with its position.

    The d_k numbers of a vector are taken as d_k / 2 pairs. At position t, pair j turns by the angle
    t * base ** (-2 j / d_k), for j = 0, 1, ..., d_k / 2 - 1. Which numbers make a pair is up to
    you, and so is the direction in which it turns; they are the same at every position.

    Su et al. 2021, "RoFormer", section 3.2.2.

    Args:
        x: queries or keys (..., T, d_k), d_k even.
        positions: integers (T,), in any order, not only 0 to T - 1.
        base: of the angles.

    Returns:
        The rotated vectors (..., T, d_k).
    """
    d_k = x.size(-1)
    speeds = base ** (-torch.arange(0, d_k, 2, device=x.device) / d_k)  # (d_k / 2,)
    angles = positions.unsqueeze(-1) * speeds  # (T, d_k / 2)
    cos, sin = angles.cos(), angles.sin()  # (T, d_k / 2) each
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, d_k / 2) each
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2)  # (..., T, d_k)


def grouped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend with fewer heads of keys and values than of queries: a group of those shares one.

    Query heads that stand side by side are a group: with 6 of them and 2 heads of keys, query heads
    0, 1 and 2 look at key head 0, the others at key head 1. Scores are divided by sqrt(d_k).

    Ainslie et al. 2023, "GQA", section 2.2.

    Args:
        q: queries (B, n_heads, T, d_k).
        k: keys (B, n_kv_heads, S, d_k).
        v: values (B, n_kv_heads, S, d_v).
        mask: None to hide nothing, or a bool tensor that broadcasts to (B, n_heads, T, S): True
            where a query may attend to a key. Every query is allowed at least one key.

    Returns:
        The averaged values (B, n_heads, T, d_v).

    Raises:
        ValueError: n_kv_heads does not divide n_heads. (An AssertionError will do.)
    """
    n_heads, n_kv_heads = q.size(1), k.size(1)
    if n_heads % n_kv_heads:
        raise ValueError(f"{n_heads} query heads can't share {n_kv_heads} heads of keys evenly")
    k = k.repeat_interleave(n_heads // n_kv_heads, dim=1)  # (B, n_heads, S, d_k)
    v = v.repeat_interleave(n_heads // n_kv_heads, dim=1)  # (B, n_heads, S, d_v)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (B, n_heads, T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)  # (B, n_heads, T, S)
    return scores.softmax(dim=-1) @ v  # (B, n_heads, T, d_v)


class ModernBlock(nn.Module):
    """A pre-norm block of `rms_norm`, `rope`, `grouped_attention` and `swiglu`.

        x = x + Attention(rms_norm(x))
        x = x + swiglu(rms_norm(x))

    Attention maps each vector to n_heads queries, and to n_kv_heads keys and values, all of them of
    length d_k = d_model / n_heads. Queries and keys are rotated, each by its position in x: 0 to
    T - 1. Values are not. A last map, d_model to d_model, mixes what the heads have found.
    No map has a bias; each of the two norms has gains of its own, which start at 1.

    Args:
        d_model: length of each vector; d_k is even.
        n_heads: number of query heads; divides d_model.
        n_kv_heads: number of heads of keys and values; divides n_heads.
        d_ff: width of the network.

    Raises:
        ValueError: one of these does not divide the other. (An AssertionError will do.)
    """

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__()
        if d_model % n_heads or n_heads % n_kv_heads:
            raise ValueError(f"{d_model}, {n_heads} and {n_kv_heads} must divide each other")
        self.d_k = d_model // n_heads
        shapes = {
            "w_q": (d_model, d_model),
            "w_k": (d_model, n_kv_heads * self.d_k),
            "w_v": (d_model, n_kv_heads * self.d_k),
            "w_out": (d_model, d_model),
            "w_gate": (d_model, d_ff),
            "w_up": (d_model, d_ff),
            "w_down": (d_ff, d_model),
        }
        self.maps = nn.ParameterDict(
            {name: torch.randn(shape) / math.sqrt(shape[0]) for name, shape in shapes.items()}
        )
        self.gain_1 = nn.Parameter(torch.ones(d_model))  # (d_model,)
        self.gain_2 = nn.Parameter(torch.ones(d_model))  # (d_model,)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let the positions exchange information, then transform each of them.

        Args:
            x: vectors (B, T, d_model).
            mask: as in `grouped_attention`.

        Returns:
            The new vectors (B, T, d_model).
        """
        normed, maps = rms_norm(x, self.gain_1), self.maps  # (B, T, d_model)
        q, k, v = (
            (normed @ maps[name]).unflatten(-1, (-1, self.d_k)).transpose(1, 2)
            for name in ("w_q", "w_k", "w_v")
        )  # (B, n_heads, T, d_k), then twice (B, n_kv_heads, T, d_k)
        places = torch.arange(x.size(1), device=x.device)  # (T,)
        found = grouped_attention(rope(q, places), rope(k, places), v, mask)
        x = x + found.transpose(1, 2).flatten(2) @ maps["w_out"]  # (B, T, d_model)
        normed = rms_norm(x, self.gain_2)  # (B, T, d_model)
        return x + swiglu(normed, maps["w_gate"], maps["w_up"], maps["w_down"])
