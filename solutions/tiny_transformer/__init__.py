"""A small Transformer language model, one class for each concept; torch is all it needs."""

from .attention import causal_mask, scaled_dot_product_attention, softmax
from .compute import chinchilla_optimum, estimate_flops, model_flops_utilization
from .embeddings import (
    LearnedPositionalEmbedding,
    SinusoidalPositionalEncoding,
    TokenEmbedding,
    TransformerEmbedding,
)
from .feedforward import FeedForward
from .generation import (
    KeyValueCache,
    generate,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    sample_next,
)
from .memory import (
    estimate_activation_memory,
    estimate_kv_cache,
    estimate_model_memory,
    largest_batch,
    measure_activation_memory,
)
from .model import TinyTransformerLM, get_model_config
from .modern import ModernBlock, grouped_attention, rms_norm, rope, swiglu
from .multi_head import MultiHeadAttention
from .normalisation import LayerNorm
from .training import overfit
from .transformer_block import TransformerBlock

__all__ = [
    "FeedForward",
    "KeyValueCache",
    "LayerNorm",
    "LearnedPositionalEmbedding",
    "ModernBlock",
    "MultiHeadAttention",
    "SinusoidalPositionalEncoding",
    "TinyTransformerLM",
    "TokenEmbedding",
    "TransformerBlock",
    "TransformerEmbedding",
    "causal_mask",
    "chinchilla_optimum",
    "estimate_activation_memory",
    "estimate_flops",
    "estimate_kv_cache",
    "estimate_model_memory",
    "generate",
    "get_model_config",
    "grouped_attention",
    "keep_min_p",
    "keep_top_k",
    "keep_top_p",
    "largest_batch",
    "measure_activation_memory",
    "model_flops_utilization",
    "overfit",
    "rms_norm",
    "rope",
    "sample_next",
    "scaled_dot_product_attention",
    "softmax",
    "swiglu",
]
