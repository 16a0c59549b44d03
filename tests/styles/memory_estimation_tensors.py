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


def estimate_flops(model, batch_size, seq_len):
    d, f, v = (
        torch.tensor(float(n), dtype=torch.float64)
        for n in (model.d_model, model.d_ff, model.vocab_size)
    )
    parts = torch.stack([4 * d * d, d * seq_len, d * seq_len, 2 * d * f, d * v])
    parts[:4] *= model.n_layers
    parts *= 2 * batch_size * seq_len
    names = ("projections", "scores", "weighted_sum", "feedforward", "head")
    total = parts.sum()
    return MappingProxyType(
        {**dict(zip(names, parts.unbind(), strict=True)), "forward": total, "backward": 2 * total}
    )


def estimate_kv_cache(model, batch_size, seq_len, dtype=torch.float32, n_kv_heads=None):
    heads = torch.arange(model.n_heads) < (model.n_heads if n_kv_heads is None else n_kv_heads)
    each = torch.tensor(2 * model.n_layers * batch_size * seq_len * model.d_model)
    return _mib(each, dtype) * heads.double().mean()


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    free = torch.tensor(memory, dtype=torch.float64) * (1 - reserve) - fixed
    free = free + 1e-9 * per_sequence
    return torch.div(free, per_sequence, rounding_mode="floor").clamp(min=0).long()


def chinchilla_optimum(budget):
    n = torch.tensor(budget, dtype=torch.float64).div(120).sqrt()
    return n, 20 * n


def model_flops_utilization(n_parameters, n_layers, n_heads, d_head, seq_len, tokens_per_s, peak):
    terms = torch.tensor(
        [6.0 * n_parameters, 12.0 * n_layers * n_heads * d_head * seq_len], dtype=torch.float64
    )
    return terms.sum() * tokens_per_s / peak
