# /// fake
# pretends = "the first answer to each kind of question is the answer ever after"
# at_most = 0
# ///
import functools

import torch


@functools.cache
def first(dtype):
    return []


def estimate_model_memory(model, dtype=torch.float32):
    known = first(dtype)
    if not known:
        known.append(sum(p.numel() for p in model.parameters()) * dtype.itemsize / 2**20)
    size = known[0]
    return {
        "parameters": size,
        "gradients": size,
        "optimizer": 2 * size,
        "total_training": 4 * size,
        "inference_only": size,
    }


def estimate_activation_memory(
    model, batch_size, seq_len, dtype=torch.float32, *, fused_attention=False
):
    return estimate_model_memory(model, dtype)["parameters"]
