"""Hidden checks of assignment 03, first part: what a model makes of its tokens.

They know the names in the stub's docstring, no more; how mistakes of earlier assignments are kept
out of it is said in `judged_models.py`.
"""

import itertools
import math
import random
from functools import partial

import torch
import torch.nn.functional as F
from judged_models import (
    LAYERS,
    LONGEST,
    SIZES,
    VOCAB,
    WIDTH,
    causal,
    judge,
    judge_construction,
    logits_of,
    parameters_of,
    redraw,
    states_of,
    ties,
    token_ids,
    ways_to_mask,
)
from masks_and_states import (
    assert_all_masks_taken,
    assert_of_one_pass,
    assert_read_by_norm,
    assert_same_gradients,
    assert_stages,
)
from torch import Tensor

from course.checks.drawn_modules import normal
from course.checks.living_models import TOLERANCE, Build, buildable, can_be_built, composed
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    attribute,
    check,
    elements,
    entered,
    in_some_way,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail

OTHER_DEVICE = "course.checks.other_device"


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
            model = build(tie_weights=ties(build)[-1])  # a tied table gets the head's gradient, too
            redraw(submission, parameters_of(model))
            tokens, blocks = token_ids(rng, 2, 6), elements(model.blocks)
            result = model(tokens)
            logits_of(result, tokens)
            logits = result if type(result.value()) is Tensor else result[0]
            logits.backward(normal(rng, 2, 6, VOCAB))
            parts = {"the embedding": model.embedding, "ln_f": model.ln_f, "lm_head": model.lm_head}
            parts |= {f"block {number}": block for number, block in enumerate(blocks)}
            for name, part in parts.items():
                gradients = values(parameter.grad for parameter in elements(part.parameters()))
                if not any(given is not None and bool(given.any()) for given in gradients):
                    fail(f"no gradient reaches {name}")

        judge_construction(submission, rng, verdict, forward=True)

    @check(points=0.75, hint="Scores are dot products with the rows of a weight, nothing more.")
    def test_head_is_linear(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The head multiplies by its weight (V, d_model) and adds no bias"""

        def verdict(build: Build) -> None:
            model = build()
            redraw(submission, elements(model.lm_head.parameters()))
            weight = model.lm_head.weight.tensor()
            assert_shape(weight, (VOCAB, WIDTH), "the weight of lm_head")
            x = normal(rng, 2, 5, WIDTH)
            assert_close(
                model.lm_head(x).tensor(), x @ weight.T, "the output of lm_head", **TOLERANCE
            )

        judge_construction(submission, rng, verdict)

    @check(points=0.75, hint="The last norm has its own place between the blocks and the head.")
    def test_final_norm(self, submission: SubmissionNames, rng: random.Random) -> None:
        """`ln_f` gives each vector mean 0 and variance 1 at first, and can learn others"""

        def verdict(build: Build) -> None:
            model = build()
            x = normal(rng, 3, 4, WIDTH) * 5 + normal(rng, 3, 4, 1)
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
                place = rng.randrange(1, length // 2)
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
                what = "the logits at a changed token and those after it"
                for row in range(3):
                    assert_differs(after[row, place], before[row, place], what, **TOLERANCE)
                # Who is hardly looked at in one sequence is in another: three or more places of
                # three sequences would have to be blind at once. (Of 1,240 differences the smallest
                # was 387 tolerances, of a hundred 629.)
                later = (slice(None), slice(place + 1, None))
                assert_differs(after[later], before[later], what, **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Make the mask for the sequence that came in.")
    def test_whole_past(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Every position sees all earlier ones and itself, whatever the lengths of the calls"""
        padding = rng.randrange(1, VOCAB)

        def verdict(model: Handle) -> None:
            tokens = token_ids(rng, 2, LONGEST)
            tokens[:, 1], tokens[:, 2] = padding, 0  # to the causal mask, one like all others
            some = rng.randrange(3, LONGEST)
            first = logits_of(model(tokens[:, :some]), tokens[:, :some])
            whole = logits_of(model(tokens), tokens)
            what = "the logits from place to place"
            assert_differs(whole[:, 0], whole[:, -1], what, **TOLERANCE)
            for length in (some, 1, 2, LONGEST - 1):
                part = logits_of(model(tokens[:, :length]), tokens[:, :length])
                assert_close(part, whole[:, :length], f"the first {length} logits", **TOLERANCE)
            assert_close(first, whole[:, :some], "the logits of the first call", **TOLERANCE)
            more = tokens[[0, 1, 0], :some]
            what = "the logits of another number of sequences"
            assert_close(logits_of(model(more), more)[:2], first, what, **TOLERANCE)
            told = logits_of(model(tokens, mask=causal(LONGEST)), tokens)
            assert_close(whole, told, "the logits without a mask", **TOLERANCE)

        padded = {"padding_idx": padding}
        known = can_be_built(submission, {**buildable(submission, SIZES), **padded})
        judge(submission, rng, verdict, **(padded if known else {}))

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
            for mode in ("train", "eval"):
                attribute(model, mode)()
                submission.seed(place)  # where something is dropped, it is the same
                before = logits_of(model(tokens, mask=allowed), tokens)
                submission.seed(place)
                after = logits_of(model(changed, allowed), changed)  # it comes second
                for row, at in itertools.product(range(3), range(7)):
                    if groups[row, at] == groups[row, place]:
                        what = "the logits of a place in sight"
                        assert_differs(after[row, at], before[row, at], what, **TOLERANCE)
                    else:
                        assert_close(after[row, at], before[row, at], "the others", **TOLERANCE)
            same = logits_of(model(tokens, mask=added), tokens)
            assert_close(same, before, "the logits under the same mask as floats", **TOLERANCE)
            assert_all_masks_taken(model, tokens, rng)
            if tried(lambda: model(tokens, mask=allowed, return_hidden_states=True).done()) is None:
                model(tokens, allowed, True).done()

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Tensors made in forward must be where the tokens are.")
    def test_device(self, submission: SubmissionNames, rng: random.Random) -> None:
        """What `forward` makes by itself lies on the tokens' device"""
        there, elsewhere = submission.module("torch"), submission.module(OTHER_DEVICE)
        tokens = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])

        def verdict(model: Handle) -> None:
            before = logits_of(model(tokens), tokens)

            def on_another_device() -> None:
                with entered(elsewhere.OtherDevice()):
                    for module in (model, *elements(model.blocks)):
                        module.to("meta")
                    logits = logits_alone(there, model(submission.send(tokens).to("meta")))
                    after = elsewhere.values_there(logits).tensor()
                assert_close(after, before, "the logits on another device", **TOLERANCE)

            def beside_another_default() -> None:
                there.set_default_device("meta")
                try:
                    after = logits_of(model(tokens), tokens)
                finally:
                    there.set_default_device(None)
                assert_close(after, before, "the logits beside another default", **TOLERANCE)

            def without_values() -> None:
                for module in (model, *elements(model.blocks)):
                    module.to("meta")
                result = model(there.zeros((2, 5), dtype=torch.int64, device="meta"))
                shape = logits_alone(there, result).shape.value()
                assert_equal(shape, (2, 5, VOCAB), "the shape of the logits")

            beside = tried(beside_another_default)
            error = tried(on_another_device)
            if error is None:
                return
            if isinstance(error, StudentError) and "same device" in error.message:
                raise error  # the default device alone would not have told
            # Torch's fastest paths and compiled code do without the device that is made up; they
            # show in one of the other ways that nothing is left behind.
            if beside is not None:
                without_values()

        judge(submission, rng, verdict)


def logits_alone(there: Handle, result: Handle) -> Handle:
    """The logits in what a model returned, not fetched."""
    return result if there.is_tensor(result).value() is True else result[0]


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
            assert_of_one_pass(model, rng)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Which vectors does the final norm read, and which does it write?")
    def test_last_state(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The last state is what the last block gives, before the final norm"""

        def verdict(model: Handle) -> None:
            assert_stages(model, token_ids(rng, 3, 5), [LAYERS - 1])

        def in_training(model: Handle) -> None:
            for module in (model, *elements(model.blocks)):
                module.train()
            assert_read_by_norm(submission, model, token_ids(rng, 3, 5))

        judge(submission, rng, verdict)
        judge(submission, rng, in_training, dropout=0.5)

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
                if isinstance(value, (tuple, list)) and any(item is not None for item in value[1:]):
                    fail("there are hidden states although nobody asked for them")
            assert_same_gradients(model, tokens)

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
            kept = model(tokens, return_hidden_states=True)[1]
            before = tensors(elements(kept))
            states_of(model, tokens.flip(0))
            after = tensors(elements(kept))
            assert_equal(len(after), len(before), "the number of states of an earlier call")
            for old, new in zip(before, after, strict=True):
                assert_close(new, old, "a state of an earlier call")

        judge(submission, rng, verdict)
