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
