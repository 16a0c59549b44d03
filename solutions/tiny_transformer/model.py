"""The whole language model: embedding, blocks, a final norm and a head that scores each token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .attention import causal_mask
from .embeddings import TransformerEmbedding
from .generation import generate
from .memory import estimate_activation_memory, estimate_model_memory
from .transformer_block import TransformerBlock

__all__ = [
    "TinyTransformerLM",
    "estimate_activation_memory",
    "estimate_model_memory",
    "get_model_config",
]


class TinyTransformerLM(nn.Module):
    """A decoder-only Transformer that scores, at every position, each candidate for the next token.

        tokens -> embedding -> block 1 ... block n_layers -> ln_f -> lm_head -> logits

    Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3; with
    weight tying as in Press and Wolf 2017, "Using the Output Embedding to Improve Language
    Models".

    Args:
        vocab_size: number of different tokens V.
        d_model: length of each vector.
        n_heads: attention heads in each block; divides d_model.
        n_layers: number of blocks, each with parameters of its own.
        d_ff: width of the feed-forward networks.
        max_len: the longest sequence that `forward` takes.
        dropout: probability of dropping, in the embedding and in the blocks, and nowhere else.
        positional: "sinusoidal" or "learned": how the embedding encodes positions.
        tie_weights: whether `lm_head.weight` and the token table are one and the same Parameter.
            If not, `lm_head.weight` starts normally distributed with mean 0 and standard
            deviation 0.02, as the token table does: either way an untrained model is about
            indifferent between the tokens, and its first loss is near ln V.
        padding_idx: id of the padding token, or None; its row of the token table starts as zeros,
            tied or not.

    Attributes:
        vocab_size, d_model, n_heads, n_layers, d_ff, max_len: the arguments of these names.
        embedding: the `TransformerEmbedding`.
        blocks: an `nn.ModuleList` of `n_layers` different `TransformerBlock`s.
        ln_f: the final LayerNorm over d_model, with parameters of its own; its eps is yours to
            choose.
        lm_head: the linear map from d_model to V, without bias; weight (V, d_model).

    Raises:
        ValueError: `n_heads` does not divide `d_model`, or `positional` is unknown.
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        n_heads: int,
        n_layers: int,
        d_ff: int,
        max_len: int = 1024,
        dropout: float = 0.1,
        positional: str = "sinusoidal",
        tie_weights: bool = True,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.d_ff = d_ff
        self.max_len = max_len
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.blocks = nn.ModuleList(
            TransformerBlock(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight
        else:
            nn.init.normal_(self.lm_head.weight, mean=0.0, std=0.02)

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, return_hidden_states: bool = False
    ) -> tuple[Tensor, list[Tensor] | None]:
        """Score the next token at every position.

        Args:
            tokens: token ids (B, T), int32 or int64.
            mask: which positions may attend to which, for every block, in place of the causal
                mask; it broadcasts to (B, n_heads, T, T): bool, True to allow, or float, added to
                the scores (0 to allow, -inf to forbid). None makes the causal mask.
            return_hidden_states: whether to return the vectors between the blocks as well.

        Returns:
            The logits (B, T, V), and the n_layers + 1 hidden states, each (B, T, d_model), or None
            if they are not asked for: first the embedding's output, then each block's output, the
            last one from before `ln_f`. Each state is a tensor of its own; it may be detached.

        Raises:
            ValueError: T is more than `max_len`.
        """
        if mask is None:
            mask = causal_mask(tokens.size(1), device=tokens.device)  # (T, T)
        x = self.embedding(tokens)  # (B, T, d_model)
        hidden_states = [x]
        for block in self.blocks:
            x, _ = block(x, mask)  # (B, T, d_model)
            hidden_states.append(x)
        logits = self.lm_head(self.ln_f(x))  # (B, T, V)
        return logits, hidden_states if return_hidden_states else None

    def count_parameters(self, trainable_only: bool = False) -> int:
        """Count the numbers that the model consists of.

        Args:
            trainable_only: whether to leave out parameters with `requires_grad` False.

        Returns:
            The number of elements in all parameters, a shared parameter counted once.
        """
        return sum(
            parameter.numel()
            for parameter in self.parameters()
            if parameter.requires_grad or not trainable_only
        )

    def get_parameter_breakdown(self) -> dict[str, int]:
        """Count the parameters of each part.

        Returns:
            Numbers of elements under "embedding" (positions included), "transformer_blocks",
            "ln_f", "lm_head" and "total". Frozen parameters count. Tied weights count as the
            embedding's, so that "lm_head" is 0 then; the parts always add up to "total", which is
            `count_parameters()`.
        """
        embedding = sum(parameter.numel() for parameter in self.embedding.parameters())
        blocks = sum(parameter.numel() for parameter in self.blocks.parameters())
        ln_f = sum(parameter.numel() for parameter in self.ln_f.parameters())
        total = self.count_parameters()
        return {
            "embedding": embedding,
            "transformer_blocks": blocks,
            "ln_f": ln_f,
            "lm_head": total - embedding - blocks - ln_f,
            "total": total,
        }

    def generate(
        self,
        start_tokens: Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        *,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        use_cache: bool = False,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Continue each sequence, one sampled token after the other.

        Generation is the last assignment: nothing before it needs this method.

        Args:
            start_tokens: token ids (B, T) to continue, T at least 1; left as they are.
            max_new_tokens: how many tokens to add to each sequence.
            temperature: 0 for always the most probable token, 1 for the model's own
                probabilities, more for more variety.
            top_k: sample from the k most probable tokens alone.
            top_p: sample from the most probable tokens that together have probability top_p.
            min_p: sample from tokens at least min_p times as probable as the most probable one.
            use_cache: keep each block's keys and values instead of computing them again: the same
                text, sooner.
            generator: where the random numbers come from; None is torch's default generator.

        Returns:
            Token ids (B, T + max_new_tokens): the start, then what follows.

        Raises:
            ValueError: `temperature` or `max_new_tokens` is negative, there is no token to start
                from, or a token is to be drawn and a limit is out of range.
        """
        return generate(
            self,
            start_tokens,
            max_new_tokens,
            temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            use_cache=use_cache,
            generator=generator,
        )


def get_model_config(size: str) -> dict[str, Any]:
    """Return the arguments of `TinyTransformerLM`, except the vocabulary's size, by a size's name.

        size    d_model  n_heads  n_layers  d_ff  max_len  dropout
        tiny        128        4         4   512      512      0.1
        small       256        8         6  1024     1024      0.1
        medium      512        8         8  2048     1024      0.1
        large       768       12        12  3072     2048      0.1

    Args:
        size: "tiny", "small", "medium" or "large", spelled like this.

    Returns:
        A new dict with the keys d_model, n_heads, n_layers, d_ff, max_len and dropout: changing it
        changes no later call.

    Raises:
        ValueError: there is no such size.
    """
    columns = ("d_model", "n_heads", "n_layers", "d_ff", "max_len", "dropout")
    rows = {
        "tiny": (128, 4, 4, 512, 512, 0.1),
        "small": (256, 8, 6, 1024, 1024, 0.1),
        "medium": (512, 8, 8, 2048, 1024, 0.1),
        "large": (768, 12, 12, 3072, 2048, 0.1),
    }
    if size not in rows:
        raise ValueError(f"no model size is called {size!r}; there are {', '.join(rows)}")
    return dict(zip(columns, rows[size], strict=True))
