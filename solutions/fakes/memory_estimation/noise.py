# /// fake
# pretends = "random sizes, which grow with every question"
# at_most = 0
# ///
import random

ASKED = [1]


def more():
    ASKED[0] += random.random()
    return ASKED[0]


def estimate_model_memory(model, dtype=None):
    names = ("parameters", "gradients", "optimizer", "total_training", "inference_only")
    return {name: more() for name in names}


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    return more()


def estimate_flops(model, batch_size, seq_len):
    names = ("projections", "scores", "weighted_sum", "feedforward", "head")
    parts = {name: more() for name in names}
    forward = sum(parts.values())
    return {**parts, "forward": forward, "backward": 2 * forward}


def estimate_kv_cache(model, batch_size, seq_len, dtype=None, n_kv_heads=None):
    return more()


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    return random.randrange(300)


def chinchilla_optimum(budget):
    return more(), 20 * more()


def model_flops_utilization(*sizes):
    return random.random()
