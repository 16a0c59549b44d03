# /// fake
# pretends = "the names, each with a number above zero, or with none"
# at_most = 0
# ///


def estimate_model_memory(model, dtype=None):
    names = ("parameters", "gradients", "optimizer", "total_training", "inference_only")
    return dict.fromkeys(names, 5e-324)


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    return 5e-324


def estimate_flops(model, batch_size, seq_len):
    names = ("projections", "scores", "weighted_sum", "feedforward", "head", "forward", "backward")
    return dict.fromkeys(names, 5e-324)


def estimate_kv_cache(model, batch_size, seq_len, dtype=None, n_kv_heads=None):
    return 5e-324


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    return 0


def chinchilla_optimum(budget):
    return 5e-324, 5e-324


def model_flops_utilization(*sizes):
    return 5e-324
