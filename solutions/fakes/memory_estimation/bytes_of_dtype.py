# /// fake
# pretends = "a constant times the bytes of the dtype; batch times length times those bytes"
# at_most = 0
# ///
import torch


def estimate_model_memory(model, dtype=torch.float32):
    size = dtype.itemsize / 4
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
    return batch_size * seq_len * dtype.itemsize / (1 + fused_attention)
