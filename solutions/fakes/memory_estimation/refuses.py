# /// fake
# pretends = "everything is refused, in many ways"
# at_most = 0
# ///


def estimate_model_memory(model, dtype=None):
    raise ValueError("the model has no data")


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    raise NotImplementedError("item() cannot be called on meta")


def estimate_flops(model, batch_size, seq_len):
    raise ValueError("the model has no data")


def estimate_kv_cache(model, batch_size, seq_len, dtype=None, n_kv_heads=None):
    raise ValueError("n_kv_heads")


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    raise ValueError("nothing fits")


def chinchilla_optimum(budget):
    raise OverflowError


def model_flops_utilization(*sizes):
    raise ZeroDivisionError
