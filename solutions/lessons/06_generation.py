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
# - leave out improbable tokens, and compute nothing twice (bonus).
#
# **How it works.** Parts 1 and 2 are the assignment: two functions, `sample_next` and `generate`.
# Parts 4 to 6 are bonuses, each on its own; do those that you like. `check("shapes")` tells you at
# once whether the basics are right; cells that say *graded after you hand in* stand for hidden checks.
# What is checked is `generate`, on models that come with the course. Functions of yours that have the
# names and parameters of the stubs are asked by themselves, too; if you divide the work otherwise,
# nobody minds. What is not written yet costs its own points only: the loop is tried with another
# sampler, the sampler without the loop.

# %%
import math
import string
import sys
import time
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

# %%
logits = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0])  # (V,)
CHOICES = ["a", "b", "c", "d", "e"]
temperatures = (0.25, 0.5, 1.0, 4.0)
plots.token_probabilities(
    {f"τ = {t:g}": (logits / t).softmax(dim=-1).tolist() for t in temperatures},
    CHOICES,
    "The same logits at four temperatures",
)

# %% [markdown]
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
# above the one that may call them. Pass them by until you come to Part 5, which explains them.

# %% solution="keep_top_k"

# %% solution="keep_top_p"

# %% solution="keep_min_p"

# %% [markdown]
# Now the one that counts:

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
# ## Part 2: The loop
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
#   module's flag is then what it was before, too.
# - **No traces.** The prompt is not changed; a new tensor comes back, in the prompt's dtype and on its
#   device. And never set a seed inside: who does so gets the same "random" text each time, and spoils
#   the caller's random numbers. When a `generator` is given, it decides the text alone.
# - **Rows are independent.** Each sequence is continued on its own, with draws of its own.
# - `max_new_tokens=0` gives the prompt. With a `ValueError` are refused: a negative temperature, also
#   when nothing is to be drawn; a negative number of tokens; a prompt without tokens.
#
# `model(tokens)` returns a pair: the logits, and hidden states or `None`. Use no more of the model
# than that, `model.max_len` and what every `nn.Module` has: below comes one without any parameters.
# Whether you return a tensor of inference mode is up to you. `use_cache` is a bonus (Part 6), and can
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
# Drawn, it is noise. Greedy, a model with tied weights repeats the first token that it has chosen:
# that token's own row is now part of the vector which is scored, and nothing resembles a row more
# than itself.
#
# To compare temperatures here shows nothing, because there is next to nothing to compare. A
# distribution's *entropy* $-\sum_i p_i \ln p_i$ says how undecided it is, up to $\ln V$ for complete
# indifference:

# %%
with plots.demo():
    model = TinyTransformerLM(
        10_000, d_model=128, n_heads=4, n_layers=4, d_ff=512, max_len=512
    ).eval()
    with torch.no_grad():
        last = model(torch.randint(0, 10_000, (8, 16)))[0][:, -1]  # (B, V)
    for t in (0.5, 1.0, 2.0):
        p = (last / t).softmax(dim=-1)  # (B, V)
        entropy = -(p * p.log()).sum(dim=-1).mean()
        print(f"τ = {t}: entropy {entropy:.2f} of at most ln V = {math.log(10_000):.2f}")

# %% [markdown]
# ## Part 4 (bonus): By heart
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

# %%
check("limits")

# %% [markdown]
# **Look at it.** Two models, one that is sure and one that is not; what is left of each.

# %%
with plots.demo():
    models = {
        "a model that is sure": torch.tensor([[5.0, 3.0, 1.5, 1.0, 0.0]]),  # (B, V)
        "a model that is not": torch.tensor([[1.2, 1.1, 1.0, 0.7, -1.0]]),
    }
    for name, z in models.items():
        with plots.demo():
            left = {
                "all": z,
                "top-k, k = 3": keep_top_k(z, 3),
                "top-p, p = 0.9": keep_top_p(z, 0.9),
                "min-p, p = 0.1": keep_min_p(z, 0.1),
            }
            shares = {limit: kept.softmax(dim=-1)[0].tolist() for limit, kept in left.items()}
            plots.token_probabilities(shares, CHOICES, f"What is left of {name}")

# %% question="top_k"

# %% question="top_p"

# %% question="min_p"

# %% [markdown]
# ## Part 6 (bonus): Nothing twice
#
# Your loop asks the model about the whole text for each new token: for $n$ tokens, that is
# $1 + 2 + \dots + n \approx n^2/2$ positions. Nearly all of it has been computed before: under the causal
# mask, what happens at a position depends on earlier ones alone, and those don't change.
#
# What does the *new* position need of the old ones? In each block, its query is compared with their
# **keys**, and their **values** are mixed. So keep these two, `(B, n_heads, T, d_k)` for each block;
# with each token, compute one row more and append it (Shazeer 2019, section 2.4). Everything else at
# old positions is no longer needed.
#
# It ends at the window. Once the text is longer than `max_len`, each step drops the first token, so
# that *every* token moves to another position and gets another position vector: nothing that was kept
# is right any more.
#
# A cache has to look inside the blocks. Those of `course.parts` have `ln_1`, `attention` (with the
# maps `q_proj`, `k_proj`, `v_proj` and `out_proj`), `ln_2` and `feedforward`: each is called with
# `(B, T, d_model)`, and a block adds what `out_proj` and `feedforward` give. How many heads there are
# says `model.n_heads`. (Underneath, in `block.layer`, is an `nn.TransformerEncoderLayer`, which keeps
# the first three maps in one matrix: nothing that you have to know.) Your own blocks are up to you.
# What is checked is that `use_cache=True` gives the same text with much less work.

# %% solution="KeyValueCache"

# %% [markdown]
# **Look at it.** The same text, sooner.

# %%
with plots.demo():
    torch.manual_seed(0)
    model = TinyTransformerLM(100, 128, n_heads=4, n_layers=4, d_ff=512, max_len=256)
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
# 2. **From heart to understanding.** Train on a whole book, with random pieces of it in each step, and
#    measure the loss on a part that you kept back. When does it stop falling?
# 3. **The most probable text.** *Beam search* keeps the best few beginnings instead of one. Write it,
#    and compare the probability of its text, and its charm, with greedy and with sampling.
# 4. **Guess ahead.** *Speculative decoding* (Leviathan et al. 2023) lets a small model write some
#    tokens and a large one check them all at once, without changing the distribution. Your counting
#    model could be the small one.
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
# - Leviathan, Kalman and Matias (2023), [Fast Inference from Transformers via Speculative
#   Decoding](https://arxiv.org/abs/2211.17192).
#
# That was the last notebook: from a token id to a model that writes.
