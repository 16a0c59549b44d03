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


def estimate_flops(model, batch_size, seq_len):
    names = ("projections", "scores", "weighted_sum", "feedforward", "head")
    return {**dict.fromkeys(names, 1), "forward": 5, "backward": 10}


def estimate_kv_cache(model, batch_size, seq_len, dtype=None, n_kv_heads=None):
    itemsize = 4 if dtype is None else dtype.itemsize
    return (n_kv_heads or model.n_heads) / model.n_heads * itemsize / 4


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    return max(0, int(memory > fixed))


def chinchilla_optimum(budget):
    return 1, 20


def model_flops_utilization(*sizes):
    return 0.4
