# %% [markdown]
# # 7 · GPT-2 in your model
#
# The model that you have built is, up to a few details, GPT-2. OpenAI has published its weights; in
# this notebook you move them into your own model, and it writes English.
#
# Afterwards you will be able to
#
# - say in which details two implementations of one architecture differ, and which of them matter;
# - read a state dict, and map one onto another;
# - show that two models are the same by what they compute, not by what they are called.
#
# **How it works.** Nothing here is graded. One cell says `# YOUR CODE HERE`. You can do all of it without
# a network: `check("weights")` tries your mapping on weights that are drawn at random, with GPT-2's names
# and shapes. Only the very last part fetches the real ones, about half a gigabyte, and only when you
# tell it to.
#
# A word that is new to you may stand in the [glossary](99_glossary.ipynb).

# %%
import math
import sys

import torch
from torch import Tensor, nn

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, gpt2, load, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

from course.parts import TinyTransformerLM

# Your own model from notebook 4, once it is finished. Its parameters have names of their own:
# TinyTransformerLM = load("weight_tying").TinyTransformerLM

ASSIGNMENT = "gpt2"  # tells check() which notebook this is
torch.set_num_threads(1)
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown]
# ## The idea
#
# Here are the tensors of a small model with random weights and GPT-2's names, and those of yours:

# %%
theirs = gpt2.random_weights(vocab_size=60, d_model=24, n_layers=1, max_len=16)
for name, tensor in theirs.items():
    print(f"{name:24} {tuple(tensor.shape)}")

with plots.demo():
    model = TinyTransformerLM(60, 24, 4, 1, 96, max_len=16, positional="learned", tie_weights=False)
    print()
    for name, tensor in model.state_dict().items():
        print(f"{name:48} {tuple(tensor.shape)}")

# %% [markdown]
# What to mind:
#
# | GPT-2 | this course | so |
# |---|---|---|
# | a linear map from $a$ to $b$ numbers is a tensor $(a, b)$ | `nn.Linear` keeps $(b, a)$ | transpose it |
# | `c_attn` makes queries, keys and values at once, in this order | perhaps three maps, perhaps one | split it, or keep it |
# | token rows are added as they are | they are multiplied by $\sqrt{d_{\text{model}}}$ | divide the table by it |
# | the head is the table | the same, if tied | but the table has just been divided: leave it untied, and give the head the whole one |
# | positions are learned | either | `positional="learned"` |
# | GELU by its approximation with tanh | exact GELU | differs by 0.0005 at most: see notebook 2 |
#
# ## Your turn
#
# *Difficulty: ●●●●○ · about 40 minutes*
#
# Sizes are to be read off the shapes; only `n_heads` can't be. `model.load_state_dict(mapped)` is strict: it
# names whatever is missing or does not fit, which is a good guide. Tensors that are no parameters of
# yours, such as a mask in a buffer, keep what they had: begin with `dict(model.state_dict())`.


# %% solution
def model_with(theirs: dict[str, Tensor], n_heads: int) -> nn.Module:
    """Make a model of this course that computes what GPT-2 does.

    Args:
        theirs: weights by GPT-2's names.
        n_heads: how many heads its attention has.

    Returns:
        A `TinyTransformerLM` without dropout, whose logits (B, T, V) are those of GPT-2, but for the
        approximation of GELU.
    """
    ### BEGIN SOLUTION
    vocab_size, d_model = theirs["wte.weight"].shape
    max_len = len(theirs["wpe.weight"])
    n_layers = sum(name.endswith("ln_1.weight") for name in theirs)
    d_ff = theirs["h.0.mlp.c_fc.weight"].shape[1]
    model = TinyTransformerLM(
        vocab_size, d_model, n_heads, n_layers, d_ff, max_len,
        dropout=0.0, positional="learned", tie_weights=False,
    )  # fmt: skip
    own = {
        "embedding.token_embedding.embedding.weight": theirs["wte.weight"] / math.sqrt(d_model),
        "embedding.positions": theirs["wpe.weight"],
        "ln_f.weight": theirs["ln_f.weight"],
        "ln_f.bias": theirs["ln_f.bias"],
        "lm_head.weight": theirs["wte.weight"],
    }
    for n in range(n_layers):
        for name, part, turned in (
            ("norm1.weight", "ln_1.weight", False),
            ("norm1.bias", "ln_1.bias", False),
            ("self_attn.in_proj_weight", "attn.c_attn.weight", True),
            ("self_attn.in_proj_bias", "attn.c_attn.bias", False),
            ("self_attn.out_proj.weight", "attn.c_proj.weight", True),
            ("self_attn.out_proj.bias", "attn.c_proj.bias", False),
            ("norm2.weight", "ln_2.weight", False),
            ("norm2.bias", "ln_2.bias", False),
            ("linear1.weight", "mlp.c_fc.weight", True),
            ("linear1.bias", "mlp.c_fc.bias", False),
            ("linear2.weight", "mlp.c_proj.weight", True),
            ("linear2.bias", "mlp.c_proj.bias", False),
        ):
            weight = theirs[f"h.{n}.{part}"]
            own[f"blocks.{n}.layer.{name}"] = weight.T if turned else weight
    model.load_state_dict(own)
    return model
    ### END SOLUTION


# %%
check("weights")

# %% [markdown]
# **Look at it.** The same tokens through both: with exact GELU the logits agree to the last digits, with
# GPT-2's own approximation nearly.

# %%
with plots.demo(), torch.no_grad():
    theirs = gpt2.random_weights(n_layers=4)
    model = model_with(theirs, n_heads=4).eval()
    tokens = torch.randint(0, 60, (2, 16))  # (B, T)
    ours, _ = model(tokens)  # (B, T, V)
    for approximate in ("none", "tanh"):
        distance = (ours - gpt2.logits(theirs, tokens, 4, approximate)).abs().max().item()
        print(f'GELU "{approximate}": logits up to {ours.abs().max():.1f}, off by {distance:.1e}')

# %% [markdown]
# ## The real one
#
# Where there is a network, set `DOWNLOAD` to True: the weights are fetched once, into this folder. Without
# a network nothing is lost: what there is to learn, you have learned.
#
# The prompt stands there as ids, *Hello, my name is*; the tokenizer is the one of notebook 0, with 50,000
# merges. Then GPT-2 goes on, by the most probable token each time.

# %%
DOWNLOAD = False

with plots.demo(), torch.no_grad():
    if not DOWNLOAD:
        print("Nothing is fetched: set DOWNLOAD to True where there is a network.")
    else:
        texts = gpt2.token_texts()
        model = model_with(gpt2.download(), n_heads=12).eval()
        ids = torch.tensor([[15496, 11, 616, 1438, 318]])  # (B, T) = (1, 5)
        for _ in plots.steps(20):
            best = model(ids)[0][:, -1].argmax(dim=-1, keepdim=True)  # (B, 1)
            ids = torch.cat([ids, best], dim=1)
        print(b"".join(texts[token] for token in ids[0].tolist()).decode(errors="replace"))

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | `size mismatch for …` | not transposed; a square one fits also when it is wrong |
# | `Missing key(s) in state_dict` | a part that you have not mapped; or a buffer, which keeps its own |
# | right for one token, wrong for more | queries, keys and values in another order; or the wrong `n_heads` |
# | all logits are $\sqrt{d_{\text{model}}}$ times too small | the head is still tied to the divided table |
# | nearly right everywhere | positions or a bias forgotten |
#
# ## Hand in
#
# Nothing: this notebook is for practice.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **The approximation.** Replace GELU in your blocks by the one with tanh. How far off are the logits of
#    the real weights now, and before?
# 2. **Its own tokenizer.** `merges.txt` lies beside the weights. Teach the `encode` of notebook 0 to use it.
# 3. **A larger one.** `gpt2-medium` has 24 blocks and 16 heads. What has to change? (Nothing that you wrote.)
#
# ## References
#
# - Radford et al. (2019), [Language Models are Unsupervised Multitask
#   Learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf),
#   section 2.3: the model.
# - The weights: [openai-community/gpt2](https://huggingface.co/openai-community/gpt2).
