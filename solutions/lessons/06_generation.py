# %% [markdown]
# # 6 · Generation
#
# A language model gives scores for the next token, and no text. To get a text, choose a token, append
# it, and ask again. In this notebook you write that loop, and at the end the model that you have
# built writes.
#
# Afterwards you will be able to
#
# - turn logits into a token, at any temperature, zero included;
# - write the loop so that it looks at the right tokens and leaves no traces;
# - test a function whose results are random;
# - make a model learn a text by heart, and say why that is the first test of any training (bonus);
# - leave out improbable tokens, and compute nothing twice (bonus);
# - train a model that *generalises*, and prove that it does (bonus);
# - find out what its heads have learned (bonus).
#
# **How it works.** Parts 1 and 2 are the assignment: two functions, `sample_next` and `generate`.
# Parts 4 to 8 are bonuses, each on its own; do those that you like. `check("shapes")` tells you at
# once whether the basics are right; cells that say *graded after you hand in* stand for hidden checks.
# What is checked is `generate`, on models that come with the course. Functions of yours that have the
# names and parameters of the stubs are asked by themselves, too; if you divide the work otherwise,
# nobody minds. What is not written yet costs its own points only: the loop is tried with another
# sampler, the sampler without the loop. A word that is new to you may stand in the
# [glossary](99_glossary.ipynb).

# %%
import math
import random
import string
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, load, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

from course.parts import TinyTransformerLM

# Your own model from notebook 3, once it is finished:
# TinyTransformerLM = load("full_model").TinyTransformerLM

ASSIGNMENT = "generation"  # tells check() which notebook this is
torch.set_num_threads(1)  # small models are faster on one, by far where others compute as well
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown]
# ## The idea
#
# The logits at position $t$ score the token at position $t + 1$. Of the `(B, T, V)` that the model
# returns, only the last position tells something new: what comes after the text.

# %%
plots.pipeline(
    [
        ("the last\nmax_len tokens", "(B, T)"),
        ("model", "(B, T, V)"),
        ("last\nposition", "(B, V)"),
        ("softmax of\nlogits / τ", "(B, V)"),
        ("draw one", "(B,)"),
        ("append,\nrepeat", "(B, T + 1)"),
    ],
    "One step of generation",
)

# %% [markdown]
# ## Part 1: One token
#
# Why draw at all, and not simply take the most probable token? Because the most probable *text* is
# not what a text is like: people say improbable things all the time, a little (Holtzman et al. 2020).
# Always taking the best, called *greedy*, tends to end in a loop. So draw each token with its own
# probability, and turn a knob: the **temperature** $\tau$,
#
# $$p_i = \frac{e^{z_i/\tau}}{\sum_j e^{z_j/\tau}}$$
#
# for the logits $z$. With $\tau = 1$ these are the model's probabilities. Below 1, differences between
# logits grow, and the best tokens win more often; above 1, the distribution gets flatter.
#
# How undecided a distribution is says its *entropy* $-\sum_i p_i \ln p_i$: 0 when one token has it all,
# $\ln V$ when all are equal. With the natural logarithm, its unit is the *nat*; one nat is 1.44 bits. Five tokens have the logits 2, 1, 0.5, 0 and -1. Before you go on: what do
# you expect? (Predictions are for you alone; nobody grades them.)

# %%
PREDICTED_HEAT = {
    "probability of the best at τ = 0.25": None,
    "probability of the best at τ = 4": None,
    "entropy at τ = 1000": None,
}  # your guesses, then run both cells

# %%
logits = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0])  # (V,)
CHOICES = ["a", "b", "c", "d", "e"]
temperatures = (0.25, 0.5, 1.0, 4.0)
plots.token_probabilities(
    {f"τ = {t:g}": (logits / t).softmax(dim=-1).tolist() for t in temperatures},
    CHOICES,
    "The same logits at four temperatures",
)
best = {t: (logits / t).softmax(dim=-1)[0] for t in temperatures}
hot = (logits / 1000).softmax(dim=-1)  # (V,)
check(
    "prediction heat",
    {
        "probability of the best at τ = 0.25": best[0.25],
        "probability of the best at τ = 4": best[4.0],
        "entropy at τ = 1000": -(hot * hot.log()).sum(),
    },
)

# %% [markdown]
# **You should see** one bar at the left and five nearly equal ones at the right: the order of the tokens
# is the same at every temperature.
#
# Three details:
#
# - **Zero.** As $\tau \to 0$, all the probability goes to the largest logit. Dividing by 0 does not
#   get there, so temperature 0 is a case of its own: the most probable token, without drawing.
# - **Nearly zero** must work as well: at $\tau = 10^{-4}$ a logit of 10 becomes 100,000, and $e^{100000}$
#   is infinite. `softmax` takes care of that by subtracting the largest logit first. At
#   $\tau = 10^{-37}$, a logit of 40 overflows already when you divide: subtract before you divide.
# - **Negative** temperatures make no sense: raise a `ValueError`.
#
# `torch.multinomial(probabilities, 1)` draws for each row on its own. Any other way of drawing is as
# good, if all its random numbers come from `generator` when one is given.
#
# The limits `top_k`, `top_p` and `min_p` are a bonus. The three functions that apply them stand here,
# above the one that may call them. **Skip them now, and go on at "Draw a token"**; Part 5 explains them.
#
# ### Top-k (bonus)
#
# *Difficulty: ●●○○○ · about 10 minutes*

# %% solution="keep_top_k"

# %% [markdown]
# ### Top-p (bonus)
#
# *Difficulty: ●●●●○ · about 20 minutes*

# %% solution="keep_top_p"

# %% [markdown]
# ### Min-p (bonus)
#
# *Difficulty: ●●○○○ · about 10 minutes*

# %% solution="keep_min_p"

# %% [markdown]
# ### Draw a token
#
# This is the one that counts. The limits that it takes can be ignored until Part 5.
#
# *Difficulty: ●●●○○ · about 20 minutes*

# %% solution="sample_next"

# %%
check("draws")

# %% [markdown]
# **Look at it.** How does one test a function whose results are random? By counting. In 2,000 draws,
# token $i$ should come about $2000\,p_i$ times, give or take $\sqrt{2000\,p_i}$. The hidden check
# does the same, with Pearson's chi-square test: a correct sampler passes, whichever way it draws,
# and fails by bad luck less than once in a million hand-ins.

# %%
with plots.demo():
    expected, drawn = {}, {}
    for t in (0.5, 1.0, 2.0):
        ids = sample_next(logits.expand(2000, -1), temperature=t)  # (B,) = (2000,)
        expected[f"τ = {t:g}"] = (logits / t).softmax(dim=-1).tolist()
        drawn[f"τ = {t:g}"] = (ids.bincount(minlength=5) / 2000).tolist()
    plots.token_probabilities(expected, CHOICES, "2,000 draws", drawn)

# %% [markdown]
# **You should see** every dot near the end of its bar, at each temperature.
#
# ## Part 2: The loop
#
# *Difficulty: ●●●○○ · about 30 minutes*
#
# `generate` takes a model, a prompt `(B, T)` and a number of tokens, and returns `(B, T +
# max_new_tokens)`. What makes it a good citizen:
#
# - **The window.** The model takes at most `model.max_len` tokens. When the text is longer, it sees
#   the *last* `max_len` of them, those nearest to what comes next. The text itself is never cut.
# - **The last position** is what counts, whatever the length.
# - **Evaluation.** No dropout, and no gradient: nothing is trained here, and autograd would keep the
#   activations of every step. Afterwards the model is in the mode in which it was: a model in
#   training stays in training. Its modules may be in unlike modes, and the model may raise: each
#   module's flag is then what it was before, too. So save `module.training` of each of `model.modules()`,
#   and put them all back in a `finally`.
# - **No traces.** The prompt is not changed; a new tensor comes back, in the prompt's dtype and on its
#   device. And never set a seed inside: who does so gets the same "random" text each time, and spoils
#   the caller's random numbers. When a `generator` is given, it decides the text alone.
# - **Rows are independent.** Each sequence is continued on its own, with draws of its own.
# - `max_new_tokens=0` gives the prompt. With a `ValueError` are refused: a negative temperature, also
#   when nothing is to be drawn; a negative number of tokens; a prompt without tokens.
#
# `model(tokens)` returns a pair: the logits, and hidden states or `None`. Use no more of the model
# than that, `model.max_len` and what every `nn.Module` has: below comes one without any parameters.
# Whether you return a tensor of inference mode is up to you. (`torch.inference_mode()` is a stricter
# `torch.no_grad()`: tensors that are made in it can never take part in a backward pass.) `use_cache` is a bonus (Part 6), and can
# be ignored until then.

# %% solution="generate"

# %%
check("position")

# %% question="shapes"

# %% question="context"

# %% question="sampling"

# %% [markdown]
# **Look at it.** We need a model that has something to say, and training comes later. In 1948, Claude
# Shannon wrote text by counting: which letter follows these three letters in a book, and how often?
# That is a language model, with a window of three tokens and a table in place of a network. Its
# interface is that of ours, so your `generate` works with it at once.

# %%
STORY = (
    "The lighthouse keeper had a cat, and the cat had a chair. In the morning the keeper climbed the "
    "stairs and the cat took the chair. In the evening the keeper came down the stairs and the cat "
    "kept the chair. They never spoke of it. When the wind came from the north the keeper read to "
    "the cat; when the wind came from the south the cat slept and the keeper listened to the sea. "
    "One night a ship came near, and the keeper climbed the stairs and lit the lamp again, and the "
    "cat, alone with the sea and the stairs and the wind, kept the chair warm. In the morning the "
    "ship was there, small and whole, and a man with a red hat came up the stairs. He had fish. The "
    "keeper gave him tea, the man gave the cat the fish, and the cat, after a long look at the man, "
    "at the fish, and at the sea, gave him the chair. "
)
LETTERS = " ,.;" + string.ascii_letters


def encode(text):
    """Token ids (1, T) of a text, a token for each letter."""
    return torch.tensor([[LETTERS.index(letter) for letter in text]])


def decode(ids):
    """The text of token ids (T,)."""
    return "".join(LETTERS[i] for i in ids.tolist())


class CountingModel(nn.Module):
    """Scores the next letter by how often it followed the last `max_len` letters in a text."""

    def __init__(self, text, max_len):
        super().__init__()
        self.max_len = max_len
        ids = encode(text)[0].tolist()
        self.counts = {}
        for place, following in enumerate(ids):
            for length in range(min(max_len, place) + 1):
                context = tuple(ids[place - length : place])
                row = self.counts.setdefault(context, torch.full((len(LETTERS),), 1e-4))
                row[following] += 1

    def forward(self, tokens):  # (B, T) -> (B, T, V), None
        return torch.stack([self.score(row) for row in tokens.tolist()]), None

    def score(self, ids):
        """Logits (T, V) of one sequence: the logarithm of the counts after the longest known part."""
        rows = []
        for end in range(1, len(ids) + 1):
            context = tuple(ids[max(0, end - self.max_len) : end])
            while context not in self.counts:
                context = context[1:]
            rows.append(self.counts[context].log())
        return torch.stack(rows)


with plots.demo():
    for window in plots.rows((1, 2, 3, 5)):
        torch.manual_seed(1)
        text = generate(CountingModel(STORY, window), encode("The cat "), len(plots.steps(80)))
        print(f"window {window}: {decode(text[0])}")

# %% [markdown]
# The longer the window, the closer to the story, until the text is the story itself. Strange letters
# are rare: those that never followed a context in the story count 0.0001 each, and have at most 0.55 %
# together. The temperature does something else: it decides how far the model dares to leave the
# beaten track.

# %%
with plots.demo():
    counting = CountingModel(STORY, 3)
    for t in plots.rows((0, 0.5, 1.0, 1.5, 3.0)):
        torch.manual_seed(2)
        text = generate(counting, encode("The cat "), len(plots.steps(80)), temperature=t)
        print(f"τ = {t:3}: {decode(text[0])}")

# %% [markdown]
# And it must leave no traces:

# %%
with plots.demo():
    prompt, counting = encode("The cat "), CountingModel(STORY, 3).train()
    before = prompt.clone()
    one, two = generate(counting, prompt, 20), generate(counting, prompt, 20)
    print("prompt unchanged:        ", torch.equal(prompt, before))
    print("still in training mode:  ", counting.training)
    generate(counting.eval(), prompt, 20)
    print("and still in eval mode:  ", not counting.training)
    counting.train()
    print("another text the 2nd time:", not torch.equal(one, two))
    both = generate(counting, torch.cat([prompt, prompt]), 20)
    print("rows of a batch differ:  ", not torch.equal(both[0], both[1]))

# %% question="independence"

# %% question="side_effects"

# %% question="inference"

# %% question="temperature"

# %% [markdown]
# ## Part 3: A model that has learned nothing
#
# Now a Transformer, fresh from initialisation. It can be asked already:

# %%
with plots.demo():
    model = TinyTransformerLM(10_000, d_model=128, n_heads=4, n_layers=4, d_ff=512, max_len=512)
    start = torch.randint(0, 10_000, (3, 5))  # (B, T)
    new = len(plots.steps(8))
    written = generate(model, start, max_new_tokens=new)
    for row in written:
        print(row[:5].tolist(), "+", row[5:].tolist())
    print("shape:", tuple(written.shape))
    print("greedy:", generate(model, start[:1], new, temperature=0)[0].tolist())

# %% [markdown]
# Drawn, it is noise. Greedy, a model with tied weights usually repeats the first token that it has
# chosen: it was already on top, and now its own row of the table adds to the vector that is scored.
#
# To compare temperatures here shows nothing, because there is next to nothing to compare. How
# undecided is a model that has learned nothing, with a vocabulary of 10,000?

# %%
PREDICTED_UNTRAINED = {
    "entropy at τ = 1": None,
    "entropy at τ = 0.5": None,
}  # your guesses, then run both cells

# %%
with plots.demo():
    model = TinyTransformerLM(
        10_000, d_model=128, n_heads=4, n_layers=4, d_ff=512, max_len=512
    ).eval()
    with torch.no_grad():
        last = model(torch.randint(0, 10_000, (8, 16)))[0][:, -1]  # (B, V)
    entropies = {}
    for t in (0.5, 1.0, 2.0):
        p = (last / t).softmax(dim=-1)  # (B, V)
        entropies[t] = -(p * p.log()).sum(dim=-1).mean()
        print(f"τ = {t}: entropy {entropies[t]:.2f} of at most ln V = {math.log(10_000):.2f}")
    check(
        "prediction untrained",
        {"entropy at τ = 1": entropies[1.0], "entropy at τ = 0.5": entropies[0.5]},
    )

# %% [markdown]
# At $\tau = 1$ it is within 0.03 nats of complete indifference. The reason is the size of the logits: each
# is the product of a row of the table, 128 elements with a standard deviation of 0.02, and a vector that
# the final norm has brought to the length $\sqrt{128}$. So logits have a standard deviation $\sigma$ of
# only about $0.02 \sqrt{128} = 0.23$, and entropy falls short of $\ln V$ by about $\sigma^2 / 2\tau^2$.
#
# ## Part 4 (bonus): By heart
#
# *Difficulty: ●●○○○ · about 15 minutes*
#
# Before a model learns from a library, let it learn one sentence by heart. That takes seconds, and it
# tests everything at once: embedding, mask, blocks, tying, loss, optimizer and generation. If a model
# can't even do this, no amount of data will help.
#
# `overfit` trains a model on a single text. Position $t$ is to predict token $t + 1$: the inputs are
# all tokens but the last, the targets all tokens but the first. The loss is
# $-\ln p(\text{target})$, averaged over the positions (`F.cross_entropy`), and the optimizer AdamW.
#
# Judge the result by the *text*: given the beginning, does greedy generation write the rest? The loss
# can lie. Notebook 3 had a model that saw the future, and with it a fabulous loss. What is checked
# is the text, the list of losses, and that each module's mode is afterwards what it was; another
# optimizer, or a clipped gradient, is as good.

# %% solution="overfit"

# %% [markdown]
# **Look at it.** 300 steps take a few seconds. The loss starts near $\ln V$, at complete
# indifference; at the end, the text should come back letter by letter.

# %%
SENTENCES = (
    "At low tide the keeper walks to the wreck, counts her ribs, and walks home. At high tide she "
    "counts the ships. Nobody knows what the keeper does with the numbers."
)
with plots.demo():
    writer = None
with plots.demo():
    torch.manual_seed(0)
    text = encode(SENTENCES)  # (1, T)
    model = TinyTransformerLM(len(LETTERS), 64, n_heads=4, n_layers=2, d_ff=256, max_len=256)
    losses = overfit(model, text[0], n_steps=len(plots.steps(300)))
    plots.curves(
        {
            "step": {
                "the model": (range(len(losses)), losses),
                "ln V": ((0, len(losses) - 1), (math.log(len(LETTERS)),) * 2),
            }
        },
        f"Learning {len(SENTENCES)} letters by heart",
        "loss",
    )
    recited = generate(model, text[:, :8], len(plots.steps(text.size(1) - 8)), temperature=0)
    match = (recited == text[:, : recited.size(1)])[:, 8:].float().mean().item()
    print(f"{match:.0%} of the letters are right: {decode(recited[0])}")
    writer = model

# %% [markdown]
# **You should see** the loss fall from the dashed line to nearly nothing, and a match of 100 %.
#
# **Temperatures, side by side**, on a model that has something to say. It is sure of each letter, so
# it takes some heat to make it stumble. Even then it finds its way back for a while: it has learned
# what follows what, and also what stands at which position. (Entropies are averages over the text.)

# %%
with plots.demo():
    if writer is None:
        raise NotImplementedError  # nothing is trained yet
    with torch.no_grad():
        scores = writer.eval()(text)[0]  # (1, T, V)
    for t in plots.rows((0.5, 1.0, 1.5, 2.0, 3.0)):
        torch.manual_seed(3)
        log_p = (scores / t).log_softmax(dim=-1)
        entropy = -(log_p.exp() * log_p).sum(dim=-1).mean()
        sample = decode(generate(writer, text[:, :8], len(plots.steps(70)), temperature=t)[0])
        print(f"τ = {t}, entropy {entropy:.2f}: {sample}")

# %% question="milestone"

# %% [markdown]
# ## Part 5 (bonus): Leaving out the tail
#
# A vocabulary of 50,000 holds 49,900 tokens that make no sense here. Each is very improbable, but
# together they are not, and one of them is enough to derail a text. Three ways to leave them out
# *after* the temperature and *before* drawing; what is left is scaled up to 1 again, which the
# softmax does by itself when the others are set to $-\infty$:
#
# - **top-k** keeps the $k$ most probable tokens (Fan et al. 2018): always the same number, whether the
#   model is sure or not;
# - **top-p**, or *nucleus*, keeps the fewest tokens that together have probability $p$ or more
#   (Holtzman et al. 2020): few when the model is sure, many when it is not. The token that reaches $p$
#   still belongs to it, and the best is always kept;
# - **min-p** keeps tokens at least $p$ times as probable as the best one (Nguyen et al. 2025).
#
# Each row of a batch has its own best tokens; among equals, which ones are kept is up to you. Write
# the three functions above `sample_next`, and call them from there; `generate` passes the limits on.
# A limit that is out of range is refused with a `ValueError`.
#
# *Difficulty: ●●●○○ · about 10 minutes*
#
# That is for calling them; with the three functions themselves, this part takes about 50 minutes.

# %%
check("limits")

# %% [markdown]
# **Look at it.** Two models with 50 tokens each: one that is sure, one that is not. Both have a long tail:
# the $r$-th most probable token has a probability proportional to $r^{-2.2}$ in the model that is sure,
# to $r^{-0.8}$ in the other.

# %%
PREDICTED_KEPT = {
    "top-p, not sure": None,
    "min-p, not sure": None,
    "min-p, sure": None,
}  # of 50 tokens, for p = 0.9 and p = 0.1: your guesses, then run both cells

# %%
with plots.demo():
    ranks = torch.arange(1, 51).log()  # (V,) = (50,)
    two = {"sure": (-2.2 * ranks).unsqueeze(0), "not sure": (-0.8 * ranks).unsqueeze(0)}  # (B, V)
    limits = {
        "top-k, k = 5": lambda z: keep_top_k(z, 5),
        "top-p, p = 0.9": lambda z: keep_top_p(z, 0.9),
        "min-p, p = 0.1": lambda z: keep_min_p(z, 0.1),
    }
    left = {
        limit: {name: keep(z).isfinite()[0].tolist() for name, z in two.items()}
        for limit, keep in limits.items()
    }
    shares = {name: z.softmax(dim=-1)[0].tolist() for name, z in two.items()}
    plots.kept_tokens(shares, left, "What three limits leave of two models")
    check(
        "prediction kept",
        {
            "top-p, not sure": sum(left["top-p, p = 0.9"]["not sure"]),
            "min-p, not sure": sum(left["min-p, p = 0.1"]["not sure"]),
            "min-p, sure": sum(left["min-p, p = 0.1"]["sure"]),
        },
        within=0.2,
    )

# %% [markdown]
# **You should see** that top-k keeps 5 tokens of both, while the other two limits follow the model: top-p
# keeps 4 and 37, min-p 2 and 17. Top-p reaches farther into the tail when the model is not sure.

# %% question="top_k"

# %% question="top_p"

# %% question="min_p"

# %% [markdown]
# ## Part 6 (bonus): Nothing twice
#
# *Difficulty: ●●●●● · about 60 minutes*
#
# Your loop asks the model about the whole text for each new token: for $n$ tokens, that is
# $1 + 2 + \dots + n \approx n^2/2$ positions. Nearly all of it has been computed before: under the causal
# mask, what happens at a position depends on earlier ones alone, and those don't change.
#
# What does the *new* position need of the old ones? In each block, its query is compared with their
# **keys**, and their **values** are mixed. So keep these two, `(B, n_heads, T, d_k)` for each block;
# with each token, compute one row more and append it (Shazeer 2019, section 2.4): a *KV cache*. All else at
# old positions is no longer needed.
#
# It ends at the window. Once the text is longer than `max_len`, each step drops the first token, so
# that *every* token moves to another position and gets another position vector: nothing that was kept
# is right any more.
#
# A cache has to look inside the blocks. Those of `course.parts` have `ln_1`, `attention` (with the
# maps `q_proj`, `k_proj`, `v_proj` and `out_proj`), `ln_2` and `feedforward`: each is called with
# `(B, T, d_model)`, and a block adds what `out_proj` and `feedforward` give. Before the blocks,
# positions come from `model.embedding`, which counts them from the first token that it gets: so give it
# the whole text and take what is new, `model.embedding(tokens)[:, n_read:]`. After them come the norm
# `model.ln_f` and `model.lm_head`. How many heads there are says `model.n_heads`. (Underneath, in `block.layer`, is an `nn.TransformerEncoderLayer`, which keeps
# the first three maps in one matrix: nothing that you have to know.) Your own blocks are up to you.
# What is checked is that `use_cache=True` gives the same text with much less work.

# %% solution="KeyValueCache"

# %% [markdown]
# **Look at it.** The same text, sooner. It gets longer than the window of 128 tokens: a cache that goes
# on beyond it writes another text.

# %%
with plots.demo():
    torch.manual_seed(0)
    model = TinyTransformerLM(100, 128, n_heads=4, n_layers=4, d_ff=512, max_len=128)
    start = torch.randint(0, 100, (1, 6))  # (B, T)
    KeyValueCache(model.eval()).read(start)
    texts = []
    for use_cache in (False, True):
        torch.manual_seed(0)
        began = time.perf_counter()
        texts.append(generate(model, start, len(plots.steps(150)), use_cache=use_cache))
        took = time.perf_counter() - began
        print(f"{'with the cache' if use_cache else 'without':15} {took:5.2f} s")
    print("the same text:", torch.equal(*texts))

# %% question="cache"

# %% [markdown]
# ## Part 7 (bonus): Training, properly
#
# In Part 4 a model learned one text by heart. That is no use to anybody who wants to know about *other*
# texts. Here it gets more text than it can remember, and is judged by text that was kept back. You
# write what every training script consists of; each function is checked by itself.
#
# **A language whose entropy is known.** How good can a model become? For English nobody knows. So let
# us make a language:
#
# > the merry queen loves the rose , and she sings beside that rose .
#
# A sentence has 14 tokens; a token is a word here. Five of them are free: one of 8 adjectives, of 8
# persons, of 8 verbs, of 8 things, and of 8 verbs again. All others follow. The pronoun belongs to the
# person, and the thing at the end is the thing in the middle.

# %%
SLOTS = {
    "QUALITY": "gentle weary merry noble humble bitter lonely silver",
    "PERSON": "king prince monk miller queen duchess widow weaver",
    "VERB": "loves keeps seeks hides finds brings buries praises",
    "THING": "rose crown sword lute ring letter lantern mirror",
    "DEED": "sings sleeps weeps walks dreams waits prays rides",
}
PATTERN = "the QUALITY PERSON VERB the THING , and PRONOUN DEED beside that THING ."
MEN = ("king", "prince", "monk", "miller")


def sentences(count, seed):
    """The words of so many sentences, one after the other."""
    chance, words = random.Random(seed), []
    for _ in range(count):
        chosen = {slot: chance.choice(choices.split()) for slot, choices in SLOTS.items()}
        chosen["PRONOUN"] = "he" if chosen["PERSON"] in MEN else "she"
        words += [chosen.get(word, word) for word in PATTERN.split()]
    return words


WORDS = sorted(set(sentences(1000, seed=0)))


def word_ids(words):
    """Token ids (N,) of words."""
    return torch.tensor([WORDS.index(word) for word in words])


print(" ".join(sentences(2, seed=5)))
print(len(WORDS), "words")

# %% [markdown]
# How low can the loss of a model get on a text of this kind that it has not seen?

# %%
PREDICTED_LANGUAGE = {
    "loss before any training": None,
    "lowest loss that is possible": None,
}  # nats a token: your guesses, then run both cells

# %%
check(
    "prediction language",
    {
        "loss before any training": math.log(len(WORDS)),
        "lowest loss that is possible": 5 * math.log(8) / 14,
    },
)

# %% [markdown]
# Each sentence takes 5 free choices among 8, so its entropy is $5 \ln 8$ nats, and a token has
# $5 \ln 8 / 14 = 0.743$ nats on average. **No model can have a lower loss on a text that it has not
# seen**, however large it is. And who sees only the last 5 words? From there, neither the person is in
# sight when the pronoun comes, nor the first thing when the second comes: $\ln 2$ and $\ln 8$ nats
# are lost in each sentence. Such a model ends at $(5 \ln 8 + \ln 2 + \ln 8)/14 = 0.941$ at best, even
# if it knows all of its training text by heart. So a loss below 0.941 proves that your model looks
# back, and has understood something about texts that it has never seen.
#
# ### Batches
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# A text of $N$ tokens has $N - T$ places where a piece of $T + 1$ tokens can begin. Draw some, cut the
# pieces, and take all but the last token as inputs, all but the first as targets: every position of
# every piece is an exercise.

# %% solution="get_batch"

# %% question="batches"

# %% [markdown]
# ### Cross-entropy
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# The loss is $-\ln p(\text{target})$, and with $p$ the softmax of the logits $z$
#
# $$-\ln \frac{e^{z_y}}{\sum_j e^{z_j}} = \ln \sum_j e^{z_j} - z_y,$$
#
# `logsumexp` minus the target's logit. Never compute the softmax and then its logarithm: a probability
# that has been rounded to 0 has none.
#
# Why `ignore_index`? Sequences in a batch are padded to the same length, and what follows the end of a
# text is not to be learned. Padding stands in the *inputs* as a token like others; in the *targets* it
# is marked by a number that is no token. Positions so marked must count neither in the sum nor in
# the number that it is divided by.

# %% solution="cross_entropy"

# %% question="loss"

# %% [markdown]
# ### Clipping
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# Now and then a batch has a gradient a hundred times as long as the others, and one step undoes the
# work of many. So limit the length: if all gradients $g$ together, as one long vector, have a norm
# above $c$, multiply each of them by $c / \lVert g \rVert$. The direction stays as it is, which
# is why all parameters share *one* factor.
#
# `parameters` may be a generator, as `model.parameters()` is: it can be gone through once only. Make a
# list of it first.

# %% solution="clip_gradients"

# %% question="clipping"

# %% [markdown]
# ### AdamW
#
# *Difficulty: ●●●●○ · about 25 minutes*
#
# Adam (Kingma and Ba 2015) keeps two moving averages for each parameter: $m$ of the gradient and $v$ of
# its square, both 0 at the start. In step $n = 1, 2, \dots$ with gradient $g$ and rate $\alpha$
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$
# $$\hat m = \frac{m}{1 - \beta_1^n} \qquad \hat v = \frac{v}{1 - \beta_2^n}$$
# $$\theta \leftarrow \theta - \alpha \Big( \frac{\hat m}{\sqrt{\hat v} + \varepsilon} + \lambda\, \theta \Big)$$
#
# with the old $\theta$ on the right. The averages start at 0 and are too small at first; dividing by
# $1 - \beta^n$ makes up for it. The quotient is near $\pm 1$ where gradients agree, near 0
# where they don't: the rate alone decides how long a step is. The W stands for the last term: weights
# decay on their own, and not by way of the gradient, where the quotient would undo it.

# %% solution="adamw_step"

# %% question="optimizer"

# %% [markdown]
# ### The learning rate
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# In the first steps the averages know next to nothing, so take small ones; near the end, small steps
# settle what large ones only circle. Hence a **warm-up** and then a **cosine**: with
# $w$ steps of warm-up, step $s \ge w$ has the rate
#
# $$\alpha_{\min} + \tfrac12 (\alpha_{\max} - \alpha_{\min}) \Big(1 + \cos \pi \frac{s - w}{S - w} \Big)$$
#
# until $s = S$.

# %% solution="learning_rate_at"

# %% question="schedule"

# %%
with plots.demo():
    rates = [learning_rate_at(step, 600, peak=0.01, warmup=60) for step in range(600)]
    plots.curves({"step": {"rate": (range(600), rates)}}, "Warm-up and cosine", "learning rate")

# %% [markdown]
# **You should see** a straight climb over a tenth of the steps, and a slope that is flat at both ends.
#
# ### Validation
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# What matters is the loss on a text that was kept back. It is often told as **perplexity**, $e^{\text{loss}}$:
# a model with perplexity 10 is as undecided as one that throws a die with 10 sides for each token.

# %% solution="validation_loss"

# %% [markdown]
# `check("tools")` tries three of the functions above: `get_batch`, `cross_entropy` and `adamw_step`. You
# can run it as soon as one of them is written: what is not written yet says so, and stops nothing else.

# %%
check("tools")

# %% question="validation"

# %% [markdown]
# ### All of it together
#
# *Difficulty: ●●●○○ · about 15 minutes*
#
# `train` is the loop: a batch, its loss, the gradient, clipped to length 1, a step at the rate of the
# schedule, which ends at 0. Call your own functions, or torch's where yours are not done (`F.cross_entropy`,
# `torch.optim.AdamW`, `torch.nn.utils.clip_grad_norm_`): what is checked is what the model has learned,
# on a text that was kept back, and what `train` tells.

# %% solution="train"

# %% [markdown]
# **Look at it.** Training takes some seconds. Of 1,500 sentences, hardly any occurs among those that
# were kept back: there are 32,768.

# %%
with plots.demo():
    reader = None
with plots.demo():
    learned, kept_back = (word_ids(sentences(n, seed=n)) for n in (1500, 150))

    def validate(step):
        if step % 50 == 49:
            validated[step] = validation_loss(model, kept_back, 24)

    for seed in plots.rows(range(1, 7)):
        torch.manual_seed(seed)
        model = TinyTransformerLM(
            len(WORDS), 64, n_heads=4, n_layers=1, d_ff=256, max_len=24, dropout=0.0
        )
        validated = {-1: validation_loss(model, kept_back, 24)}
        losses = train(model, learned, len(plots.steps(600)), after_step=validate)
        loss = validation_loss(model, kept_back, 24)
        print(f"seed {seed}: kept back: loss {loss:.3f}, perplexity {math.exp(loss):.2f}")
        if loss < 0.86:
            break  # it has understood
    last = len(losses) - 1
    plots.curves(
        {
            "step": {
                "batches": (range(len(losses)), losses),
                "kept back": (list(validated), list(validated.values())),
                "5 words": ((0, last), ((6 * math.log(8) + math.log(2)) / 14,) * 2),
                "entropy": ((0, last), (5 * math.log(8) / 14,) * 2),
            }
        },
        "Learning a language",
        "loss in nats",
        log="y",
    )
    start = word_ids(["the", "merry"]).unsqueeze(0)
    written = generate(model, start, len(plots.steps(40)))[0]
    print(" ".join(WORDS[i] for i in written.tolist()))
    reader = model

# %% [markdown]
# **You should see** a quick fall to the upper line, where words are known by their neighbours alone, a
# while without progress, and then a second fall: the model has begun to look back. Both curves stay
# together, because no text comes often enough to be remembered. The lower line can't be reached:
# a piece that begins in the middle of a sentence hides its person or its thing.
#
# When the second fall comes is a matter of chance: of the first weights, and of what your `get_batch`
# draws. A loss near 0.92 means that the pronoun is understood and the thing is not. Then the cell tries
# another seed, up to six of them; about every second one is good enough. If none is, put other seeds
# into its loop.

# %% question="training"

# %% [markdown]
# ## Part 8 (bonus): Look inside
#
# What has it learned? Nobody told the model that pronouns belong to persons. If it gets them right, the
# position before the pronoun must have looked at the person: that can be seen.

# %%
with plots.demo():
    if reader is None:
        raise NotImplementedError  # nothing is trained yet
    shown = sentences(1, seed=3)
    tokens = word_ids(shown).unsqueeze(0)  # (1, T)
    mask = torch.ones(tokens.size(1), tokens.size(1), dtype=torch.bool).tril()  # (T, T)
    with torch.no_grad():
        _, states = reader(tokens, return_hidden_states=True)
        _, weights = reader.blocks[0](states[0], mask, return_attention=True)  # (1, H, T, T)
    places = {"and": 2, "that": 5}  # before the pronoun and before the thing: what decides these
    strongest = {
        word: int(weights[0, :, shown.index(word), key].argmax()) for word, key in places.items()
    }
    plots.attention_weights(
        {f"{word}: head {head + 1}": weights[0, head] for word, head in strongest.items()},
        shown,
        "Who looks where",
    )

# %% [markdown]
# **You should see** that the row of `and` puts most of its weight on the person, because the next word
# is `he` or `she`. The row of `that` looks for the thing, which comes again. If one of the two looks
# anywhere, the second fall above has not come yet, or not whole: do first what stands there. Rows whose next word is a free choice have nothing to look for, and look anywhere.
#
# ### Induction heads
#
# *Difficulty: ●●●○○ · about 15 minutes*
#
# Give a model random tokens, and then the same once more. The first time, nothing can be known about
# them. The second time everything can: find the place where the present token came before, and say what
# followed there. A head that attends to that place is an **induction head** (Olsson et al. 2022). It
# needs a block before it, in which each position notes the token before it, or no query could
# find "the token that comes after one like me".
#
# With period $P$, the query at $t$ has its like at $t - P$, and what came next stands at $t - P + 1$.
# `induction_scores` says how much weight each head puts there.

# %% solution="induction_scores"

# %%
check("looks")

# %% question="induction"

# %% [markdown]
# **Look at it.** A model with two blocks learns from sequences that repeat with periods 8, 9, 10 and 12,
# drawn anew in each step. It is then shown period 11, which it has never seen.

# %%
PERIODS = (8, 9, 10, 12)


def repeated(batch_size, period, length=24):
    """Random tokens (B, T), of which each is the one `period` places before."""
    return torch.randint(16, (batch_size, period)).repeat(1, 3)[:, :length]


with plots.demo():
    finder, found_at = None, None
with plots.demo():
    induction_scores([torch.ones(1, 1, 2, 2)], 1)  # nothing to train for while this is unsolved
    torch.manual_seed(0)
    model = TinyTransformerLM(16, 64, n_heads=2, n_layers=2, d_ff=64, max_len=24, dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3, betas=(0.9, 0.98))
    for step in plots.steps(300):
        optimizer.param_groups[0]["lr"] = 6e-3 * min(1, (step + 1) / 50)  # a warm-up
        period = PERIODS[step % 4]
        tokens = repeated(32, period)  # (B, T)
        logits, _ = model(tokens)  # (B, T, V)
        targets = tokens[:, period + 1 :]
        loss = F.cross_entropy(logits[:, period:-1].flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    tokens = repeated(64, 11)  # (B, T)
    mask = torch.ones(24, 24, dtype=torch.bool).tril()  # (T, T)
    with torch.no_grad():
        _, states = model(tokens, return_hidden_states=True)
        weights = [
            block(x, mask, return_attention=True)[1]
            for block, x in zip(model.blocks, states, strict=False)
        ]  # n_layers of (B, H, T, T)
    scores = induction_scores(weights, 11)  # (n_layers, n_heads)
    for layer, row in enumerate(scores.tolist(), 1):
        print(f"block {layer}:", ", ".join(f"{score:.2f}" for score in row))
    plots.attention_weights(
        {f"block {n}": layer[0, 0] for n, layer in enumerate(weights, 1)},
        title="The first head of each block",
    )
    finder, found_at = model, (tokens, states)

# %% [markdown]
# **You should see** a stripe in the second block, ten places left of the diagonal: induction heads. In
# the first block there is none: its heads look at the tokens just before, for the second one to use.
#
# ### The logit lens
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# The residual stream has the same shape after each block, and the head can score any of it. So ask what
# the model *would* say if it ended here (nostalgebraist 2020).

# %% solution="logit_lens"

# %% question="lens"

# %%
with plots.demo():
    if finder is None:
        raise NotImplementedError  # nothing is trained yet
    tokens, states = found_at
    with torch.no_grad():
        seen = logit_lens(finder, states)  # (n_layers + 1, B, T, V)
    right = (seen[:, :, :-1].argmax(dim=-1) == tokens[:, 1:]).float().mean(dim=1)  # (L + 1, T - 1)
    names = ("embedding", "after block 1", "after block 2")
    plots.curves(
        {
            "position": {
                name: (range(23), row) for name, row in zip(names, right.tolist(), strict=True)
            }
        },
        "The next token is right, as seen from each state (period 11)",
        "share",
    )

# %% [markdown]
# **You should see** that nothing is known before position 11, where the repetition begins, and that
# even then only the last state knows: the second block finds the answer. The curve of the embedding lies
# hidden under that of block 1. With tied weights both states score the *present* token best, and it is
# its own successor once in 16 times.

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | the text ignores the prompt, or repeats the second-last token | logits of the wrong position: `[:, -1]` |
# | `… tokens are more than max_len` | no window |
# | long texts turn to nonsense | the *first* `max_len` tokens, instead of the last |
# | the same text each time | a seed is set inside; or always the best token |
# | hot texts are tame and cold ones wild | multiplied by the temperature instead of divided |
# | `probability tensor contains either inf, nan …` | divided by 0; or everything was set to $-\infty$ |
# | all rows of a batch get the same token | one draw for all; or `argmax` over the wrong axis |
# | the prompt grows, too | appended in place; start from a copy |
# | dropout is off after the first sample | `model.eval()` was not undone |
# | dropout is on everywhere after it | `model.train()` at the end, whatever it was before |
# | memory grows with each token | gradients: `torch.no_grad()` |
# | top-p keeps nothing when the model is sure | the token that *reaches* $p$ has to stay |
# | the cache is right until `max_len`, and wrong afterwards | positions have moved: read the window anew |
# | the loss falls below the entropy | the model sees its targets, or validates on what it learned |
# | the loss falls at first and then explodes | gradients add up: `model.zero_grad()`; or no clipping |
# | AdamW is right in the first step only | $n$ does not count, or `state` is replaced, not filled |
#
# ## Hand in
#
# Restart the kernel and run all cells. Then look at all public checks once more, save, and hand in
# this file.

# %%
check()

# %% [markdown]
# **Your own model, as one thing.** A function that takes a model first becomes its method by being
# named in the class:

# %%
with plots.demo():

    class LanguageModel(TinyTransformerLM):
        """The model of this course, complete."""

        generate = generate

    model = LanguageModel(100, 64, n_heads=4, n_layers=2, d_ff=256)
    print(model.generate(torch.zeros(1, 1, dtype=torch.long), max_new_tokens=5).tolist())

# %% [markdown]
# ## Go further (not graded)
#
# 1. **Your own size.** Take your configuration between *small* and *medium*, let it learn a page of
#    your own by heart, and compare temperatures. How many steps does it take? At which temperature
#    does it begin to invent?
# 2. **A whole book.** Train on a book, letter by letter, and measure the loss on a part that you kept
#    back. When does it stop falling? Shannon (1951) found 0.6 to 1.3 bits
#    a letter for English.
# 3. **The most probable text.** *Beam search* keeps the best few beginnings instead of one. Write it,
#    and compare the probability of its text, and its charm, with greedy and with sampling.
# 4. **Guess ahead.** *Speculative decoding* (Leviathan et al. 2023) lets a small model write some
#    tokens and a large one check them all at once, without changing the distribution. Your counting
#    model could be the small one.
# 5. **A model that others have trained.** Notebook [7](07_gpt2.ipynb) puts the weights of GPT-2 into the
#    model that you have built, and lets your `generate` write with it.
#
# ## References
#
# - Shannon (1948), [A Mathematical Theory of
#   Communication](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x), section 3: text from counts.
# - Ackley, Hinton and Sejnowski (1985), [A Learning Algorithm for Boltzmann
#   Machines](https://www.cs.toronto.edu/~hinton/absps/cogscibm.pdf), equation 4: temperature.
# - Holtzman et al. (2020), [The Curious Case of Neural Text
#   Degeneration](https://arxiv.org/abs/1904.09751): why to draw, and top-p.
# - Fan, Lewis and Dauphin (2018), [Hierarchical Neural Story
#   Generation](https://arxiv.org/abs/1805.04833), section 5.4: top-k.
# - Nguyen et al. (2025), [Turning Up the Heat: Min-p Sampling](https://arxiv.org/abs/2407.01082).
# - Shazeer (2019), [Fast Transformer Decoding: One Write-Head is All You
#   Need](https://arxiv.org/abs/1911.02150), section 2.4: keys and values kept.
# - Kingma and Ba (2015), [Adam: A Method for Stochastic Optimization](https://arxiv.org/abs/1412.6980),
#   algorithm 1; Loshchilov and Hutter (2019), [Decoupled Weight Decay
#   Regularization](https://arxiv.org/abs/1711.05101), algorithm 2: AdamW.
# - Loshchilov and Hutter (2017), [SGDR: Stochastic Gradient Descent with Warm
#   Restarts](https://arxiv.org/abs/1608.03983), equation 5: the cosine.
# - Pascanu, Mikolov and Bengio (2013), [On the difficulty of training recurrent neural
#   networks](https://arxiv.org/abs/1211.5063), algorithm 1: clipping.
# - Olsson et al. (2022), [In-context Learning and Induction
#   Heads](https://arxiv.org/abs/2209.11895).
# - nostalgebraist (2020), [interpreting GPT: the logit
#   lens](https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens).
# - Leviathan, Kalman and Matias (2023), [Fast Inference from Transformers via Speculative
#   Decoding](https://arxiv.org/abs/2211.17192).
#
# That was the last notebook: from a token id to a model that writes.
