"""Uses the model's own count, NumPy's numbers, a class with static methods, bytes until the end."""

import numpy as np
import torch


class Estimator:
    UNIT = np.float64(1024) ** 2

    @staticmethod
    def itemsize(dtype):
        return torch.empty(0, dtype=dtype).element_size()

    @classmethod
    def model(cls, model, dtype=torch.float32):
        n = np.int64(model.get_parameter_breakdown()["total"])
        factors = {
            "parameters": 1, "gradients": 1, "optimizer": 2, "total_training": 4,
            "inference_only": 1,
        }  # fmt: skip
        return {k: f * n * cls.itemsize(dtype) / cls.UNIT for k, f in factors.items()}

    @classmethod
    def activations(cls, model, batch_size, seq_len, dtype=torch.float32, **options):
        size = cls.itemsize(dtype)
        d, f, h, t = (np.int64(n) for n in (model.d_model, model.d_ff, model.n_heads, seq_len))
        scores = h * 4 if options.get("fused_attention") else h * t * size
        token = model.n_layers * (8 * d * size + 2 * f * size + scores + 16) + 2 * d * size + 8
        return np.multiply(token, batch_size * seq_len) / cls.UNIT


estimate_model_memory = Estimator.model
estimate_activation_memory = Estimator.activations


class Compute:
    """NumPy's floats; operations from the weights' own shapes; a cache from keys of one position."""

    @staticmethod
    def flops(model, batch_size, seq_len):
        tokens = batch_size * seq_len
        shapes = np.array([
            (4 * model.n_layers * model.d_model, model.d_model),
            (model.n_layers * seq_len, model.d_model),
            (model.n_layers * model.d_model, seq_len),
            (2 * model.n_layers * model.d_ff, model.d_model),
            (model.vocab_size, model.d_model),
        ], dtype=np.float64)  # fmt: skip
        names = ["projections", "scores", "weighted_sum", "feedforward", "head"]
        found = dict(zip(names, 2 * tokens * shapes.prod(axis=1), strict=True))
        found["forward"] = np.sum(list(found.values()))
        found["backward"] = found["forward"] + found["forward"]
        return found

    @staticmethod
    def cache(model, batch_size, seq_len, dtype=torch.float32, n_kv_heads=None):
        heads = np.int64(n_kv_heads or model.n_heads)
        size = np.dtype([("key", "u1", model.d_model), ("value", "u1", model.d_model)]).itemsize
        elements = size * heads / model.n_heads * model.n_layers * batch_size * seq_len
        return elements * Estimator.itemsize(dtype) / Estimator.UNIT

    @staticmethod
    def batch(memory, fixed, per_sequence, reserve=0.1):
        batch = np.floor((memory - reserve * memory - fixed) / per_sequence + 1e-9)
        return np.maximum(batch, 0).astype(int)

    @staticmethod
    def optimum(budget):
        tokens = np.power(np.float64(20 * budget) / 6, 0.5)
        return np.array([tokens / 20, tokens])

    @staticmethod
    def mfu(n_parameters, n_layers, n_heads, d_head, seq_len, tokens_per_s, peak):
        work = np.dot([6, 12], [n_parameters, float(n_layers) * n_heads * d_head * seq_len])
        return np.float64(tokens_per_s) * work / peak


estimate_flops, estimate_kv_cache, largest_batch = Compute.flops, Compute.cache, Compute.batch
chinchilla_optimum, model_flops_utilization = Compute.optimum, Compute.mfu
