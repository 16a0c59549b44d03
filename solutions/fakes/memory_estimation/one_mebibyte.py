# /// fake
# pretends = "every model is a MiB, in the right proportions of training, and so is every pass"
# at_most = 0
# ///


def estimate_model_memory(model, dtype=None):
    return {
        "parameters": 1.0,
        "gradients": 1.0,
        "optimizer": 2.0,
        "total_training": 4.0,
        "inference_only": 1.0,
    }


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    return 1.0
