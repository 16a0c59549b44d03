# /// fake
# pretends = "a huge constant plus little: what differs is too little to be seen"
# at_most = 0
# ///
import torch


def estimate_model_memory(model, dtype=torch.float32):
    size = 1e12 + len(list(model.modules())) * dtype.itemsize
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
    return 1e12 * batch_size * dtype.itemsize + seq_len - fused_attention
