"""GPT-2 as it was published: its weights by their names, and what they compute.

For notebook 7, which nobody grades. Nothing is fetched before `download` is called.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ADDRESS = "https://huggingface.co/openai-community/gpt2/resolve/main"
"""Where the smallest GPT-2 lies, with 124 million parameters."""
WEIGHTS, PIECES = "model.safetensors", "vocab.json"
MASKS = (".attn.bias", ".attn.masked_bias")
"""Tensors of the file that are no weights: causal masks, as large as the context."""


def random_weights(
    vocab_size: int = 60, d_model: int = 24, n_layers: int = 2, max_len: int = 16, seed: int = 0
) -> dict[str, Tensor]:
    """Draw weights with GPT-2's names and shapes, none of them 0 or 1 as some are before training.

    A linear map from a to b numbers is stored as (a, b), the transpose of what `nn.Linear` has.
    """
    import torch

    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (vocab_size, d_model),
        "wpe.weight": (max_len, d_model),
    }
    for n in range(n_layers):
        shapes |= {
            f"h.{n}.ln_1.weight": (d_model,),
            f"h.{n}.ln_1.bias": (d_model,),
            f"h.{n}.attn.c_attn.weight": (d_model, 3 * d_model),
            f"h.{n}.attn.c_attn.bias": (3 * d_model,),
            f"h.{n}.attn.c_proj.weight": (d_model, d_model),
            f"h.{n}.attn.c_proj.bias": (d_model,),
            f"h.{n}.ln_2.weight": (d_model,),
            f"h.{n}.ln_2.bias": (d_model,),
            f"h.{n}.mlp.c_fc.weight": (d_model, 4 * d_model),
            f"h.{n}.mlp.c_fc.bias": (4 * d_model,),
            f"h.{n}.mlp.c_proj.weight": (4 * d_model, d_model),
            f"h.{n}.mlp.c_proj.bias": (d_model,),
        }
    shapes |= {"ln_f.weight": (d_model,), "ln_f.bias": (d_model,)}
    chance = torch.Generator().manual_seed(seed)
    return {name: 0.3 * torch.randn(shape, generator=chance) for name, shape in shapes.items()}


def logits(
    weights: dict[str, Tensor], tokens: Tensor, n_heads: int, approximate: str = "tanh"
) -> Tensor:
    """Compute what GPT-2 does: logits (B, T, V) of token ids (B, T).

    Args:
        weights: by GPT-2's names.
        tokens: their ids.
        n_heads: which no weight's shape tells.
        approximate: how GELU is computed: GPT-2 has "tanh", this course "none".
    """
    import torch.nn.functional as F

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]

    batch, length = tokens.shape
    x = weights["wte.weight"][tokens] + weights["wpe.weight"][:length]  # (B, T, d_model)
    for n in range(sum(name.endswith(".ln_1.weight") for name in weights)):
        joint = linear(norm(x, f"h.{n}.ln_1"), f"h.{n}.attn.c_attn")  # (B, T, 3 d_model)
        q, k, v = (
            part.view(batch, length, n_heads, -1).transpose(1, 2)  # (B, n_heads, T, d_k)
            for part in joint.chunk(3, dim=-1)
        )
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(seen.transpose(1, 2).flatten(2), f"h.{n}.attn.c_proj")
        inner = F.gelu(linear(norm(x, f"h.{n}.ln_2"), f"h.{n}.mlp.c_fc"), approximate=approximate)
        x = x + linear(inner, f"h.{n}.mlp.c_proj")
    return norm(x, "ln_f") @ weights["wte.weight"].T


def download(folder: str = ".", address: str = ADDRESS) -> dict[str, Tensor]:
    """Fetch GPT-2's weights, about half a gigabyte, into a folder; what is there is not fetched.

    Raises:
        ConnectionError: it can't be fetched.
    """
    return read_safetensors(_fetched(WEIGHTS, folder, address))


def token_texts(folder: str = ".", address: str = ADDRESS) -> list[bytes]:
    """Fetch what each of GPT-2's tokens stands for: bytes, which need not be whole characters.

    Raises:
        ConnectionError: it can't be fetched.
    """
    pieces = json.loads(_fetched(PIECES, folder, address).read_text(encoding="utf-8"))
    spelled = _bytes_of_characters()
    ordered = sorted(pieces, key=pieces.__getitem__)
    return [bytes(spelled[character] for character in piece) for piece in ordered]


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read weights of 32 bits: a length, names with shapes and places as JSON, then the numbers.

    Raises:
        ValueError: a tensor is of another type.
    """
    import torch

    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    found = {}
    for name, about in json.loads(content[8:start]).items():
        if name == "__metadata__" or name.endswith(MASKS):
            continue
        if about["dtype"] != "F32":
            raise ValueError(f"{name} is of type {about['dtype']}, not F32")
        first, end = about["data_offsets"]
        numbers = torch.frombuffer(
            content, dtype=torch.float32, count=(end - first) // 4, offset=start + first
        )
        found[name.removeprefix("transformer.")] = numbers.view(about["shape"])
    return found


def _fetched(name: str, folder: str, address: str) -> Path:
    path = Path(folder) / f"gpt2-{name}"
    if path.is_file():
        return path
    part = path.with_name(f"{path.name}.part")  # whoever is interrupted has no half of a file
    try:
        urllib.request.urlretrieve(f"{address}/{name}", part)
    except OSError as error:
        raise ConnectionError(f"GPT-2 can't be fetched ({error}): is there a network?") from None
    return part.rename(path)


def _bytes_of_characters() -> dict[str, int]:
    """The byte that each character of `vocab.json` means: those that print are themselves."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): b for n, b in enumerate(others)}
