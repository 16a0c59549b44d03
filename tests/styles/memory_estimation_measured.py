"""Measures: weights as tensors without content, activations by hooks in a network of its own.

Exact fractions come back, in a chain of dicts.
"""

from collections import ChainMap
from fractions import Fraction

import torch
from torch import nn


def estimate_model_memory(model, dtype=torch.float32):
    with torch.device("meta"):
        weights = [torch.empty(p.shape, dtype=dtype) for p in model.parameters()]
        adam = [torch.stack([weight, weight]) for weight in weights]
    mib = {
        "parameters": Fraction(sum(weight.nbytes for weight in weights), 2**20),
        "gradients": Fraction(sum(torch.empty_like(weight).nbytes for weight in weights), 2**20),
        "optimizer": Fraction(sum(averages.nbytes for averages in adam), 2**20),
    }
    totals = {"total_training": sum(mib.values()), "inference_only": mib["parameters"]}
    return ChainMap(totals, mib)


class Block(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.maps = nn.ModuleList([nn.Linear(width, width) for _ in range(4)])
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))

    def forward(self, x):
        normed = self.norms[0](x)
        query, key, value = (
            linear(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in self.maps[:3]
        )
        self.weights = (query @ key.mT / query.size(-1) ** 0.5).softmax(dim=-1)
        x = x + self.maps[3]((self.weights @ value).transpose(1, 2).flatten(2))
        return x + self.feed(self.norms[1](x))


def estimate_activation_memory(
    model, batch_size, seq_len, dtype=torch.float32, fused_attention=False
):
    width, heads = model.d_model, model.n_heads
    blocks = [Block(width, heads, model.d_ff) for _ in range(model.n_layers)]
    net = nn.Sequential(*blocks, nn.LayerNorm(width), nn.Linear(width, 2, bias=False))
    known = {p.untyped_storage().data_ptr() for p in net.parameters()}
    saved = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            saved[storage.data_ptr()] = storage, tensor.shape
        return tensor

    x = torch.randn(batch_size, seq_len, width, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        net(x)

    places = {block.weights.untyped_storage().data_ptr() for block in blocks}

    def size(place, storage, shape):
        elements = storage.nbytes() // 4
        if shape == (batch_size, seq_len, 1):  # of a norm
            return 4 * elements
        if fused_attention and place in places:
            return 4 * elements // seq_len
        return dtype.itemsize * elements

    return Fraction(sum(size(place, *kept) for place, kept in saved.items()), 2**20)


def estimate_flops(model, batch_size, seq_len):
    """Multiplies matrices without content, and lets torch count."""
    from torch.utils.flop_counter import FlopCounterMode

    def counted(left, right, times=model.n_layers):
        with FlopCounterMode(display=False) as seen, torch.device("meta"):
            torch.empty(left) @ torch.empty(right)
        return times * seen.get_total_flops()

    B, T, D, F, H = batch_size, seq_len, model.d_model, model.d_ff, model.n_heads
    weights, values = (B, H, T, T), (B, H, T, D // H)
    found = {
        "projections": counted((B, T, D), (D, 4 * D)),
        "scores": counted(values, (B, H, D // H, T)),
        "weighted_sum": counted(weights, values),
        "feedforward": counted((B, T, D), (D, F)) + counted((B, T, F), (F, D)),
        "head": counted((B, T, D), (D, model.vocab_size), times=1),
    }
    forward = sum(found.values())
    return ChainMap({"forward": forward, "backward": forward * 2}, found)


def estimate_kv_cache(model, batch_size, seq_len, dtype=torch.float32, n_kv_heads=None):
    groups = n_kv_heads if n_kv_heads else model.n_heads
    shape = batch_size, groups, seq_len, model.d_model // model.n_heads
    with torch.device("meta"):
        cache = [torch.empty(2, *shape, dtype=dtype) for _ in range(model.n_layers)]
    return Fraction(sum(kept.nbytes for kept in cache), 2**20)


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    memory, fixed, per_sequence = Fraction(memory), Fraction(fixed), Fraction(per_sequence)
    room = memory * (1 - Fraction(reserve)) - fixed + per_sequence / 10**9
    return room // per_sequence if room > 0 else 0


def chinchilla_optimum(budget):
    size = (budget / 120) ** 0.5
    return Fraction(size), 20 * Fraction(size)


def model_flops_utilization(n_parameters, n_layers, n_heads, d_head, seq_len, tokens_per_s, peak):
    width = n_heads * d_head
    used = 6 * tokens_per_s * (n_parameters + 2 * n_layers * width * seq_len)
    return Fraction(used) / Fraction(peak)
