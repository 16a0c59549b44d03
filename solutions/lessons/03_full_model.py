# %% [markdown]
# # 3 · The full model
#
# Embedding and blocks exist; now they become a language model. It reads token ids `(B, T)` and
# returns *logits* `(B, T, V)`: at each position a score for every token of the vocabulary, the higher
# the more likely that token comes next.
#
# Afterwards you will be able to
#
# - assemble a decoder-only Transformer, and name the shape that leaves each part;
# - say which loss an untrained model must start with, and what is wrong if it doesn't;
# - walk through a forward pass by hand, and get the same logits as the model;
# - read hidden states: what grows from layer to layer, and what the norms do about it;
# - explain why a model that can see the future has a better loss and is useless.
#
# **How it works.** Two cells below say `# YOUR CODE HERE`: replace each such line and the next. What
# to fill in is described above each cell, and in its docstrings. `check("shapes")` tells you at once
# whether shapes and names are right. It looks at nothing else: a model without a mask passes it, too.
# Cells that say *graded after you hand in* stand for hidden checks. They ask for what the text and
# the docstrings say.
#
# This notebook does not need your earlier ones: the parts come with the course. When yours are
# finished, bring them in; a mistake in one of them costs nothing here.
#
# A word that is new to you may stand in the [glossary](99_glossary.ipynb).

# %%
import math
import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, load, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

from typing import Any

from course.parts import TransformerBlock, TransformerEmbedding

# Your own parts from notebooks 1 and 2, once they are finished:
# TransformerEmbedding = load("embeddings").TransformerEmbedding
# TransformerBlock = load("blocks").TransformerBlock

ASSIGNMENT = "full_model"  # tells check() which notebook this is
torch.set_num_threads(1)  # small models are faster on one, by far where others compute as well
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown]
# ## The idea
#
# A text is a row of guesses: each token follows from those before it, and a model that is made this
# way is called *autoregressive*. If it gives the probability of the next token at every position, the
# probability of a text is their product,
#
# $$p(t_1, \dots, t_n) = \prod_{i} p(t_i \mid t_1, \dots, t_{i-1})$$
#
# and training means making the texts we have more probable. One pass over $T$ tokens makes $T$
# guesses at once, one at each position, and so learns from $T$ examples. This works only if no
# position sees what it is to guess: the causal mask is what makes it honest.

# %%
plots.architecture()

# %% [markdown]
# **You should see** one straight way from ids to logits, on which the shape changes twice: at the
# embedding and at the head. Between them are `n_layers + 1` places to look at, the hidden states.

# %% [markdown]
# | part | what it is | out |
# |---|---|---|
# | `embedding` | `TransformerEmbedding`: token rows times $\sqrt{d_{\text{model}}}$, plus positions | `(B, T, d_model)` |
# | `blocks` | `n_layers` times a `TransformerBlock`, each with parameters of its own | `(B, T, d_model)` |
# | `ln_f` | a last `LayerNorm` | `(B, T, d_model)` |
# | `lm_head` | a linear map without bias: the dot product with a row for each token | `(B, T, V)` |
#
# The parts, as you may call them:
#
# - a `TransformerEmbedding` is made with `vocab_size`, `d_model`, `max_len`, `positional`, `dropout`
#   and `padding_idx`, in this order, and called on tokens `(B, T)`; its token table is
#   `embedding.token_embedding.embedding.weight`;
# - a `TransformerBlock` is made with `d_model`, `n_heads`, `d_ff` and `dropout`, and called on `x` and
#   a mask. It returns a *pair*: the new vectors, and attention weights or `None`. Without a mask it
#   hides nothing.
#
# ## Part 1: Sizes with names
#
# *Difficulty: ●○○○○ · about 5 minutes*
#
# Six numbers describe a model, apart from its vocabulary. Four combinations have names in this
# course; the table is in the docstring. Return a *fresh* dict at each call: whoever changes theirs
# must not change everybody's. An unknown name is a `ValueError`; a helpful one lists the names.

# %% solution="get_model_config"

# %% question="preset"

# %% question="presets"

# %% [markdown]
# ## Part 2: The model
#
# *Difficulty: ●●●○○ · about 30 minutes*
#
# Six decisions, each of which has been made wrongly by someone before you:
#
# **Different blocks, and registered.** `[block] * n_layers` is one block, named `n_layers` times. And
# a plain list hides modules from PyTorch: what is in it is missing from `parameters()`, so that no
# optimizer trains it and no `.to("cuda")` moves it. `nn.ModuleList` shows them. An example, with
# linear maps:


# %%
class Hidden(nn.Module):
    """Keeps its layers in a plain list."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(3, 3, bias=False) for _ in range(4)]


with plots.demo():
    one = nn.Linear(3, 3, bias=False)
    print("in a plain list:       ", sum(p.numel() for p in Hidden().parameters()), "parameters")
    print("one layer, four times: ", sum(p.numel() for p in nn.Sequential(*[one] * 4).parameters()))
    print("four layers would have:", 4 * one.weight.numel())

# %% [markdown]
# **The model makes the mask.** When the caller gives none, each block gets the causal mask, made for
# the sequence that has come in: for *its* length, on *its* device. When the caller gives a mask, it
# takes the causal one's place. The function from notebook 2 again:


# %%
def causal_mask(seq_len: int, device: torch.device | str | None = None) -> Tensor:
    """Return a bool mask (T, T), True where position t (row) may attend to s (column): s <= t."""
    return torch.ones(seq_len, seq_len, dtype=torch.bool, device=device).tril()


print(causal_mask(4).int())

# %% [markdown]
# **The last norm.** Pre-norm blocks add to the vectors and never normalise them, so that they grow
# on their way up. `ln_f` brings them back to size 1 before they are scored.
#
# **The head is small at first.** A model that knows nothing should be about indifferent: all $V$
# tokens equally likely. Then its loss, the mean of $-\ln p(\text{next token})$, is
# $-\ln \tfrac{1}{V} = \ln V$. After `ln_f`, the $d_{\text{model}}$ elements of a vector have size 1,
# so a logit has standard deviation $\sigma \sqrt{d_{\text{model}}}$ when the head's weight has
# $\sigma$. At $\sigma = 0.02$ and $d_{\text{model}} = 256$ that is 0.32: nearly indifferent. With 1, it
# would be 16, and the first loss enormous: the model would be sure of itself, and wrong. So the token
# table and the weight of an untied head both start normally distributed with mean 0 and standard
# deviation 0.02.
#
# **Predict, then run.** Write your guesses in place of `None`, run the cell, then the next one. Nothing
# is graded; what is left empty stops nothing.

# %%
PREDICTED_FIRST_LOSS = {
    "σ = 0.02": None,
    "σ = 0.1": None,
    "σ = 1.0": None,
}  # V = 1000, d_model = 256

# %%
with plots.demo():
    first_losses = {}
    h = F.layer_norm(torch.randn(500, 256), (256,))  # (B * T, d_model), as ln_f leaves them
    targets = torch.randint(1000, (500,))  # (B * T,)
    for sigma in (0.02, 0.1, 1.0):
        logits = h @ (sigma * torch.randn(256, 1000))  # (B * T, V)
        first_losses[sigma] = F.cross_entropy(logits, targets)
        print(f"σ = {sigma:4}: logits ± {logits.std():5.2f}, first loss ", end="")
        print(f"{first_losses[sigma]:6.2f}   (ln V = {math.log(1000):.2f})")
    check(
        "prediction first loss",
        {
            "σ = 0.02": first_losses[0.02],
            "σ = 0.1": first_losses[0.1],
            "σ = 1.0": first_losses[1.0],
        },
    )

# %% [markdown]
# As long as the logits' standard deviation $s$ is small, the loss is about $\ln V + s^2/2$: their
# spread is what being sure of the wrong thing costs. At $s = 16$ it is nearly the largest of the
# logits instead: one token takes all of the probability, and it is hardly ever the right one.

# %% [markdown]
# **Tying.** `lm_head.weight` has the shape of the token table, `(V, d_model)`, and when `tie_weights`
# is true it *is* the token table: one `nn.Parameter` with two names, which takes one assignment. The
# table is `embedding.token_embedding.embedding.weight`, and the head takes it over, not the other way
# round: the numbers that stay are the table's. Notebook 4 is about why, and what can go wrong.
#
# **Hidden states** are returned on request: `n_layers + 1` tensors `(B, T, d_model)`, the embedding's
# output first, then the output of each block; the last one is what `ln_f` *reads*. Each is a tensor
# of its own: a list keeps references, so that `x += …` would change what is in it already. Asking for
# them must not change the logits. The result is a pair in any case.
#
# And pass everything on: `dropout` to the embedding *and* to the blocks; `n_heads` and `d_ff` to the
# blocks; `max_len`, `positional` and `padding_idx` to the embedding, which refuses what is too long.
# Nothing else drops anything: the model has no dropout of its own. All arguments can be given
# without their names, in the order of the stubs.
#
# *Yours to choose:* the eps of `ln_f`, a list or a tuple for the states, whether they are detached,
# and whether the causal mask is made anew or kept from an earlier call, as long as it fits the one
# that has come in.

# %% solution="TinyTransformerLM" without=["count_parameters", "get_parameter_breakdown", "generate"]

# %% question="shapes"

# %% [markdown]
# **Look at it.** PyTorch prints a module's parts in the order in which they were made. It prints
# `3 x` for one block named three times as well: count the different ones. The first loss should be a
# little above $\ln 1000 = 6.91$, from 6.92 to 6.96; about 7.1 means that the head kept PyTorch's own
# values, whether it is tied or not.

# %%
with plots.demo():
    sizes = {"vocab_size": 1000, "d_model": 128, "n_heads": 4, "n_layers": 3, "d_ff": 512}
    model = TinyTransformerLM(**sizes, max_len=256)
    tokens = torch.randint(0, 1000, (4, 65))  # (B, T + 1)
    inputs, targets = tokens[:, :-1], tokens[:, 1:]  # (B, T) each: what comes next
    logits, _ = model(inputs)  # (B, T, V)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    print(model)
    print(f"\ntokens {tuple(inputs.shape)} -> logits {tuple(logits.shape)}, loss {loss.item():.2f}")
    print("different blocks:", len({id(block) for block in model.blocks}), "of 3")
    table = model.embedding.token_embedding.embedding.weight  # (V, d_model)
    print("lm_head.weight is the table:", model.lm_head.weight is table)

# %% question="initialisation"

# %% question="distinct_blocks"

# %% question="arguments"

# %% [markdown]
# ## Part 3: Step by step
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# Watch one batch on its way through your model. For each part: the shape that leaves it, mean and
# standard deviation of the elements, and by how much a block has changed the vectors. *Off by* is a
# test: the part is called once more, by hand, on what the model says has entered it. It should
# give what the model says has left it: a number that is not 0 shows where something is wrong.
#
# A block that is called by hand needs the mask by hand. The last column forgets it, as one easily
# does: then each position sees the whole text, and what comes out is something else.


# %%
def tell(part, out, again=None, before=None, unmasked=None):
    """Print a line about what has left a part of the model, and what leaves it when called again."""
    numbers = [f"{out.mean():8.4f} {out.std():6.3f}"]
    numbers.append(" " * 7 if before is None else f"{(out - before).abs().mean():7.3f}")
    numbers.append("" if again is None else f"{(again - out).abs().max():8.1e}")
    numbers.append("" if unmasked is None else f"{(unmasked - out).abs().max():8.1e}")
    print(f"{part:10} {tuple(out.shape)!s:14}", *numbers)


with plots.demo(), torch.no_grad():
    model = TinyTransformerLM(1000, **get_model_config("tiny")).eval()
    tokens = torch.randint(0, 1000, (4, 16))  # (B, T)
    logits, states = model(tokens, return_hidden_states=True)  # (B, T, V), (B, T, d_model) each
    mask = causal_mask(16)  # (T, T)
    print(f"{'':10} {'shape':14} {'mean':>8} {'std':>6} {'change':>7} {'off by':>8} {'no mask':>8}")
    tell("embedding", states[0], model.embedding(tokens))
    for number, block in enumerate(model.blocks, 1):
        entered, left = states[number - 1], states[number]  # (B, T, d_model) each
        tell(f"block {number}", left, block(entered, mask)[0], entered, block(entered)[0])
    normed = model.ln_f(states[-1])  # (B, T, d_model)
    tell("ln_f", normed)
    tell("lm_head", logits, model.lm_head(normed))

# %% question="composition"

# %% [markdown]
# **Does the future leak?** Change the last token. Under the causal mask, which your model makes by
# itself, no logit before the last position may move. A mask that allows everything lets them all.

# %%
with plots.demo(), torch.no_grad():
    model = TinyTransformerLM(1000, **get_model_config("tiny")).eval()
    tokens = torch.randint(0, 1000, (4, 16))  # (B, T)
    changed = tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 1000
    everything = torch.ones(16, 16, dtype=torch.bool)  # (T, T)
    for name, mask in (("no mask given", None), ("everything allowed", everything)):
        distances = (
            (model(changed, mask)[0] - model(tokens, mask)[0]).abs().amax(dim=(0, 2))
        )  # (T,)
        print(f"{name:18}: {int((distances[:-1] > 1e-6).sum())} of 15 earlier positions moved")

# %% question="causality"

# %% [markdown]
# ## Part 4: Hidden states
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# What happens to the vectors on their way up? Look at the mean and the standard deviation of their
# elements, and at their length.
#
# One often reads that LayerNorm keeps the hidden states at one size. Look again: it normalises what
# *enters a sublayer*. The residual stream itself only ever gets something added. When what is added
# has little to do with what is there, squares of lengths add up, and the vectors grow, layer by
# layer. Only `ln_f` puts an end to it: after it, each vector is about
# $\sqrt{d_{\text{model}}}$ long.
#
# (The mean is not 0, and need not be. It comes with the positions: slow cosines are still near 1.)
#
# Predict two lengths, for *small*: $d_{\text{model}} = 256$. What is a token's part in the first one,
# and what a position's? Squares of lengths add up here, too. (By how much six untrained blocks
# lengthen a vector does not follow from what you know: read it off.)

# %%
PREDICTED_LENGTHS = {"embedding": None, "after ln_f": None}

# %%
with plots.demo(), torch.no_grad():
    model = TinyTransformerLM(1000, **get_model_config("small")).eval()
    tokens = torch.randint(0, 1000, (4, len(plots.steps(64))))  # (B, T)
    _, states = model(tokens, return_hidden_states=True)
    for number, state in enumerate(states):  # (B, T, d_model) each
        name = "embedding" if number == 0 else f"block {number}"
        length = state.norm(dim=-1).mean()
        print(f"{name:9}: mean {state.mean():7.4f}, std {state.std():.4f}, length {length:.2f}")
    normed = model.ln_f(states[-1]).norm(dim=-1).mean()
    print(f"after ln_f: length {normed:.2f}, √d_model = {math.sqrt(model.d_model):.2f}")
    plots.hidden_states(states, "small, untrained")
    check(
        "prediction lengths",
        {"embedding": states[0].norm(dim=-1).mean(), "after ln_f": normed},
    )

# %% [markdown]
# **You should see** the length on the right grow with each block, and the standard deviation with it:
# they are one thing, as length is about $\sqrt{d_{\text{model}}}$ times the root mean square.

# %% question="hidden_states"

# %% [markdown]
# ## Part 5: How large are they?
#
# The four sizes, counted. On the device `meta` tensors have a shape and no content, so that the
# large one takes neither memory nor time. Everything grows at once from one row to the next; which
# part of it is due to what, notebook 4 takes apart.
#
# For a guess it is enough to know that a block has about $12\,d_{\text{model}}^2$ parameters when
# `d_ff` is four times `d_model`, and the table $V d_{\text{model}}$.

# %%
PREDICTED_GROWTH = {  # parameters of the tied models at V = 10,000, divided
    "small / tiny": None,
    "large / tiny": None,
}


# %%
def count(module):
    """Number of elements of all parameters, shared ones once."""
    return sum(map(torch.numel, module.parameters()))


with plots.demo():
    print("V = 10,000:                             parameters in millions")
    print("size    d_model  layers  heads   d_ff    total  embedding  blocks")
    totals = {}
    for size in plots.rows(("tiny", "small", "medium", "large")):
        config = get_model_config(size)
        with torch.device("meta"):
            model = TinyTransformerLM(vocab_size=10_000, **config)
        millions = [count(part) / 1e6 for part in (model, model.embedding, model.blocks)]
        totals[size] = millions[0]
        print(
            f"{size:7} {config['d_model']:7} {config['n_layers']:7} {config['n_heads']:6}"
            f" {config['d_ff']:6} {millions[0]:8.2f} {millions[1]:10.2f} {millions[2]:7.2f}"
        )
    tiny = totals["tiny"]
    check(
        "prediction growth",
        {
            "small / tiny": totals.get("small", 0) / tiny,
            "large / tiny": totals.get("large", 0) / tiny,
        },
        within=0.2,
    )

# %% [markdown]
# **A size of your own.** `MY_SIZE` starts as *small*. Change it into something between *small* and
# *medium*, with about 15 million parameters at $V = 10{,}000$: there are many ways, deep and narrow or
# flat and wide. Predict what it has before you count.

# %%
MY_SIZE = {"d_model": 256, "n_heads": 8, "n_layers": 6, "d_ff": 1024, "max_len": 1024}

# %%
PREDICTED_MY_SIZE = {"millions in all": None, "millions in the blocks": None}

# %%
with plots.demo():
    with torch.device("meta"):
        model = TinyTransformerLM(vocab_size=10_000, **MY_SIZE)
    print(f"{count(model):,} parameters, {count(model.blocks):,} of them in the blocks")
    check(
        "prediction my size",
        {
            "millions in all": count(model) / 1e6,
            "millions in the blocks": count(model.blocks) / 1e6,
        },
    )

# %% [markdown]
# ## Part 6: Too good to be true
#
# Train your model to predict the throws of a die. Nobody can: the best possible loss is
# $\ln 6 = 1.79$. Then train it once more, and let it see the future, by giving it a mask that allows
# everything. The loss falls far below what is possible, because the answer to every position stands
# in the next one, and a block learns quickly to copy it from there. All that has to be left is
# $\tfrac{1}{T} \ln 6$: the guess at the last position, whose answer lies outside. A short training
# ends above that, and goes on falling.
#
# Such a model has learned nothing about dice, and could not write a text: there, no future exists to
# copy from. Remember this when a loss looks too good.


# %%
def train_on_dice(mask, seq_len=16):
    """The losses of a small model trained on throws of a die, under a mask (T, T) or None."""
    torch.manual_seed(0)
    model = TinyTransformerLM(6, 64, n_heads=4, n_layers=2, d_ff=128, max_len=64, dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in plots.steps(120):  # a second or two
        throws = torch.randint(0, 6, (32, seq_len + 1))  # (B, T + 1)
        logits, _ = model(throws[:, :-1], mask)  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), throws[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


with plots.demo():
    everything = torch.ones(16, 16, dtype=torch.bool)  # (T, T)
    runs = {"your model": train_on_dice(None), "sees the future": train_on_dice(everything)}
    step = list(range(len(runs["your model"])))
    lines = {name: (step, losses) for name, losses in runs.items()}
    plots.curves({"step": lines}, "Learning to predict a die", "loss", levels={"ln 6": math.log(6)})
    print(f"sees the future, at the end: {runs['sees the future'][-1]:.2f}; ", end="")
    print(f"ln 6 / T = {math.log(6) / 16:.2f}")

# %% [markdown]
# **You should see** your model's loss fall to the dotted line of the best possible one and stay there,
# trembling. The other curve goes through that line as if it were not there: nothing honest can.

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | the first loss is far above $\ln V$ | the head or the token table kept PyTorch's own initialisation; or the table was scaled |
# | the loss falls below what is possible | the future leaks: no mask made, or not handed to every block |
# | `'tuple' object has no attribute …` in the second block | a block returns a pair |
# | it works for one length only | the mask was made once, in `__init__` |
# | `Expected all tensors to be on the same device` | the mask was made on the CPU |
# | a caller's mask has no effect | the causal mask is always made; or mixed with the given one |
# | `model.to("cuda")` leaves the blocks behind; they don't learn | a plain list instead of `nn.ModuleList` |
# | far too few parameters | one block, used `n_layers` times |
# | all hidden states are equal | appended once, or changed in place afterwards |
# | the last hidden state has length $\sqrt{d_{\text{model}}}$ | taken after `ln_f` instead of before |
# | evaluation is random | a part was created in `forward`; or dropout outside of a module |
# | `dropout=0` still drops | the parts kept their own default, 0.1 |
# | a preset is spoiled by somebody's change | the same dict is returned each time |
#
# ## Hand in
#
# Restart the kernel and run all cells: a notebook that works only in the order you wrote it in is
# not finished. Then look at all public checks once more, save, and hand in this file.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **Which layer knows it already?** Apply `lm_head(ln_f(state))` to *every* hidden state of a model
#    that you have trained on a short text (nostalgebraist 2020 calls this the *logit lens*). From
#    which layer on is the right token the best?
# 2. **Deep or wide.** Find two sizes of your own with as many parameters, one with many blocks and one
#    with few. Time a forward pass of each. Which one is faster, and why?
# 3. **How the stream grows.** Plot the hidden states of models with 2, 8 and 32 layers. GPT-2 divides
#    the initial weights of the two maps that write into the stream by $\sqrt{2\,n_{\text{layers}}}$.
#    Do it, and plot again.
# 4. **GPT-2 in your model.** It has this very architecture, and its weights are published: notebook 7,
#    `07_gpt2.ipynb`, which is not graded either.
# 5. **Padding.** Sequences of different length are filled up with padding tokens. Build a mask
#    `(B, 1, T, T)` that is causal *and* hides them. What must not happen to a row of the mask?
#
# ## References
#
# - Radford et al. (2019), [Language Models are Unsupervised Multitask
#   Learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf),
#   section 2.3: pre-norm, the final norm, scaled initialisation.
# - Vaswani et al. (2017), [Attention Is All You Need](https://arxiv.org/abs/1706.03762), section 3.
# - Xiong et al. (2020), [On Layer Normalization in the Transformer
#   Architecture](https://arxiv.org/abs/2002.04745): pre-norm blocks, and the last norm after them.
# - Bengio et al. (2003), [A Neural Probabilistic Language
#   Model](https://www.jmlr.org/papers/v3/bengio03a.html): the product of guesses.
# - nostalgebraist (2020), interpreting GPT: the logit lens.
#
# Next: **4 · Weight tying**, where one matrix does two jobs. It starts without this notebook;
# `load("full_model")` brings your model in when it is ready.
