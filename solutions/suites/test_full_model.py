"""Hidden checks of assignment 03. They know the names in the stub's docstring, no more.

What the model must compute is composed from the student's own embedding, blocks, norm and head, so
that their mistakes cancel. Where own parts can spoil the picture, the same model is judged once
more with the course's parts in it: a mistake in an earlier assignment costs nothing here.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from sound_parts import draw
from torch import Tensor

from course.checks.living_models import (
    TOLERANCE,
    Build,
    assert_alive,
    built,
    built_of_course_parts,
    composed,
    logits_in,
)
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    attribute,
    check,
    elements,
    in_some_way,
    raises,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail

VOCAB, WIDTH, HEADS, LAYERS, INNER, LONGEST = 23, 16, 4, 3, 24, 12
SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "n_heads": HEADS,
    "n_layers": LAYERS,
    "d_ff": INNER,
    "max_len": LONGEST,
    "dropout": 0.0,
}
REFUSED = ("ValueError", "AssertionError", "IndexError", "RuntimeError")


# ---------------------------------------------------------------- models and inputs


def filled_with_course_parts(submission: SubmissionNames, **arguments: object) -> Handle:
    """A model whose embedding and blocks are replaced by the course's after it was built."""
    model = built_of_course_parts(submission, **arguments)
    parts = submission.module("course.parts")
    put = submission.module("operator").setitem
    model.embedding = parts.TransformerEmbedding(VOCAB, WIDTH, LONGEST, dropout=0.0)
    for number in range(LAYERS):
        block = parts.TransformerBlock(WIDTH, HEADS, INNER, dropout=0.0)
        put(model.blocks, number, block)
    return submission.placed(model)


def judge(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Handle], None]
) -> None:
    """Pass a verdict on a small model in eval mode, its parameters drawn anew, if it is alive."""

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, **SIZES)
        model = way(submission, **SIZES)
        redraw(submission, parameters_of(model))
        settled(model)
        verdict(model)

    ways = (built, built_of_course_parts, filled_with_course_parts)
    in_some_way(partial(attempt, way) for way in ways)


def judge_construction(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on models as they are built: it gets what builds them, small unless told.

    What is None is left to the model's own default.
    """

    def build(way: Build, **changes: object) -> Handle:
        told = {**SIZES, **changes}
        return way(submission, **{name: size for name, size in told.items() if size is not None})

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, **SIZES)
        verdict(partial(build, way))

    in_some_way(partial(attempt, way) for way in (built, built_of_course_parts))


def parameters_of(model: Handle) -> list[Handle]:
    """All parameters, also those of blocks that the model has forgotten to register."""
    parts = [model, *elements(model.blocks)]
    return [parameter for part in parts for parameter in elements(part.parameters())]


def redraw(submission: SubmissionNames, parameters: list[Handle]) -> None:
    """Draw every parameter from N(0, 0.5), so that no norm is neutral and nothing is too small.

    Whether that has happened is looked at: the drawing is done by the submission's own torch.
    """
    normal = submission.module("torch.nn.init").normal_
    for parameter in parameters:
        normal(parameter, 0.0, 0.5)
    for drawn in tensors(parameters):
        if drawn.numel() >= WIDTH and not drawn.abs().median() > 0.02:
            fail("a parameter does not take the numbers that it is given")


def settled(model: Handle) -> Handle:
    """The model in eval mode, with every block of it."""
    model.eval()
    for block in elements(model.blocks):
        block.eval()
    return model


def token_ids(rng: random.Random, batch: int, length: int, vocab_size: int = VOCAB) -> Tensor:
    """Random ids (batch, length)."""
    return torch.tensor([rng.choices(range(vocab_size), k=length) for _ in range(batch)])


def causal(length: int) -> Tensor:
    """True where row t may attend to column s: s <= t."""
    return torch.ones(length, length, dtype=torch.bool).tril()


# ---------------------------------------------------------------- results


def logits_of(result: Handle, tokens: Tensor, vocab_size: int = VOCAB) -> Tensor:
    """Fetch the logits (B, T, V), also if they come without a second result."""
    return logits_in(result.value(), (*tokens.shape, vocab_size))


def ways_to_mask(length: int) -> list[tuple[dict[str, Tensor], Tensor | None]]:
    """What the model is told about masks, with the mask that its blocks should then get.

    One will do where masks are not the question.
    """
    everything = torch.ones(length, length, dtype=torch.bool)
    return [({}, causal(length)), ({"mask": everything}, everything), ({}, None)]


def states_of(model: Handle, tokens: Tensor, **mask: Tensor) -> list[Tensor]:
    """Fetch the hidden states, each (B, T, d_model), of sequences that differ."""
    value = model(tokens, return_hidden_states=True, **mask).value()
    states = value[1] if type(value) in (tuple, list) and len(value) == 2 else None
    if type(states) not in (tuple, list):
        fail("there is no list of hidden states")
    assert_equal(len(states), LAYERS + 1, "the number of hidden states")
    for number, state in enumerate(states):
        assert_shape(state, (*tokens.shape, WIDTH), f"hidden state {number}")
        what = f"hidden state {number} from sequence to sequence"
        assert_differs(state[0], state[1], what, **TOLERANCE)
    return list(states)


class TestComposition:
    """Embedding, blocks, final norm, head"""

    @check(points=1.5, hint="Walk through your forward with one sequence, part by part.")
    def test_parts_in_order(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The logits are what the model's own parts compute, each used once, in order"""

        def verdict(model: Handle) -> None:
            for batch, length in [(3, 7), (2, 1), (2, LONGEST)]:
                tokens = token_ids(rng, batch, length)

                def compare(told: dict[str, Tensor], mask: Tensor | None, tokens: Tensor) -> None:
                    expected = composed(model, tokens, mask)
                    logits = logits_of(model(tokens, **told), tokens)
                    assert_close(logits, expected, "the logits", **TOLERANCE)

                in_some_way(partial(compare, *way, tokens) for way in ways_to_mask(length))

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Follow the vectors: does each block get what the one before made?")
    def test_every_block_counts(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A change in any one block changes the logits"""

        def verdict(model: Handle) -> None:
            tokens = token_ids(rng, 2, 6)
            for number, block in enumerate(elements(model.blocks)):
                before = logits_of(model(tokens), tokens)
                redraw(submission, elements(block.parameters()))
                after = logits_of(model(tokens), tokens)
                what = f"the logits after a change in block {number}"
                assert_differs(before, after, what, **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Nothing between the loss and the parameters may leave the graph.")
    def test_gradients_reach_every_part(
        self, submission: SubmissionNames, rng: random.Random
    ) -> None:
        """A backward pass from the logits reaches the embedding, every block, the norm, the head"""

        def verdict(build: Build) -> None:
            model = build(tie_weights=False)  # a tied table would get the head's gradient, too
            redraw(submission, parameters_of(model))
            tokens, blocks = token_ids(rng, 2, 6), elements(model.blocks)
            result = model(tokens)
            logits_of(result, tokens)
            logits = result if type(result.value()) is Tensor else result[0]
            logits.backward(draw(rng, 2, 6, VOCAB))
            parts = {"the embedding": model.embedding, "ln_f": model.ln_f, "lm_head": model.lm_head}
            parts |= {f"block {number}": block for number, block in enumerate(blocks)}
            for name, part in parts.items():
                gradients = values(parameter.grad for parameter in elements(part.parameters()))
                if not any(given is not None and bool(given.any()) for given in gradients):
                    fail(f"no gradient reaches {name}")

        judge_construction(submission, rng, verdict)

    @check(points=0.75, hint="Scores are dot products with the rows of a weight, nothing more.")
    def test_head_is_linear(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The head multiplies by its weight (V, d_model) and adds no bias"""

        def verdict(build: Build) -> None:
            model = build()
            redraw(submission, elements(model.lm_head.parameters()))
            weight = model.lm_head.weight.tensor()
            assert_shape(weight, (VOCAB, WIDTH), "the weight of lm_head")
            x = draw(rng, 2, 5, WIDTH)
            assert_close(
                model.lm_head(x).tensor(), x @ weight.T, "the output of lm_head", **TOLERANCE
            )

        judge_construction(submission, rng, verdict)

    @check(points=0.75, hint="The last norm has its own place between the blocks and the head.")
    def test_final_norm(self, submission: SubmissionNames, rng: random.Random) -> None:
        """`ln_f` gives each vector mean 0 and variance 1 at first, and can learn others"""

        def verdict(build: Build) -> None:
            model = build()
            x = draw(rng, 3, 4, WIDTH) * 5 + draw(rng, 3, 4, 1)
            normed = model.ln_f(x).tensor()
            expected = F.layer_norm(x, (WIDTH,))
            assert_close(normed, expected, "the output of ln_f", rtol=1e-2, atol=1e-3)
            redraw(submission, elements(model.ln_f.parameters()))
            assert_differs(model.ln_f(x).tensor(), normed, "what ln_f gives with other parameters")

        judge_construction(submission, rng, verdict)


class TestCausality:
    """No position sees the future"""

    @check(points=1.5, hint="What decides which positions a position may attend to?")
    def test_future_is_invisible(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Another token changes the logits there and later, never earlier: in training too"""

        def verdict(model: Handle) -> None:
            for mode in ("eval", "train"):
                attribute(model, mode)()
                length = rng.randrange(6, LONGEST)
                place = rng.randrange(1, length - 1)
                tokens = token_ids(rng, 3, length)
                changed = tokens.clone()
                changed[:, place] = (changed[:, place] + rng.randrange(1, VOCAB)) % VOCAB
                outputs = []
                for given in (tokens, changed):
                    submission.seed(length)  # where something is dropped, it is the same
                    outputs.append(logits_of(model(given), given))
                before, after = outputs
                past = slice(None, place)
                assert_close(after[:, past], before[:, past], "an earlier logit", **TOLERANCE)
                for row in range(3):
                    there, later = (row, place), (row, slice(place + 1, None))
                    what = "the logits at a changed token and those after it"
                    assert_differs(after[there], before[there], what, **TOLERANCE)
                    assert_differs(after[later], before[later], what, **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Make the mask for the sequence that came in.")
    def test_whole_past(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Every position sees all earlier ones and itself, whatever the lengths of the calls"""

        def verdict(model: Handle) -> None:
            tokens = token_ids(rng, 2, LONGEST)
            some = rng.randrange(3, LONGEST)
            first = logits_of(model(tokens[:, :some]), tokens[:, :some])
            whole = logits_of(model(tokens), tokens)
            what = "the logits from place to place"
            assert_differs(whole[:, 0], whole[:, -1], what, **TOLERANCE)
            for length in (some, 1, 2, LONGEST - 1):
                part = logits_of(model(tokens[:, :length]), tokens[:, :length])
                assert_close(part, whole[:, :length], f"the first {length} logits", **TOLERANCE)
            assert_close(first, whole[:, :some], "the logits of the first call", **TOLERANCE)
            told = logits_of(model(tokens, mask=causal(LONGEST)), tokens)
            assert_close(whole, told, "the logits without a mask", **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="The causal mask is for callers who give none.")
    def test_given_mask(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A mask that the caller gives reaches every block in place of the causal one"""

        def verdict(model: Handle) -> None:
            # two groups of places in each sequence: within a group all see all, and nothing else
            groups = torch.tensor([rng.sample([0, 0, 0, 1, 1, 1, 1], k=7) for _ in range(3)])
            allowed = (groups.unsqueeze(1) == groups.unsqueeze(2)).unsqueeze(1)  # (B, 1, T, T)
            added = torch.zeros(allowed.shape).masked_fill(~allowed, -math.inf)
            tokens = token_ids(rng, 3, 7)
            changed, place = tokens.clone(), rng.randrange(7)
            changed[:, place] = (changed[:, place] + rng.randrange(1, VOCAB)) % VOCAB
            before = logits_of(model(tokens, mask=allowed), tokens)
            after = logits_of(model(changed, mask=allowed), changed)
            for row, at in itertools.product(range(3), range(7)):
                if groups[row, at] == groups[row, place]:
                    what = "the logits of a place in sight"
                    assert_differs(after[row, at], before[row, at], what, **TOLERANCE)
                else:
                    assert_close(after[row, at], before[row, at], "the others", **TOLERANCE)
            same = logits_of(model(tokens, mask=added), tokens)
            assert_close(same, before, "the logits under the same mask as floats", **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Tensors made in forward must be where the tokens are.")
    def test_device(self, submission: SubmissionNames, rng: random.Random) -> None:
        """What `forward` makes by itself lies on the tokens' device"""
        there = submission.module("torch")
        tokens = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])

        def verdict(model: Handle) -> None:
            before = logits_of(model(tokens), tokens)

            def beside_another_default() -> None:
                there.set_default_device("meta")
                try:
                    after = logits_of(model(tokens), tokens)
                finally:
                    there.set_default_device(None)
                assert_close(after, before, "the logits beside another default", **TOLERANCE)

            def on_another_device() -> None:
                # shapes without values: mixing them with the CPU is an error
                for module in (model, *elements(model.blocks)):
                    module.to("meta")
                result = model(there.zeros((2, 5), dtype=torch.int64, device="meta"))
                logits = result if there.is_tensor(result).value() is True else result[0]
                assert_equal(logits.shape.value(), (2, 5, VOCAB), "the shape of the logits")

            # The first is for code that looks at the tokens' values, the second for code that
            # makes something where it is and brings it to the tokens.
            in_some_way((beside_another_default, on_another_device))

        judge(submission, rng, verdict)


class TestHiddenStates:
    """The vectors between the blocks"""

    @check(points=0.5, hint="What do you have before the first block?")
    def test_first_state(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The first state is the embedding's output"""

        def verdict(model: Handle) -> None:
            tokens = token_ids(rng, 2, 7)
            embedded = model.embedding(tokens).tensor()
            assert_close(states_of(model, tokens)[0], embedded, "the first state", **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=1, hint="Write down which vectors are in the list after each turn of the loop.")
    def test_stages(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each block turns one state into the next"""

        def verdict(model: Handle) -> None:
            assert_stages(model, token_ids(rng, 2, 7), range(LAYERS - 1))

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Which vectors does the final norm read, and which does it write?")
    def test_last_state(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The last state is what the last block gives, before the final norm"""

        def verdict(model: Handle) -> None:
            assert_stages(model, token_ids(rng, 3, 5), [LAYERS - 1])

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Asking must not change the answer.")
    def test_only_when_asked(self, submission: SubmissionNames, rng: random.Random) -> None:
        """States come only when asked for, and the logits are the same either way"""
        everything = torch.ones(6, 6, dtype=torch.bool)

        def verdict(model: Handle) -> None:
            tokens = token_ids(rng, 2, 6)
            if tried(lambda: logits_of(model(tokens, mask=everything), tokens)) is None:
                asked = model(tokens, mask=everything, return_hidden_states=True)
                unasked = logits_of(model(tokens, mask=everything), tokens)
                what = "the logits under the caller's mask"
                assert_close(logits_of(asked, tokens), unasked, what, **TOLERANCE)
            states_of(model, tokens)
            asked = model(tokens, return_hidden_states=True)
            for unasked in (model(tokens), model(tokens, return_hidden_states=False)):
                logits = logits_of(unasked, tokens)
                assert_close(logits_of(asked, tokens), logits, "the logits", **TOLERANCE)
                value = unasked.value()
                if type(value) in (tuple, list) and any(item is not None for item in value[1:]):
                    fail("there are hidden states although nobody asked for them")

        judge(submission, rng, verdict)

    @check(points=0.5, hint="A list keeps references: what happens to the tensors afterwards?")
    def test_not_aliased(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each state is a tensor of its own: overwriting one leaves the others alone"""

        def verdict(model: Handle) -> None:
            tokens = token_ids(rng, 2, 5)
            for first, second in itertools.pairwise(states_of(model, tokens)):
                assert_differs(second, first, "the state after a block", **TOLERANCE)
            result = model(tokens, return_hidden_states=True)
            states = elements(result[1])
            assert_equal(len(states), LAYERS + 1, "the number of hidden states")
            for number, state in enumerate(states):
                others = [other for other in states if other is not state]
                before = [result[0].tensor(), *(other.tensor() for other in others)]
                state.detach().fill_(float(number))
                after = [result[0].tensor(), *(other.tensor() for other in others)]
                assert_close(state.tensor(), torch.full((2, 5, WIDTH), float(number)), "a state")
                for old, new in zip(before, after, strict=True):
                    assert_close(new, old, f"another tensor than state {number}")

        judge(submission, rng, verdict)


def assert_stages(model: Handle, tokens: Tensor, numbers: Iterable[int]) -> None:
    """Demand that these blocks turn the state before them into the state after them."""
    blocks = elements(model.blocks)
    assert_equal(len(blocks), LAYERS, "the number of blocks")

    def compare(told: dict[str, Tensor], mask: Tensor | None) -> None:
        states = states_of(model, tokens, **told)
        inputs = [model.embedding(tokens).tensor(), *states[1:]]
        for number in numbers:
            expected = blocks[number](inputs[number], mask=mask)[0].tensor()
            assert_close(states[number + 1], expected, f"state {number + 1}", **TOLERANCE)
            assert_differs(states[number + 1], inputs[number], f"state {number + 1}", **TOLERANCE)

    in_some_way(partial(compare, *way) for way in ways_to_mask(tokens.size(1)))


class TestDistinctBlocks:
    """Every block has parameters of its own"""

    @check(points=1, hint="How many blocks have you made, and how many times is each one used?")
    def test_nothing_shared(self, submission: SubmissionNames, rng: random.Random) -> None:
        """There are n_layers blocks, and a change in one leaves all others as they are"""

        def verdict(build: Build) -> None:
            for n_layers in (1, 3):
                blocks = elements(build(n_layers=n_layers).blocks)
                assert_equal(len(blocks), n_layers, "the number of blocks")
                before = [values_of(block) for block in blocks]
                for changed in range(n_layers):
                    redraw(submission, elements(blocks[changed].parameters()))
                    after = [values_of(block) for block in blocks]
                    assert_differs(after[changed], before[changed], "a block's parameters")
                    before[changed] = after[changed]
                    for new, old in zip(after, before, strict=True):
                        assert_close(new, old, "another block's parameters")

        judge_construction(submission, rng, verdict)

    @check(points=1, hint="An optimizer sees what `model.parameters()` lists.")
    def test_all_are_trained(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A step of an optimizer on the model's parameters changes every block"""

        def verdict(model: Handle) -> None:
            x, blocks = draw(rng, 2, 6, WIDTH), elements(model.blocks)
            before = [values_of(block) for block in blocks]
            for block in blocks:
                block(x)[0].mul(draw(rng, 2, 6, WIDTH)).sum().backward()
            submission.module("torch.optim").SGD(model.parameters(), lr=0.1).step()
            for number, block in enumerate(blocks):
                assert_differs(values_of(block), before[number], f"what block {number} has learned")

        judge(submission, rng, verdict)


def values_of(part: Handle) -> Tensor:
    """All parameters of a part as one long vector."""
    fetched = tensors(elements(part.parameters()))
    if not fetched:
        fail("a part of the model has no parameters")
    return torch.cat([value.flatten().double() for value in fetched])


def in_both_modes(part: Handle, given: Tensor) -> tuple[Tensor, Tensor]:
    """What a part makes of the same vectors in training and in eval mode."""
    outputs = []
    for mode in ("train", "eval"):
        attribute(part, mode)()
        value = part(given).value()
        output = value[0] if type(value) in (tuple, list) and value else value
        assert_shape(output, (*given.shape[:2], WIDTH), "a part's output")
        outputs.append(output)
    return outputs[0], outputs[1]


class TestArguments:
    """Arguments reach the parts"""

    @check(points=0.4, hint="Which parts drop something? Each must be told the rate.")
    def test_dropout(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The rate of dropout, 0.1 by default, reaches every part, and eval mode drops nothing"""

        def verdict(build: Build) -> None:
            tokens, x = token_ids(rng, 4, 8), draw(rng, 4, 8, WIDTH)
            none, much = build(dropout=0.0), build(dropout=0.8)
            redraw(submission, parameters_of(much))  # a block may start as nothing
            settled(much)
            first, second = (logits_of(much(tokens), tokens) for _ in range(2))
            assert_close(first, second, "the logits of a second call in eval mode")
            for model in (none, much):
                pairs = [in_both_modes(model.embedding, tokens)]
                pairs += [in_both_modes(block, x) for block in elements(model.blocks)]
                for trained, evaluated in pairs:
                    if model is none:
                        assert_close(trained, evaluated, "a part's output in training, dropout 0")
                    else:
                        assert_differs(trained, evaluated, "a part's output in training")
            mask = torch.ones(8, 8, dtype=torch.bool)
            none.train()
            trained = logits_of(none(tokens, mask=mask), tokens)
            settled(none)
            evaluated = logits_of(none(tokens, mask=mask), tokens)
            assert_close(trained, evaluated, "the logits in training with dropout 0")
            for model in (much, build(dropout=None)):
                model.train()
                first, second = (logits_of(model(tokens), tokens) for _ in range(2))
                assert_differs(first, second, "the logits of a second call in training")
                if float((first == 0).float().mean()) > 0.05:
                    fail("some of the logits themselves are dropped")

        judge_construction(submission, rng, verdict)

    @check(points=0.4, hint="The blocks can't guess the heads and the width that were asked for.")
    def test_heads_and_width(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each block has n_heads heads and a feed-forward network of width d_ff"""

        def verdict(build: Build) -> None:
            x = draw(rng, 2, 5, WIDTH)
            narrow = build(n_heads=2, d_ff=24)
            wide = build(n_heads=8, d_ff=40)
            for model, n_heads in ((narrow, 2), (wide, 8)):
                for block in elements(model.blocks):
                    weights = block(x, return_attention=True)[1].tensor()
                    assert_shape(weights, (2, n_heads, 5, 5), "a block's attention weights")
            for small, large in zip(elements(narrow.blocks), elements(wide.blocks), strict=True):
                more = len(values_of(large)) - len(values_of(small))
                # two matrices, and a bias in the middle unless there is none
                if more not in (16 * 2 * WIDTH, 16 * (2 * WIDTH + 1)):
                    fail("another d_ff does not change the feed-forward network as it should")
            with raises(*REFUSED, what="a number of heads that does not divide d_model"):
                build(n_heads=3)

        judge_construction(submission, rng, verdict)

    @check(points=0.4, hint="The embedding has a limit of its own: tell it yours.")
    def test_max_len(self, submission: SubmissionNames, rng: random.Random) -> None:
        """max_len tokens are taken, 1024 if nothing is said, one more is refused"""

        def verdict(build: Build) -> None:
            for kind, max_len in (
                ("sinusoidal", 7),
                ("learned", 7),
                ("learned", 1100),
                (None, None),
            ):
                model = build(max_len=max_len, positional=kind, n_layers=1, n_heads=1)
                tokens = token_ids(rng, 2, (max_len or 1024) + 1)
                with submission.no_grad():
                    logits_of(model(tokens[:, :-1]), tokens[:, :-1])
                    with raises(*REFUSED, what="a sequence that is too long"):
                        model(tokens)

        judge_construction(submission, rng, verdict)

    @check(points=0.4, hint="Positions and padding are the embedding's business: pass them on.")
    def test_positions_and_padding(self, submission: SubmissionNames, rng: random.Random) -> None:
        """`positional` decides how positions are encoded, `padding_idx` which row is zero"""

        def verdict(build: Build) -> None:
            tokens = token_ids(rng, 1, 6)
            outputs: dict[str | None, list[Tensor]] = {}
            for kind in ("sinusoidal", "learned", None):
                pair = [build(positional=kind).embedding for _ in range(2)]
                for embedding in pair:
                    submission.module("torch.nn.init").zeros_(
                        embedding.token_embedding.embedding.weight
                    )
                outputs[kind] = [embedding(tokens).tensor() for embedding in pair]
            assert_close(*outputs["sinusoidal"], "the fixed positions of two models")
            assert_differs(*outputs["learned"], "the learned positions of two models")
            assert_close(outputs[None][0], outputs["sinusoidal"][0], "the positions by default")
            with raises("ValueError", "AssertionError", what="an unknown kind of positions"):
                build(positional="none of these")
            padding = rng.randrange(VOCAB)
            for tied in (True, False):
                model = build(padding_idx=padding, tie_weights=tied)
                table = model.embedding.token_embedding.embedding.weight.tensor()
                zero_rows = (table == 0).all(dim=1).nonzero().flatten().tolist()
                assert_equal(zero_rows, [padding], "the list of rows that start as zeros")

        judge_construction(submission, rng, verdict)

    @check(points=0.4, hint="Is it one Parameter with two names, or two with the same numbers?")
    def test_tying(self, submission: SubmissionNames, rng: random.Random) -> None:
        """`tie_weights`, on by default, makes the head's weight follow the token table"""

        def verdict(build: Build) -> None:
            for tied in (None, True, False):
                model = build(tie_weights=tied)
                table = model.embedding.token_embedding.embedding.weight
                before = model.lm_head.weight.tensor()
                assert_shape(before, (VOCAB, WIDTH), "the weight of lm_head")
                redraw(submission, [table])
                after = model.lm_head.weight.tensor()
                if tied is False:
                    assert_close(after, before, "the weight of an untied head")
                else:
                    assert_close(after, table.tensor(), "the weight of a tied head")

        judge_construction(submission, rng, verdict)


class TestInitialisation:
    """An untrained model is undecided"""

    @check(points=0.5, hint="How large are the logits at first, and which weights decide that?")
    def test_first_loss(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The first loss is close to ln V, tied or not"""

        def verdict(build: Build) -> None:
            sizes = {"vocab_size": 300, "d_model": 64, "n_layers": 2, "max_len": 40}
            for tied in (True, False):
                model = build(**sizes, tie_weights=tied)
                settled(model)
                tokens, targets = token_ids(rng, 4, 40, 300), token_ids(rng, 4, 40, 300)
                logits = logits_of(model(tokens), tokens, 300)
                loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()).item()
                assert_close(loss, math.log(300), "the first loss", rtol=0, atol=0.3)
                what = "the logits from place to place"
                assert_differs(logits[0, 1:], logits[0, :-1], what, **TOLERANCE)

        judge_construction(submission, rng, verdict)

    @check(points=0.5, hint="The docstring says how the token table and an untied head start.")
    def test_spread(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The token table, and the weight of an untied head, start as N(0, 0.02)"""

        def verdict(build: Build) -> None:
            for tied in (True, False):
                model = build(vocab_size=300, d_model=64, tie_weights=tied)
                table = model.embedding.token_embedding.embedding.weight.tensor()
                weights = {"the token table": table}
                if not tied:
                    weights["the weight of lm_head"] = model.lm_head.weight.tensor()
                for name, weight in weights.items():
                    assert_shape(weight, (300, 64), name)
                    assert_close(weight.std().item(), 0.02, f"the deviation of {name}", rtol=0.1)
                    assert_close(weight.mean().item(), 0.0, f"the mean of {name}", atol=0.002)

        judge_construction(submission, rng, verdict)


class TestPresets:
    """Model sizes by name"""

    @pytest.mark.parametrize("size", ["small", "medium", "large"])
    @check(points=0.5, hint="The table in the docstring lists every number.")
    def test_row(self, submission: SubmissionNames, size: str) -> None:
        """The numbers of a size are those of its row"""
        rows = {
            "small": (256, 8, 6, 1024, 1024, 0.1),
            "medium": (512, 8, 8, 2048, 1024, 0.1),
            "large": (768, 12, 12, 3072, 2048, 0.1),
        }
        names = ("d_model", "n_heads", "n_layers", "d_ff", "max_len", "dropout")
        expected = dict(zip(names, rows[size], strict=True))
        assert_equal(submission.get_model_config(size).value(), expected, "the preset")

    @check(points=0.25, hint="Who else holds the dict that you return?")
    def test_fresh_dict(self, submission: SubmissionNames) -> None:
        """Changing the dict that came back changes no later call"""
        config = submission.get_model_config("small")
        submission.module("operator").setitem(config, "d_model", 8)
        assert_equal(config["d_model"].value(), 8, "the changed entry")
        again = submission.get_model_config("small")["d_model"].value()
        assert_equal(again, 256, "the entry of a later call")

    @check(points=0.25, hint="`TinyTransformerLM(vocab_size, **config)` must work.")
    def test_buildable(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A preset builds a model of its sizes"""
        config = submission.get_model_config("tiny").value()
        if type(config) is not dict:
            fail("the preset is not a dict", actual=type(config).__name__)

        def verdict(build: Build) -> None:
            model = build(**{**config, "vocab_size": 11})
            assert_equal(len(elements(model.blocks)), 4, "the number of blocks")
            assert_shape(model.lm_head.weight.tensor(), (11, 128), "the weight of lm_head")

        judge_construction(submission, rng, verdict)
