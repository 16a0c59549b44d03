# %% [markdown]
# # 4 · Weight tying
#
# A language model holds two large matrices of the same shape `(V, d_model)`: the token table, which
# turns ids into vectors, and the weight of the head, which turns vectors into scores. In this
# notebook you make one of them, and learn to count what a model consists of.
#
# Afterwards you will be able to
#
# - say which two jobs a token's row does, and why one row can do both;
# - tie the two weights, and tell tying from copying;
# - explain where the gradient of a shared weight comes from;
# - count parameters part by part, shared ones once;
# - predict how many parameters a model has, and what tying saves, before you build it.
#
# **How it works.** There is one cell that says `# YOUR CODE HERE`, three times: a class with three
# short methods. The model around them is there already: it is the one from notebook 3, in a version
# that comes with the course. `check("sharing")` tells you at once whether the basics are right;
# cells that say *graded after you hand in* stand for hidden checks.
#
# A word that is new to you may stand in the [glossary](99_glossary.ipynb).

# %%
import copy
import math
import sys

import torch
from torch import Tensor, nn

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, load, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

from course.parts import FullModel

# Your own model from notebook 3, once it is finished:
# FullModel = load("full_model").TinyTransformerLM

ASSIGNMENT = "weight_tying"  # tells check() which notebook this is
torch.set_num_threads(1)  # small models are faster on one, by far where others compute as well
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown]
# ## The idea
#
# `B` sequences of `T` tokens, a vocabulary of `V` tokens, vectors of `d_model` numbers. Look at both
# ends of the model.
#
# - **In:** token $i$ becomes row $i$ of the table $E$, with $V$ rows and $d_{\text{model}}$ columns.
# - **Out:** the last vector $h$ becomes $V$ scores, $\text{logits} = W h$. The score of token $i$ is
#   $w_i \cdot h$, the dot product of row $i$ of $W$ with $h$: large where they point the same way.
#
# Both matrices hold one row for each token, and both rows say what the token *is like*: $e_i$ to
# whoever reads it, $w_i$ to whoever looks for it. Tokens that can stand in for each other should be
# close to each other in both. So use one matrix for both: $W = E$ (Press and Wolf 2017; Inan et al.
# 2017).

# %%
plots.two_jobs()

# %% [markdown]
# **You should see** on the left a matrix at either end, on the right one matrix with an arrow to both.
# Both have the shape `(V, d_model)`; that is why one can stand in for the other.

# %%
table = torch.randn(5, 3)  # (V, d_model), one row for each of 5 tokens
ids = torch.tensor([[4, 0]])  # (B, T) = (1, 2)

vectors = table[ids]  # (B, T, d_model): the way in takes rows
scores = vectors @ table.T  # (B, T, d_model) @ (d_model, V) -> (B, T, V): the way out, all rows
print("in: ", tuple(ids.shape), "->", tuple(vectors.shape))
print("out:", tuple(vectors.shape), "->", tuple(scores.shape))

# %% [markdown]
# ## Tied, or only alike?
#
# Tying means that there is *one* `nn.Parameter`, which the model knows by two names. Two things look
# like tying and are not. Here they are, on a table and a head that belong to no model:

# %%
embedding = nn.Embedding(5, 3)
head = nn.Linear(3, 5, bias=False)  # its weight is (5, 3): (V, d_model) already, no transpose
pair = nn.ModuleList([embedding, head])


def compare(what):
    """Say what a table and a head have in common, now and after one step of training."""
    print(what)
    print("  equal numbers:     ", torch.equal(embedding.weight, head.weight))
    print("  one place in memory:", embedding.weight.data_ptr() == head.weight.data_ptr())
    print("  parameters:        ", sum(map(torch.numel, pair.parameters())), "(15 would do)")
    optimizer = torch.optim.AdamW(pair.parameters(), lr=0.1)
    head(embedding(torch.tensor([1]))).square().sum().backward()
    optimizer.step()
    embedding.weight.data.fill_(1)
    print("  a change of the table reaches the head:", bool((head.weight == 1).all()))
    pair.double()  # a change of dtype or device, as models go through
    embedding.weight.data.zero_()
    print("  and after a change of dtype:           ", bool((head.weight == 0).all()))
    pair.float()


head.weight.data.copy_(embedding.weight.data)
compare("A copy:")

embedding.reset_parameters()
head.weight = nn.Parameter(embedding.weight.data)
compare("A second parameter over the same memory:")

# %% [markdown]
# A copy is equal once and goes its own way with the first step of training. A second `nn.Parameter`
# over the same memory is worse, because it seems to work: until the first `.to(...)`, each change
# reaches both. But it counts twice, the optimizer moves it twice, each time by a part of its
# gradient, and at the next change of dtype or device the two part for good.
#
# A module's attribute is only a name, and names can share an object:

# %%
first, second = nn.Module(), nn.Module()
first.gain = nn.Parameter(torch.ones(3))
second.gain = first.gain  # the object itself: one Parameter, two names
both = nn.ModuleList([first, second])
print("parameters:", [name for name, _ in both.named_parameters()], "- listed once")

# %% [markdown]
# `parameters()` lists a parameter once, however many names it has. So everything that goes through
# it treats the shared one right: optimizers, gradient clipping, `.to()`, and counting.
#
# **Which values are left?** When two weights become one, one set of first values goes. Keep the
# table's: it was drawn with standard deviation 0.02, and the row of the padding token is zero. And
# whatever is initialised *after* tying changes both jobs. Compare what the first loss would be with
# another deviation; a model that has learned nothing should be about indifferent between the $V$
# tokens, with a loss near $\ln V$:

# %%
tokens = torch.randint(0, 1000, (4, 33))  # (B, T + 1)
for deviation in (0.02, 0.2, 1.0):
    model = FullModel(1000, d_model=64, n_heads=4, n_layers=2, d_ff=256, tie_weights=False)
    nn.init.normal_(model.lm_head.weight, std=deviation)
    with torch.no_grad():
        logits, _ = model(tokens[:, :-1])  # (B, T, V)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    print(f"head drawn with {deviation:4}: loss {loss:6.2f}    (ln V = {math.log(1000):.2f})")

# %% [markdown]
# That is why notebook 1 multiplies the vectors by $\sqrt{d_{\text{model}}}$ on the way in and leaves
# the table small: the head needs it small, the sum with the positions needs it large.
#
# ## Counting
#
# You also write the two methods that count. What belongs to which part:
#
# | key of the breakdown | parameters of | how many |
# |---|---|---|
# | `embedding` | `self.embedding`: the token table; learned positions too, if there are any | $V d$ |
# | `transformer_blocks` | `self.blocks` | $L\,(4d^2 + 2 d f + 9d + f)$ |
# | `ln_f` | `self.ln_f` | $2d$ |
# | `lm_head` | `self.lm_head`, as far as they are not the embedding's | $V d$ untied, **0 tied** |
# | `total` | the whole model: `count_parameters()` | the sum |
#
# with $d = d_{\text{model}}$, $f = d_{\text{ff}}$, $L$ blocks. (Four maps $d \times d$ with biases in
# attention; $d \times f$ and $f \times d$ with biases in the feed-forward network; two LayerNorms.)
#
# Don't compute the formula, though: a count that asks the *modules* stays right when somebody
# changes a layer. The sines and cosines of notebook 1 are a buffer, not parameters: `parameters()`
# does not list them.
#
# **Frozen** parameters, with `requires_grad = False`, are not trained, but they are there: they
# count, everywhere but in `count_parameters(trainable_only=True)`.
#
# ## Your turn
#
# *Difficulty: ●●○○○ · about 25 minutes*
#
# `FullModel` makes table and head as two matrices; `TinyTransformerLM` is the same model, with your
# three methods.
#
# - `__init__`: when `tie_weights` is true, make one parameter of the two. Which of the two names
#   makes it and which borrows it is up to you, but the numbers must be the table's.
# - `count_parameters`: an `int`, shared parameters once.
# - `get_parameter_breakdown`: a dict of five `int`s; the parts add up to `"total"`, tied or not.
#
# What is right earns its points, also while another of the three is unsolved.


# %% solution="TinyTransformerLM"
class TinyTransformerLM(FullModel):
    """The language model, with one matrix for both of its ends.

    Press and Wolf 2017, "Using the Output Embedding to Improve Language Models".

    Args:
        tie_weights: whether `lm_head.weight` and the token table,
            `embedding.token_embedding.embedding.weight`, are one and the same Parameter (V,
            d_model). It starts with the numbers of the table, the zeros of the padding token's
            row among them. It stays one through training steps, `copy.deepcopy`,
            `load_state_dict` and changes of dtype and device, but for a move to `meta`, where torch
            parts what is shared. If not, they are two Parameters.

    The other arguments, the attributes and `forward` are those of `FullModel`.
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
        super().__init__(
            vocab_size, d_model, n_heads, n_layers, d_ff, max_len, dropout, positional,
            tie_weights=False, padding_idx=padding_idx,
        )  # fmt: skip
        ### BEGIN SOLUTION
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight
        ### END SOLUTION

    def count_parameters(self, trainable_only: bool = False) -> int:
        """Count the numbers that the model consists of.

        Args:
            trainable_only: whether to leave out parameters with `requires_grad` False.

        Returns:
            The number of elements in all parameters, a shared parameter counted once.
        """
        ### BEGIN SOLUTION
        return sum(
            parameter.numel()
            for parameter in self.parameters()
            if parameter.requires_grad or not trainable_only
        )
        ### END SOLUTION

    def get_parameter_breakdown(self) -> dict[str, int]:
        """Count the parameters of each part.

        Returns:
            Numbers of elements under "embedding" (positions included), "transformer_blocks",
            "ln_f", "lm_head" and "total". Frozen parameters count. Tied weights count as the
            embedding's, so that "lm_head" is 0 then; the parts always add up to "total", which is
            `count_parameters()`.
        """
        ### BEGIN SOLUTION
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
        ### END SOLUTION


# %% question="sharing"

# %%
check("breakdown")

# %% [markdown]
# **Look at it.** The same comparison as above, on your model. Tied: everything is shared, and stays
# so. Untied: two weights, and `V * d_model` parameters more. Either way the padding token's row is the
# table's, all zeros: if it is not, the numbers that were kept are the head's.

# %%
with plots.demo():
    for tied in (True, False):
        sizes = {"n_heads": 4, "n_layers": 2, "d_ff": 256, "padding_idx": 3}
        model = TinyTransformerLM(1000, 64, **sizes, tie_weights=tied)
        table = model.embedding.token_embedding.embedding.weight
        print(f"{'tied' if tied else 'untied'}: {model.count_parameters():,} parameters")
        print("  same Parameter:", table is model.lm_head.weight)
        print("  largest number in the padding row:", table[3].abs().max().item())
        twin = copy.deepcopy(model).double()
        theirs = twin.embedding.token_embedding.embedding.weight
        print("  in a float64 copy of it:", theirs is twin.lm_head.weight)

# %% [markdown]
# **Frozen, and still there.** Freeze the table, `requires_grad = False`, and count once more: all
# parameters as before, the trainable ones `V * d_model = 64,000` fewer.

# %%
with plots.demo():
    model = TinyTransformerLM(1000, 64, n_heads=4, n_layers=2, d_ff=256)
    for name, trains in (("nothing frozen:", True), ("table frozen:  ", False)):
        model.embedding.token_embedding.embedding.weight.requires_grad = trains
        every, trained = model.count_parameters(), model.count_parameters(trainable_only=True)
        print(f"{name} {every:,} parameters, {trained:,} of them trainable")

# %% question="one_parameter"

# %% question="survives"

# %% [markdown]
# ## What the shared row learns
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# Parameter $E$ enters the loss $\ell$ in two places, so its gradient has two terms:
#
# $$
# \frac{d\ell}{dE} = \underbrace{\frac{\partial\ell}{\partial E}\Big|_{\text{in}}}_{\text{rows of tokens
# that were read}} + \underbrace{\frac{\partial\ell}{\partial E}\Big|_{\text{out}}}_{\text{all } V
# \text{ rows}}
# $$
#
# The first has a row for each token in the input, and zeros elsewhere: what was not looked up gets
# nothing. The second reaches *every* row, because the softmax lowers the score of each token that
# did not come. In a tied model a rare token's row is therefore moved at each step, and that of a token
# that was read by both terms. Autograd adds them by itself, provided that there is one parameter.
#
# **Look at it.** Three gradients: table and head of an untied model, and the one weight of a tied
# model with the same numbers in it. Only tokens 0 to 19 are in the input. The gradients add up, as
# the printed line says; the bars are their *lengths*, and lengths don't: two terms that point in
# different directions give less than the sum of their lengths. The way in gives little here, with a
# mean length of about 0.02 against 0.14 for the way out, so that the third picture looks like the
# second. For tokens from 20 on, there is only one term, and it is the second.

# %%
with plots.demo():
    size = {
        "vocab_size": 40,
        "d_model": 32,
        "n_heads": 4,
        "n_layers": 2,
        "d_ff": 64,
        "dropout": 0.0,
    }
    untied = TinyTransformerLM(**size, tie_weights=False)
    tied = TinyTransformerLM(**size, tie_weights=True)
    with torch.no_grad():
        untied.lm_head.weight.copy_(untied.embedding.token_embedding.embedding.weight)
    tied.load_state_dict(untied.state_dict())
    tokens = torch.randint(0, 20, (8, 17))  # (B, T + 1)
    for model in (untied, tied):
        logits, _ = model(tokens[:, :-1])  # (B, T, V)
        nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).backward()
    into = untied.embedding.token_embedding.embedding.weight.grad  # (V, d_model)
    out = untied.lm_head.weight.grad  # (V, d_model)
    both = tied.embedding.token_embedding.embedding.weight.grad  # (V, d_model)
    print("the sum of two is the third:", torch.allclose(into + out, both, atol=1e-6))
    plots.gradient_by_token({"untied: table": into, "untied: head": out, "tied": both}, seen=20)

# %% [markdown]
# **You should see** on the left low bars, and nothing from token 20 on; in the middle a bar for every
# token; on the right nearly the same bars, as the low ones add little to them. In a tied model no row
# ever stands still.

# %% question="gradients"

# %% [markdown]
# ## Where the parameters are
#
# *Difficulty: ●●○○○ · about 15 minutes*
#
# Four sizes recur in the notebooks. We build them on the device `meta`, which knows shapes and keeps
# no numbers: counting 92 million parameters then costs no memory.
#
# Before you count, think of the smallest, *tiny*: untied, it is three quarters tables. How many percent
# of it does tying save, and how many do the blocks hold once it is tied?

# %%
PREDICTED_TYING = {  # tiny, V = 10,000
    "% of its parameters that tying saves": None,
    "% of the tied model in the blocks": None,
}

# %%
PRESETS = {
    "tiny": {"d_model": 128, "n_heads": 4, "n_layers": 4, "d_ff": 512, "max_len": 512},
    "small": {"d_model": 256, "n_heads": 8, "n_layers": 6, "d_ff": 1024, "max_len": 1024},
    "medium": {"d_model": 512, "n_heads": 8, "n_layers": 8, "d_ff": 2048, "max_len": 1024},
    "large": {"d_model": 768, "n_heads": 12, "n_layers": 12, "d_ff": 3072, "max_len": 2048},
}


def breakdown_of(size, vocab_size=10_000, tie_weights=True):
    """Count a preset's parameters without building its weights."""
    with torch.device("meta"):
        model = TinyTransformerLM(vocab_size, **PRESETS[size], tie_weights=tie_weights)
    return model.get_parameter_breakdown()


with plots.demo():
    counted = {}  # for the table further down, too
    print(f"{'':16} {'embedding':>11} {'blocks':>11} {'ln_f':>6} {'lm_head':>11} {'total':>12}")
    for size in plots.rows(PRESETS):
        for tied in (True, False):
            name = f"{size}, {'tied' if tied else 'untied'}"
            counted[name] = parts = breakdown_of(size, tie_weights=tied)
            print(
                f"{name:16} {parts['embedding']:11,} {parts['transformer_blocks']:11,}"
                f" {parts['ln_f']:6,} {parts['lm_head']:11,} {parts['total']:12,}"
            )

# %% [markdown]
# **Look at it.** The smallest of them, with areas in proportion.

# %%
with plots.demo():
    untied, tied = breakdown_of("tiny", tie_weights=False), breakdown_of("tiny")
    plots.parameter_pies({"tiny, untied": untied, "tiny, tied": tied})
    check(
        "prediction tying",
        {
            "% of its parameters that tying saves": 100 * untied["lm_head"] / untied["total"],
            "% of the tied model in the blocks": 100 * tied["transformer_blocks"] / tied["total"],
        },
    )

# %% [markdown]
# **You should see** a slice disappear, and the pie shrink by just that slice: blocks and table keep
# their areas, and with them a larger share.
#
# Which part is the largest? One often reads that the blocks hold most of the parameters. It depends:
# table and head grow with $V \cdot d$, the blocks with $L \cdot d^2$ (about $12\,L\,d^2$, if
# $f = 4d$). So what counts is $V$ against $12\,L\,d$. A vocabulary like that of GPT-2, with 50,257
# tokens, shifts the picture. By how much?

# %%
PREDICTED_SHARES = {  # tied models, V = 50,257
    "% of tiny in the blocks": None,
    "% of large in the blocks": None,
}

# %%
with plots.demo():
    plots.parameter_shares(
        {
            f"{size}, V = {v:,}": breakdown_of(size, v)
            for v in (10_000, 50_257)
            for size in plots.rows(PRESETS)
        },
        "Tied models: the blocks' share depends on V and d_model",
    )
    inside = {}
    for size in plots.rows(("tiny", "large")):
        parts = breakdown_of(size, 50_257)
        inside[size] = 100 * parts["transformer_blocks"] / parts["total"]
    check(
        "prediction shares",
        {
            "% of tiny in the blocks": inside.get("tiny"),
            "% of large in the blocks": inside.get("large"),
        },
    )

# %% [markdown]
# **You should see** the part of the blocks grow from row to row, twice over, and start lower in the
# second half: with five times the vocabulary, *tiny* is hardly more than its table.
#
# Within a block, about a third of the parameters are attention's ($4d^2$), and two thirds the
# feed-forward network's ($2df = 8d^2$).
#
# **What tying saves** is $V d$ parameters: nearly half of a small model with a large vocabulary, and
# little of a large one with a small vocabulary. Compute it for the model at hand, and don't trust a
# percentage that is quoted without $V$ and $d$. The formula from above is enough for that:


# %%
def formula(vocab_size, d_model, n_layers, d_ff, tie_weights=True, **_sizes):
    """Number of parameters with sinusoidal positions; n_heads and max_len change nothing."""
    tables = vocab_size * d_model * (1 if tie_weights else 2)
    block = 4 * d_model**2 + 2 * d_model * d_ff + 9 * d_model + d_ff
    return tables + n_layers * block + 2 * d_model


with plots.demo():
    for name, parts in counted.items():
        size, _, tied = name.partition(", ")
        predicted = formula(10_000, **PRESETS[size], tie_weights=tied == "tied")
        print(f"{name:16} predicted {predicted:12,}, counted {parts['total']:12,}")

# %%
with plots.demo():
    vocabularies = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
    saved = {}
    for size, config in PRESETS.items():
        tables = [v * config["d_model"] for v in vocabularies]
        totals = [formula(v, **config, tie_weights=False) for v in vocabularies]
        shares = [100 * table / total for table, total in zip(tables, totals, strict=True)]
        saved[size] = vocabularies, shares
    plots.curves(
        {"vocabulary size V": saved}, "What tying saves", "% of the untied parameters", log="x"
    )

# %% [markdown]
# **You should see** four curves of one shape, side by side: each rises towards a half, which it never
# reaches, since the table that is left and the blocks stay. The wider and deeper the model, the later.
#
# **How it scales.** Presets change everything at once, so a curve through them shows no law. Vary
# one size at a time instead, starting from *small* with $V = 10{,}000$ (and $f = 4d$): the number of
# blocks and the vocabulary give straight lines, which don't start at zero, because what isn't varied
# is there as well; the width gives a curve, $12\,L\,d^2$ on top of a line; the heads change nothing.

# %%
with plots.demo():
    base = {"vocab_size": 10_000, "d_model": 256, "n_heads": 8, "n_layers": 6}
    varied = {
        "d_model": (64, 128, 256, 512, 1024),
        "n_layers": (2, 6, 12, 24, 48),
        "vocab_size": (5_000, 10_000, 20_000, 40_000, 80_000),
        "n_heads": (1, 2, 4, 8, 16),
    }
    panels = {}
    for name, values in varied.items():
        configs = [base | {name: value} for value in values]
        counts = [formula(**config, d_ff=4 * config["d_model"]) / 1e6 for config in configs]
        panels[name] = {"total": (values, counts)}
    plots.curves(panels, "One size at a time", "millions of parameters")

# %% [markdown]
# **You should see** one curve that bends, two straight lines above zero, and a flat one.
#
# **A size of your own.** Choose a configuration between *small* and *medium* and a vocabulary, and
# predict its breakdown with the formula before you run the last of the three cells. Then change
# `MY_VOCABULARY` until the table holds just half of the tied model.

# %%
MY_SIZE = {"d_model": 384, "n_heads": 6, "n_layers": 6, "d_ff": 1536, "max_len": 1024}
MY_VOCABULARY = 20_000

# %%
PREDICTED_BREAKDOWN = {  # in millions, tied; what the head is then, you know
    "embedding": None,
    "transformer_blocks": None,
    "saved by tying": None,
}

# %%
with plots.demo():
    with torch.device("meta"):
        models = [
            TinyTransformerLM(MY_VOCABULARY, **MY_SIZE, tie_weights=tie) for tie in (True, False)
        ]
    tied, untied = (model.get_parameter_breakdown() for model in models)
    print(f"tied {tied['total']:,}, untied {untied['total']:,} parameters;", end=" ")
    print(f"the table holds {tied['embedding'] / tied['total']:.1%} of the tied model")
    check(
        "prediction breakdown",
        {
            "embedding": tied["embedding"] / 1e6,
            "transformer_blocks": tied["transformer_blocks"] / 1e6,
            "saved by tying": (untied["total"] - tied["total"]) / 1e6,
        },
        within=0.01,
    )

# %% question="counting"

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | head and table are equal at first, and differ after a training step | a copy: `.data.copy_(…)`, `.clone()` |
# | the count is too large, although `data_ptr()` is the same | `nn.Parameter(…)` made a second parameter over the same memory |
# | tied on the CPU, untied after `.to(…)` or `.double()` | the same |
# | the first loss is enormous | the head's own values were kept, or the tied weight was initialised again |
# | the padding row is not zero | the same |
# | `size mismatch` when tying | `nn.Linear(d_model, V)` stores its weight as `(V, d_model)`: no transpose is needed |
# | rows of tokens that never occur get no gradient | the head computes with a detached or copied weight |
# | only the untied breakdown adds up | `lm_head` counts the shared weight a second time |
# | `lm_head` is 0 in the untied model too | it was left out instead of being counted where it is not shared |
# | the count changes when layers are frozen | `requires_grad` matters for `trainable_only=True` alone |
# | sinusoidal positions are counted | they are a buffer; count `parameters()`, not `state_dict()` |
#
# ## Hand in
#
# Restart the kernel and run all cells. Then look at all public checks once more, save, and hand in
# this file.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **Three ends.** In a translation model there are three such matrices: source table, target
#    table, head. What has to hold for all three to be one? (Press and Wolf, section 3.)
# 2. **Untying late.** Tie during the first half of training, then continue with a copy. What do you
#    have to tell the optimizer?
# 3. **A smaller table.** ALBERT (Lan et al. 2020) factors the table into `(V, e)` and `(e, d_model)`.
#    For which `e` is that smaller than your tied table? Can it still be tied?
#
# ## References
#
# - Press and Wolf (2017), [Using the Output Embedding to Improve Language
#   Models](https://arxiv.org/abs/1608.05859).
# - Inan, Khosravi and Socher (2017), [Tying Word Vectors and Word Classifiers: A Loss Framework for
#   Language Modeling](https://arxiv.org/abs/1611.01462), section 4.
# - Vaswani et al. (2017), [Attention Is All You Need](https://arxiv.org/abs/1706.03762), section 3.4:
#   the tied table, and the factor on the way in.
# - Lan et al. (2020), [ALBERT](https://arxiv.org/abs/1909.11942), section 3.1.
#
# Next: **5 · Memory estimation**: what these parameters, and everything that training adds to them,
# need in bytes.
