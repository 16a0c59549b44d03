"""Hidden checks of assignment 04. They know the names in the stub's docstring, no more.

"Is the same object" is a claim; what counts is that a change under one name shows under the other,
in what the model computes, in gradients and after everything that is done to models. Expected
counts are added up from the student's own parts. Where work of an earlier assignment can spoil the
picture, a model with the course's parts is judged instead; it is always the student's code that
ties.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sound_parts import draw, sound_forward
from torch import Tensor

from course.checks.living_models import TOLERANCE, Build, assert_alive, built, built_of_course_parts
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    elements,
    in_some_way,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail

VOCAB, WIDTH, HEADS, LAYERS, INNER = 29, 12, 3, 2, 20
SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "n_heads": HEADS,
    "n_layers": LAYERS,
    "d_ff": INNER,
    "max_len": 10,
    "dropout": 0.0,
    "tie_weights": True,
}
TABLE = VOCAB * WIDTH
USED = 13
"""Ids below this one appear in inputs; the others do not."""


# ---------------------------------------------------------------- models and inputs


def filled_with_course_parts(submission: SubmissionNames, **arguments: object) -> Handle:
    """A model whose blocks and final norm are replaced by the course's after it was built."""
    model = built_of_course_parts(submission, **arguments)
    parts, nn = submission.module("course.parts"), submission.module("torch.nn")
    blocks = [parts.TransformerBlock(WIDTH, HEADS, INNER, dropout=0.0) for _ in range(LAYERS)]
    model.blocks = nn.ModuleList(blocks)
    model.ln_f = nn.LayerNorm(WIDTH)
    return submission.placed(model)


WAYS = (built, built_of_course_parts, filled_with_course_parts)
SOUND_WAYS = tuple(map(partial, WAYS))
"""The same, while forward passes are sound: there, a model may be alive that is not here."""


def judge(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on models that compute: it gets what builds them.

    They are small and tied unless told.
    """

    def build(way: Build, **changes: object) -> Handle:
        return way(submission, **{**SIZES, **changes})

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, **SIZES)
        verdict(partial(build, way))

    def hold(ways: Sequence[Build]) -> None:
        in_some_way(partial(attempt, way) for way in ways)

    failure = tried(lambda: hold(WAYS))
    if failure is None:
        return
    if not submission.defines("FullModel"):
        raise failure
    # The model below may be a student's own, with a forward pass that a gradient doesn't survive.
    with sound_forward(submission.FullModel, submission.module("course.parts").FullModel):
        again = tried(lambda: hold(SOUND_WAYS))
    if again is not None:
        raise failure


def table_of(model: Handle) -> Handle:
    """The token table (V, d_model), at its pinned place."""
    return model.embedding.token_embedding.embedding.weight


def token_ids(rng: random.Random, batch: int, length: int) -> Tensor:
    """Random ids (batch, length) below USED."""
    return torch.tensor([rng.choices(range(USED), k=length) for _ in range(batch)])


def overwrite(weight: Handle, rng: random.Random) -> Tensor:
    """Fill a weight (V, d_model) with fresh numbers, in place; they come back."""
    before = weight.tensor()
    assert_shape(before, (VOCAB, WIDTH), "a weight that should be shared")
    drawn = draw(rng, VOCAB, WIDTH).to(before.dtype)
    weight.data.copy_(drawn)
    return drawn


def is_shared(model: Handle, rng: random.Random) -> bool:
    """Whether fresh numbers in the token table show in the head's weight."""
    drawn = overwrite(table_of(model), rng)
    head = model.lm_head.weight.tensor()
    return head.shape == drawn.shape and head.dtype == drawn.dtype and torch.equal(head, drawn)


def assert_tied(model: Handle, rng: random.Random, when: str) -> None:
    """Demand that head and table are one, both in what they hold and in what the head computes."""
    if not is_shared(model, rng):
        fail(f"a change of the token table does not reach the head's weight {when}")
    drawn = overwrite(model.lm_head.weight, rng)
    assert_close(table_of(model).tensor(), drawn, f"the token table {when}")
    x = draw(rng, 2, 3, WIDTH).to(drawn.dtype)
    scores = model.lm_head(x).tensor()
    assert_shape(scores, (2, 3, VOCAB), f"the output of lm_head {when}")
    # Differences: a bias in the head was an earlier assignment's mistake.
    actual, expected = scores.diff(dim=1), x.diff(dim=1) @ drawn.T
    assert_close(actual, expected, f"what lm_head makes of a difference {when}", **TOLERANCE)


# ---------------------------------------------------------------- running the model


@dataclass(frozen=True)
class Runner:
    """Runs a model in one way that works: how a mask is made and read is an earlier assignment."""

    model: Handle
    keywords: dict[str, Any]

    def logits(self, tokens: Tensor) -> Handle:
        """The logits (B, T, V), on the far side, also if they come without a second result."""
        result = self.model(tokens, **self.keywords)
        return result if type(result.value()) is Tensor else result[0]


def runner(model: Handle, tokens: Tensor) -> Runner:
    """Find a mask under which the model gives finite logits.

    Raises:
        grader.testing.CheckFailed, StudentError: there is none; what happened with the first.
    """
    length = tokens.size(1)
    allow_all = torch.ones(length, length, dtype=torch.bool)
    failure: Exception | None = None
    for keywords in ({"mask": allow_all}, {"mask": torch.zeros(length, length)}, {}):
        candidate = Runner(model, keywords)
        try:
            logits = candidate.logits(tokens).tensor()
            assert_shape(logits, (*tokens.shape, VOCAB), "the logits")
            if not torch.isfinite(logits).all():
                fail("the logits contain NaN or infinity")
            return candidate
        except (AssertionError, StudentError) as error:
            failure = failure or error
    assert failure is not None
    raise failure


def relative(logits: Tensor) -> Tensor:
    """What logits (B, T, V) say beyond a constant for each position: probabilities say the same."""
    assert_shape(logits, (*logits.shape[:2], VOCAB), "the logits")
    total = logits.sum(dim=-1)
    if bool((logits > 0).all()) and torch.allclose(total, torch.ones_like(total)):
        logits = logits.log()  # a softmax in the model was an earlier assignment's mistake
    return logits - logits[..., :USED].mean(dim=-1, keepdim=True)


def rescale(model: Handle, rng: random.Random) -> None:
    """Give the table numbers of a size that shows in the logits and in the embedding alike."""
    table_of(model).data.copy_(draw(rng, VOCAB, WIDTH) * 0.3)


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
                table_of(model).data[unseen].copy_(draw(rng, WIDTH))
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
                model.lm_head.weight.data[int(tokens[0, place])].copy_(draw(rng, WIDTH))
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
                drawn = draw(rng, VOCAB, WIDTH)
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
            sizes = {"vocab_size": 400, "padding_idx": rng.randrange(VOCAB)}
            tied, untied = (build(**sizes, tie_weights=tie) for tie in (True, False))
            table, *others = tensors(map(table_of, (tied, untied, *models_before(**sizes))))
            for other in (table, *others):
                assert_shape(other, (400, WIDTH), "the token table")
            if not is_shared(build(), rng):
                fail("the head of a tied model does not follow the token table")
            spread = others[0].std().item()
            actual = table.std().item()
            assert_close(actual, spread, "the deviation of a tied table", rtol=0.15)
            padding = sizes["padding_idx"]
            if not all(other[padding].any() for other in others):
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
            weights = draw(rng, 2, 6, VOCAB)
            directions = [row_direction(rng, USED, VOCAB) for _ in range(3)]
            assert_slopes(build(), rng, weights, directions)

        judge(submission, rng, verdict)

    @check(points=1, hint="A row that is looked up and scored has two reasons to change.")
    def test_both_paths(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Rows of tokens in the input get the gradient of the lookup, and that of the output too"""

        def verdict(build: Build) -> None:
            weights = draw(rng, 2, 6, VOCAB)
            lookup_only = weights.clone()
            lookup_only[..., :USED] = 0
            for loss_weights in (lookup_only, weights):
                directions = [row_direction(rng, 0, USED) for _ in range(3)]
                assert_slopes(build(), rng, loss_weights, directions)

        judge(submission, rng, verdict)


def row_direction(rng: random.Random, start: int, stop: int) -> Tensor:
    """A random direction (V, d_model) in the rows from start to stop - 1."""
    direction = torch.zeros(VOCAB, WIDTH)
    direction[start:stop] = draw(rng, stop - start, WIDTH)
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
    table.data[unseen].copy_(draw(rng, WIDTH))
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
                run.logits(tokens).mul(draw(rng, 2, 6, VOCAB)).sum().backward()
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
        """The count is the number of elements in all parameters, a shared one counted once"""

        def verdict(build: Build) -> None:
            for changes in variants():
                model = build(**changes)
                expected = sum(own_counts(model, rng).values())
                assert_equal(model.count_parameters().value(), expected, "count_parameters()")

        judge(submission, rng, verdict)

    @check(points=1, hint="Where does the shared table appear, and where not again?")
    def test_breakdown(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The breakdown counts each part, frozen or not, and the parts add up to the total"""

        def verdict(build: Build) -> None:
            for changes in variants():
                model = build(**changes)
                expected = own_counts(model, rng)
                expected["total"] = sum(expected.values())
                breakdown = model.get_parameter_breakdown().value()
                assert_equal(breakdown, expected, "the breakdown")
                for part in (model.ln_f, model):
                    part.requires_grad_(False)
                    breakdown = model.get_parameter_breakdown().value()
                    assert_equal(breakdown, expected, "the breakdown with frozen parameters")

        judge(submission, rng, verdict)

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
                for part in (model.ln_f, model.blocks, table_of(model)):
                    part.requires_grad_(False)
                    actual = model.count_parameters().value()
                    assert_equal(actual, count, "the count of all parameters")
                    assert_trainable(model, count)
            larger = build(tie_weights=False, vocab_size=VOCAB + 5)  # the last one was untied, too
            more = count_of(larger.parameters()) - count_of(model.parameters())
            actual = larger.count_parameters().value()
            assert_equal(actual, count + more, "the count with five tokens more")

        judge(submission, rng, verdict)


def variants() -> Iterator[dict[str, object]]:
    """Tied and untied, with and without parameters for positions."""
    for tied in (True, False):
        for positional in ("sinusoidal", "learned"):
            yield {"tie_weights": tied, "positional": positional}


def own_counts(model: Handle, rng: random.Random) -> dict[str, int]:
    """The number of elements in each of the model's own parts; a shared table is the embedding's.

    Whether the head shares the table is tried out, so that tying is not judged here once more.
    """
    shared = is_shared(model, rng)
    return {
        "embedding": TABLE + count_of(model.embedding.parameters(), tables=False),
        "transformer_blocks": count_of(model.blocks.parameters()),
        "ln_f": count_of(model.ln_f.parameters()),
        "lm_head": (0 if shared else TABLE) + count_of_head(model),
    }


def count_of_head(model: Handle) -> int:
    """Elements of the head's parameters beside the table: not those that are the embedding's too.

    A head that looks the table up where it lives may hold the whole embedding as a part of its own.
    """
    head = elements(model.lm_head.parameters())
    before = tensors(head)
    for parameter in elements(model.embedding.parameters()):
        parameter.data.add_(1)
    kept = zip(before, tensors(head), strict=True)
    return sum(
        old.numel() for old, new in kept if old.shape != (VOCAB, WIDTH) and torch.equal(old, new)
    )


def count_of(parameters: Handle, *, tables: bool = True, frozen: bool = False) -> int:
    """Add up the elements of parameters: not those of shape (V, d_model), or frozen ones only."""
    handles = elements(parameters)
    trained = values(parameter.requires_grad for parameter in handles)
    count = 0
    for value, is_trained in zip(tensors(handles), trained, strict=True):
        is_table = tuple(value.shape) == (VOCAB, WIDTH)
        is_frozen = is_trained is False
        if (tables or not is_table) and (is_frozen or not frozen):
            count += value.numel()
    return count


def assert_trainable(model: Handle, count: float) -> None:
    """Demand that the trainable parameters are those of all, `count`, that are not frozen."""
    expected = count - count_of(model.parameters(), frozen=True)
    actual = model.count_parameters(trainable_only=True).value()
    assert_equal(actual, expected, "the count of trainable parameters")


def assert_plausible(model: Handle, count: float) -> None:
    """Demand that a count of all parameters, right or not, has something to do with the model."""
    least = count_of(model.parameters())
    if not least <= count <= 2 * least:
        fail("the count of all parameters is far off", expected=least, actual=count)
