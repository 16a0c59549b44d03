"""Counts tensors in a table of shapes; sizes from torch's number infos, sums by math.prod."""

import math
from collections import OrderedDict

import torch

MIB = 2**20


def _itemsize(dtype):
    if dtype is torch.bool:
        return 1
    if dtype.is_complex:
        return 2 * torch.finfo(dtype).bits // 8  # finfo is about one of the two parts
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


def estimate_flops(model, batch_size, seq_len):
    B, T, D, F, H = batch_size, seq_len, model.d_model, model.d_ff, model.n_heads
    K = D // H
    products = OrderedDict(  # how often, and the shapes (m, k) by (k, n) as (m, k, n)
        projections=[(4 * model.n_layers, (B * T, D, D))],
        scores=[(B * H * model.n_layers, (T, K, T))],
        weighted_sum=[(B * H * model.n_layers, (T, T, K))],
        feedforward=[(model.n_layers, (B * T, D, F)), (model.n_layers, (B * T, F, D))],
        head=[(1, (B * T, D, model.vocab_size))],
    )
    counted = {
        name: sum(often * 2 * math.prod(shape) for often, shape in rows)
        for name, rows in products.items()
    }
    forward = sum(counted.values())
    return counted | {"forward": forward, "backward": 2 * forward}


def estimate_kv_cache(model, batch_size, seq_len, dtype=torch.float32, n_kv_heads=None):
    groups = model.n_heads if n_kv_heads is None else n_kv_heads
    ledger = [((batch_size, groups, seq_len, model.d_model // model.n_heads), _itemsize(dtype))]
    ledger *= 2 * model.n_layers
    return sum(math.prod(shape) * size for shape, size in ledger) / MIB


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    batch = 0
    while fixed + (batch + 1 - 1e-9) * per_sequence <= memory * (1 - reserve):
        batch += 1
    return batch


def chinchilla_optimum(budget):
    low, high = 1.0, budget
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if 6 * middle * 20 * middle < budget else (low, middle)
    return {0: low, 1: 20 * low}


def model_flops_utilization(n_parameters, n_layers, n_heads, d_head, seq_len, tokens_per_s, peak):
    forward = 2 * n_parameters + 2 * (2 * n_layers * n_heads * d_head * seq_len)
    possible = peak / (3 * forward)
    return tokens_per_s / possible
