# /// fake
# pretends = "the token table stands for the model; one tensor of the stream for a block"
# at_most = 0
# ///
import torch


def estimate_model_memory(model, dtype=torch.float32):
    size = model.vocab_size * model.d_model * dtype.itemsize / 2**20
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
    elements = batch_size * seq_len * model.d_model * (model.n_layers + 1)
    return elements * dtype.itemsize / 2**20 / (1 + fused_attention)
