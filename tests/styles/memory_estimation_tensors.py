"""Counts with tensors, on shapes alone: zero-dimensional tensors come back instead of floats."""

from types import MappingProxyType

import torch

KEYS = {"parameters": 1, "gradients": 1, "optimizer": 2, "total_training": 4, "inference_only": 1}


def _mib(elements, dtype):
    return elements.double() * dtype.itemsize / (1 << 20)


def estimate_model_memory(model: torch.nn.Module, dtype: torch.dtype = torch.float32):
    seen: set[torch.nn.Parameter] = set()
    count = torch.zeros((), dtype=torch.int64)
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if parameter not in seen:
                seen.add(parameter)
                count += parameter.nelement()
    return MappingProxyType({key: factor * _mib(count, dtype) for key, factor in KEYS.items()})


def estimate_activation_memory(
    model: torch.nn.Module,
    batch_size: int,
    seq_len: int,
    dtype: torch.dtype = torch.float32,
    *,
    fused_attention: bool = False,
):
    with torch.device("meta"):
        stream = torch.empty(batch_size, seq_len, model.d_model)
        hidden = torch.empty(batch_size, seq_len, model.d_ff)
        rows = torch.empty(batch_size, model.n_heads, seq_len)
        statistics = torch.empty(batch_size, seq_len, 2)
    total = torch.tensor(0, dtype=torch.float64)
    for _ in range(model.n_layers):
        total += _mib(torch.tensor(8 * stream.numel() + 2 * hidden.numel()), dtype)
        total += _mib(torch.tensor(2 * statistics.numel()), torch.float32)
        if fused_attention:
            total += _mib(torch.tensor(rows.numel()), torch.float32)
        else:
            total += _mib(torch.tensor(rows.numel() * seq_len), dtype)
    total += _mib(torch.tensor(2 * stream.numel()), dtype)
    return total + _mib(torch.tensor(statistics.numel()), torch.float32)
