"""Hidden checks of assignment 04. They know the names in the stub's docstring, no more.

"Is the same object" is a claim; what counts is that a change under one name shows under the other,
in what the model computes, in gradients and after everything that is done to models. Expected
counts are added up from the student's own parts (`counted_parameters.py`).
"""

import random
from collections.abc import Iterator

import torch
from counted_parameters import (
    assert_plausible,
    assert_trainable,
    count_of,
    in_either_count,
    judge_counting,
    stages,
)
from tied_models import (
    SIZES,
    USED,
    VOCAB,
    WIDTH,
    assert_tied,
    is_shared,
    judge,
    overwrite,
    relative,
    rescale,
    runner,
    table_of,
    token_ids,
)
from torch import Tensor

from course.checks.drawn_modules import normal
from course.checks.living_models import TOLERANCE, Build
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    elements,
    tensors,
    values,
)
from grader.testing.failure import fail


class TestOneParameter:
    """Table and head are one parameter"""

    @check(points=0.75, hint="Which weight turns the last vectors into logits?")
    def test_table_drives_logits(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A row of the token table is its token's column of the logits: when tied, only then"""

        def verdict(build: Build) -> None:
            for tied in (True, False):
                model = build(tie_weights=tied)
                model.eval()
                rescale(model, rng)
                tokens, unseen = token_ids(rng, 2, 6), rng.randrange(USED, VOCAB)
                run = runner(model, tokens)
                before = relative(run.logits(tokens).tensor())
                table_of(model).data[unseen].copy_(normal(rng, WIDTH))
                after = relative(run.logits(tokens).tensor())
                if tied:
                    theirs = after[..., unseen], before[..., unseen]
                    assert_differs(*theirs, "its token's logits", **TOLERANCE)
                    after[..., unseen] = before[..., unseen]
                assert_close(after, before, "the logits of other tokens", **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.75, hint="Tying works in both directions.")
    def test_head_drives_embedding(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A row of the head's weight is its token's vector in the embedding: if tied, only then"""

        def verdict(build: Build) -> None:
            for tied in (True, False):
                model = build(tie_weights=tied)
                model.embedding.eval()
                tokens = torch.tensor([rng.sample(range(VOCAB), k=6)])
                place = rng.randrange(6)
                before = model.embedding(tokens).tensor()
                assert_shape(before, (1, 6, WIDTH), "the output of the embedding")
                model.lm_head.weight.data[int(tokens[0, place])].copy_(normal(rng, WIDTH))
                after = model.embedding(tokens).tensor()
                if tied:
                    theirs = after[0, place], before[0, place]
                    assert_differs(*theirs, "its token's vector", **TOLERANCE)
                    after[0, place] = before[0, place]
                assert_close(after, before, "the vectors of other tokens", **TOLERANCE)

        judge(submission, rng, verdict)

    @check(points=0.75, hint="Two parameters over the same memory are still two parameters.")
    def test_not_only_one_memory(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Replacing the data of one name replaces it under the other name"""

        def verdict(build: Build) -> None:
            for first, second in ((0, 1), (1, 0)):
                model = build()
                names = (table_of(model), model.lm_head.weight)
                old = names[second].tensor()
                drawn = normal(rng, VOCAB, WIDTH)
                names[first].data = drawn
                assert_close(names[first].tensor(), drawn, "a weight with new data")
                new = (table_of(model), model.lm_head.weight)[second].tensor()
                assert_shape(old, (VOCAB, WIDTH), "the weight under the other name")
                assert_differs(new, old, "the weight under the other name")
                assert_close(new, drawn, "the weight under the other name")

        judge(submission, rng, verdict)

    @check(points=0.75, hint="Which of the two weights is left, with which values?")
    def test_keeps_first_values(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Tying leaves the token table as it starts without tying: its spread, its padding row"""

        def verdict(build: Build) -> None:
            for padding in (None, 0, rng.randrange(1, VOCAB)):
                assert_starts_so(build, padding)

        def assert_starts_so(build: Build, padding: int | None) -> None:
            sizes = {"vocab_size": 400, "padding_idx": padding}
            tied, untied = (build(**sizes, tie_weights=tie) for tie in (True, False))
            table, *others = tensors(map(table_of, (tied, untied, *models_before(**sizes))))
            for other in (table, *others):
                assert_shape(other, (400, WIDTH), "the token table")
            if not is_shared(build(padding_idx=padding), rng):
                fail("the head of a tied model does not follow the token table")
            spread = others[0].std().item()
            actual = table.std().item()
            assert_close(actual, spread, "the deviation of a tied table", rtol=0.15)
            if padding is not None and not all(other[padding].any() for other in others):
                zeros = torch.zeros(WIDTH)
                assert_close(table[padding], zeros, "the padding row when tied", atol=0)

        def models_before(**sizes: object) -> Iterator[Handle]:
            """The model that the notebook's own is made of, if it is."""
            if submission.defines("FullModel"):
                yield submission.FullModel(**{**SIZES, **sizes, "tie_weights": False})

        judge(submission, rng, verdict)


class TestGradients:
    """The shared weight learns from both of its jobs"""

    @check(points=1, hint="Where does a token that is not in the input still play a part?")
    def test_through_output(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Rows of tokens that are not in the input get the gradient of the output"""

        def verdict(build: Build) -> None:
            weights = normal(rng, 2, 6, VOCAB)
            directions = [row_direction(rng, USED, VOCAB) for _ in range(3)]
            assert_slopes(build(), rng, weights, directions)

        judge(submission, rng, verdict)

    @check(points=1, hint="A row that is looked up and scored has two reasons to change.")
    def test_both_paths(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Rows of tokens in the input get the gradient of the lookup, and that of the output too"""

        def verdict(build: Build) -> None:
            weights = normal(rng, 2, 6, VOCAB)
            lookup_only = weights.clone()
            lookup_only[..., :USED] = 0
            for loss_weights in (lookup_only, weights):
                directions = [row_direction(rng, 0, USED) for _ in range(3)]
                assert_slopes(build(), rng, loss_weights, directions)

        judge(submission, rng, verdict)


def row_direction(rng: random.Random, start: int, stop: int) -> Tensor:
    """A random direction (V, d_model) in the rows from start to stop - 1."""
    direction = torch.zeros(VOCAB, WIDTH)
    direction[start:stop] = normal(rng, stop - start, WIDTH)
    return direction


def assert_slopes(
    model: Handle, rng: random.Random, loss_weights: Tensor, directions: list[Tensor]
) -> None:
    """Compare the table's gradient with what the loss does along directions (V, d_model).

    The loss is the logits, weighted and added up; its slope is measured by moving the table a
    little to both sides.
    """
    model.eval()
    rescale(model, rng)
    tokens = token_ids(rng, 2, 6)
    tokens[0] = torch.tensor(rng.sample(range(USED), k=6))
    run, table = runner(model, tokens), table_of(model)
    start = table.tensor()
    table.grad = None
    logits = run.logits(tokens)
    logits.mul(loss_weights).sum().backward()
    gradient, before = values((table.grad, logits.detach()))
    if type(gradient) is not Tensor:
        fail("the token table gets no gradient")
    assert_shape(gradient, (VOCAB, WIDTH), "the gradient of the token table")
    unseen = rng.randrange(USED, VOCAB)
    table.data[unseen].copy_(normal(rng, WIDTH))
    after = run.logits(tokens).tensor()[..., unseen]
    assert_differs(after, before[..., unseen], "what the table scores its token with", **TOLERANCE)

    def loss_at(weight: Tensor) -> float:
        table.data.copy_(weight)
        return float((run.logits(tokens).tensor().double() * loss_weights.double()).sum())

    step = 2e-3
    for direction in directions:
        slope = (loss_at(start + step * direction) - loss_at(start - step * direction)) / (2 * step)
        expected = float((gradient * direction).sum())
        concerned = gradient[direction.any(dim=1)]
        if not torch.isfinite(concerned).all() or concerned.norm() < 1e-3:
            fail("rows of the token table get no gradient, although they matter")
        near = 0.03 * float(concerned.norm()) + 0.02
        assert_close(expected, slope, "the slope of the loss along the gradient", rtol=0, atol=near)
    table.data.copy_(start)


class TestSurvives:
    """Tied weights stay tied"""

    @check(points=0.5, hint="An optimizer changes each parameter that it is given, once.")
    def test_training_step(self, submission: SubmissionNames, rng: random.Random) -> None:
        """After each step of an optimizer, table and head have moved together"""

        def verdict(build: Build) -> None:
            model, tokens = build(), token_ids(rng, 2, 6)
            run = runner(model, tokens)
            model.eval()
            model.train()
            before = table_of(model).tensor()
            optimizer = submission.module("torch.optim").AdamW(model.parameters(), lr=0.05)
            for _ in range(2):
                optimizer.zero_grad()
                run.logits(tokens).mul(normal(rng, 2, 6, VOCAB)).sum().backward()
                optimizer.step()
                after, head = table_of(model).tensor(), model.lm_head.weight.tensor()
                assert_differs(after, before, "the token table after a step")
                assert_close(head, after, "the head's weight after a step")
                before = after
            assert_tied(model, rng, "after training")

        judge(submission, rng, verdict)

    @check(points=0.5, hint="A copy must not hold on to tensors of the original.")
    def test_deepcopy(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A deep copy is tied in itself, and not to the original"""

        def verdict(build: Build) -> None:
            model = build()
            kept = overwrite(table_of(model), rng)
            copy = submission.module("copy").deepcopy(model)
            assert_close(table_of(copy).tensor(), kept, "the copy's token table")
            assert_tied(copy, rng, "in a deep copy")
            for weight in (table_of(model), model.lm_head.weight):
                assert_close(weight.tensor(), kept, "the original after a change of its copy")

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Loading fills the parameters that are there.")
    def test_load_state_dict(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model is still tied after it has loaded another one's state"""

        def verdict(build: Build) -> None:
            donor, model = build(), build()
            given = overwrite(table_of(donor), rng)
            model.load_state_dict(donor.state_dict())
            for name, weight in (("table", table_of(model)), ("head", model.lm_head.weight)):
                assert_close(weight.tensor(), given, f"the {name} after loading")
            assert_tied(model, rng, "after loading")
            assert_close(table_of(donor).tensor(), given, "the model whose state was loaded")

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Each parameter is converted once; a second one goes its own way.")
    def test_dtype(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model is still tied after a change of its dtype"""

        def verdict(build: Build) -> None:
            for dtype in (torch.float64, torch.bfloat16):
                model = build()
                model.to(dtype)
                for weight in (table_of(model), model.lm_head.weight):
                    actual = weight.tensor().dtype
                    if actual != dtype:
                        fail("a weight has the wrong dtype", expected=dtype, actual=actual)
                if not is_shared(model, rng):
                    fail(f"a change of the token table does not reach the head's weight in {dtype}")
                drawn = overwrite(model.lm_head.weight, rng)
                assert_close(table_of(model).tensor(), drawn, "the token table in another dtype")

        judge(submission, rng, verdict)


class TestCounting:
    """Shared parameters count once"""

    @check(points=1, hint="Which parameters are there, and which of them have you met before?")
    def test_count(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The count is all parameters' elements, shared ones once, whatever layers there are"""

        def verdict(build: Build) -> None:
            for changes in variants():
                for model, expected, when in stages(submission, build, changes, rng):
                    count = model.count_parameters().value()
                    assert_equal(count, sum(expected.values()), f"count_parameters(){when}")
                    assert_equal(type(count).__name__, "int", "the type of count_parameters()")

        judge_counting(submission, rng, verdict)

    @check(points=1, hint="Where does the shared table appear, and where not again?")
    def test_breakdown(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The breakdown counts each part, frozen or not, and the parts add up to the total"""

        def assert_breakdown(model: Handle, expected: dict[str, int], when: str) -> None:
            expected = {**expected, "total": sum(expected.values())}
            breakdown = model.get_parameter_breakdown().value()
            assert_equal(breakdown, expected, f"the breakdown{when}")
            types = {name: type(number).__name__ for name, number in breakdown.items()}
            assert_equal(types, dict.fromkeys(expected, "int"), "the types in the breakdown")

        def verdict(build: Build) -> None:
            for changes in variants():
                for model, expected, when in stages(submission, build, changes, rng):
                    assert_breakdown(model, expected, when)
                for part in (*first_parameters(model), model.ln_f, model):
                    part.requires_grad_(False)
                    assert_breakdown(model, expected, " with frozen parameters")

        judge_counting(submission, rng, lambda build: in_either_count(submission, build, verdict))

    @check(points=1, hint="Frozen is not gone: who asks for trainable parameters only?")
    def test_frozen(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Frozen parameters count, except where only trainable ones are asked for"""

        def verdict(build: Build) -> None:
            for tied in (True, False):
                model = build(tie_weights=tied)
                count = model.count_parameters().value()  # right or not: see `test_count`
                if type(count) not in (int, float):
                    assert_equal(type(count).__name__, "int", "the type of count_parameters()")
                assert_plausible(model, count)
                assert_trainable(model, count)
                for part in (*first_parameters(model), model.ln_f, model.blocks, table_of(model)):
                    part.requires_grad_(False)
                    actual = model.count_parameters().value()
                    assert_equal(actual, count, "the count of all parameters")
                    assert_trainable(model, count)
            larger = build(tie_weights=False, vocab_size=VOCAB + 5)  # the last one was untied, too
            more = count_of(larger.parameters()) - count_of(model.parameters())
            actual = larger.count_parameters().value()
            assert_equal(actual, count + more, "the count with five tokens more")

        judge_counting(submission, rng, verdict)


def first_parameters(model: Handle) -> list[Handle]:
    """One parameter of a part each, if it has any: parts can be frozen by halves."""
    return [
        first for part in (model.ln_f, model.blocks) for first in elements(part.parameters())[:1]
    ]


def variants() -> Iterator[dict[str, object]]:
    """Tied and untied, with and without parameters for positions."""
    for tied in (True, False):
        for positional in ("sinusoidal", "learned"):
            yield {"tie_weights": tied, "positional": positional}
