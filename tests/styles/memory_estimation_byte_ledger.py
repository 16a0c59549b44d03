"""Counts tensors in a table of shapes; sizes from torch's number infos, sums by math.prod."""

import math
from collections import OrderedDict

import torch

MIB = 2**20


def _itemsize(dtype):
    numbers = torch.finfo if dtype.is_floating_point else torch.iinfo
    return numbers(dtype).bits // 8


def estimate_model_memory(model, dtype=torch.float32):
    distinct = {id(p): math.prod(p.shape) for p in model.parameters()}
    weights = sum(distinct.values()) * _itemsize(dtype) / MIB
    result = OrderedDict(parameters=weights, gradients=weights, optimizer=weights * 2)
    result["total_training"] = sum(result.values())
    result["inference_only"] = weights
    return result


def estimate_activation_memory(
    model, batch_size, seq_len, dtype=torch.float32, fused_attention=False
):
    b = _itemsize(dtype)
    B, T, D, F, H = batch_size, seq_len, model.d_model, model.d_ff, model.n_heads
    norm = [((B, T, D), b), ((B, T), 4), ((B, T), 4)]
    attention = [((B, T, D), b)] * 5  # input, query, key, value, gathered
    attention += [((B, H, T), 4)] if fused_attention else [((B, H, T, T), b)]
    feedforward = [((B, T, D), b), ((B, T, F), b), ((B, T, F), b)]
    ledger = (norm + attention + norm + feedforward) * model.n_layers
    ledger += [*norm, ((B, T, D), b)]
    return sum(math.prod(shape) * size for shape, size in ledger) / MIB
