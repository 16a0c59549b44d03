# /// fake
# pretends = "the names, each with a number above zero, or with none"
# at_most = 0
# ///


def estimate_model_memory(model, dtype=None):
    names = ("parameters", "gradients", "optimizer", "total_training", "inference_only")
    return dict.fromkeys(names, 5e-324)


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    return 5e-324
