"""Hidden checks of assignment 03, second part: what a model is made of, and how it starts."""

import itertools
import math
import random

import pytest
import torch
import torch.nn.functional as F
from judged_models import (
    LONGEST,
    SIZES,
    VOCAB,
    WIDTH,
    judge_construction,
    logits_of,
    parameters_of,
    redraw,
    settled,
    ties,
    token_ids,
    values_of,
)
from torch import Tensor

from course.checks.drawn_modules import normal
from course.checks.living_models import (
    TOLERANCE,
    Build,
    buildable,
    built_of_course_parts,
    can_be_built,
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
    raises,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail

COLUMNS = ("d_model", "n_heads", "n_layers", "d_ff", "max_len", "dropout")
REFUSED = ("ValueError", "AssertionError", "IndexError", "RuntimeError")


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
            model = build()
            blocks = elements(model.blocks)
            before = [values_of(block) for block in blocks]
            redraw(submission, elements(model.ln_f.parameters()))
            for block, old in zip(blocks, before, strict=True):
                assert_close(values_of(block), old, "a block's parameters after a change in ln_f")

        judge_construction(submission, rng, verdict)

    @check(points=1, hint="An optimizer sees what `model.parameters()` lists.")
    def test_all_are_trained(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A step of an optimizer on the model's parameters changes every block"""

        def verdict(build: Build) -> None:
            model = build()
            redraw(submission, parameters_of(model))
            settled(model)
            x, blocks = normal(rng, 2, 6, WIDTH), elements(model.blocks)
            before = [values_of(block) for block in blocks]
            for block in blocks:
                block(x)[0].mul(normal(rng, 2, 6, WIDTH)).sum().backward()
            submission.module("torch.optim").SGD(model.parameters(), lr=0.1).step()
            for number, block in enumerate(blocks):
                assert_differs(values_of(block), before[number], f"what block {number} has learned")

        judge_construction(submission, rng, verdict)


class TestArguments:
    """Arguments reach the parts"""

    @check(points=0.4, hint="Which parts drop something? Each must be told the rate.")
    def test_dropout(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The rate of dropout, 0.1 by default, reaches every part, and eval mode drops nothing"""

        def verdict(build: Build) -> None:
            tokens, x = token_ids(rng, 4, 8), normal(rng, 4, 8, WIDTH)
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
            model = much
            model.train()
            for part in (model.embedding, *elements(model.blocks)):
                part.eval()
            trained = logits_of(model(tokens, mask=mask), tokens)
            settled(model)
            evaluated = logits_of(model(tokens, mask=mask), tokens)
            assert_close(trained, evaluated, "the logits in training when no part drops anything")
            for model, rate in ((much, 0.8), (build(dropout=None), 0.1)):
                model.train()
                vectors = model.embedding(token_ids(rng, 64, LONGEST)).tensor()
                # of 12,288 elements; by Hoeffding's inequality wrong with less than 1e-9
                assert_close(zeros_in(vectors), rate, "the share that is dropped", atol=0.03)
                first, second = (logits_of(model(tokens), tokens) for _ in range(2))
                assert_differs(first, second, "the logits of a second call in training")
                if zeros_in(first) > 0.05:
                    fail("some of the logits themselves are dropped")

        judge_construction(submission, rng, verdict, dropping=True)
        assert_rate_in_course_blocks(submission)

    @check(points=0.4, hint="The blocks can't guess the heads and the width that were asked for.")
    def test_heads_and_width(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each block has n_heads heads and a feed-forward network of width d_ff"""

        def verdict(build: Build) -> None:
            x = normal(rng, 2, 5, WIDTH)
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

    @check(points=0.3, hint="Positions and padding are the embedding's business: pass them on.")
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
            for tied, padding in itertools.product(ties(build), (None, 0, rng.randrange(1, VOCAB))):
                model = build(padding_idx=padding, tie_weights=tied)
                table = model.embedding.token_embedding.embedding.weight.tensor()
                zero_rows = (table == 0).all(dim=1).nonzero().flatten().tolist()
                expected = [] if padding is None else [padding]
                assert_equal(zero_rows, expected, "the list of rows that start as zeros")

        judge_construction(submission, rng, verdict)

    @check(points=0.3, hint="Is it one Parameter with two names, or two with the same numbers?")
    def test_tying(self, submission: SubmissionNames, rng: random.Random) -> None:
        """`tie_weights`, on by default, makes the head's weight follow the token table"""

        def verdict(build: Build) -> None:
            counts = {}
            for tied in (None, True, False):
                model = build(tie_weights=tied)
                counts[tied] = len(values_of(model))
                table = model.embedding.token_embedding.embedding.weight
                before = model.lm_head.weight.tensor()
                assert_shape(before, (VOCAB, WIDTH), "the weight of lm_head")
                redraw(submission, [table])
                after = model.lm_head.weight.tensor()
                if tied is False:
                    assert_close(after, before, "the weight of an untied head")
                else:
                    assert_close(after, table.tensor(), "the weight of a tied head")
            more = counts[False] - counts[True]
            assert_equal(more, VOCAB * WIDTH, "how many numbers more an untied model has")

        judge_construction(submission, rng, verdict)

    @check(points=0.2, hint="The first lines of both definitions say in which order.")
    def test_order(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Arguments can be given without their names, in the order of the stubs"""

        def verdict(build: Build) -> None:
            arguments = {**SIZES, "positional": "learned", "tie_weights": ties(build)[-1]}
            arguments["padding_idx"] = rng.randrange(2, VOCAB)
            seed, numbers = rng.randrange(2**31), []
            for order, names in (([], arguments), (arguments.values(), {})):
                submission.seed(seed)
                model = build(*order, **names)
                numbers.append(tensors(elements(model.parameters())))
            assert_equal(*[[tuple(n.shape) for n in one] for one in numbers], "the shapes inside")
            for named, ordered in zip(*numbers, strict=True):
                assert_close(ordered, named, "what a model starts with")

        judge_construction(submission, rng, verdict)


def assert_rate_in_course_blocks(submission: SubmissionNames) -> None:
    """Demand that a model which takes the course's blocks for its own tells them the whole rate.

    What a student's own blocks drop can't be read.
    """
    built_in = submission.module("builtins")
    there = submission.module("course.parts").TransformerBlock
    for rate in (0.8, 0.3):
        sizes = {**buildable(submission, SIZES), "dropout": rate}
        if not can_be_built(submission, sizes):
            return
        for block in elements(built_of_course_parts(submission, **sizes).blocks):
            if built_in.isinstance(block, there).value() is True:
                rates = values(
                    built_in.getattr(part, "p", None) for part in elements(block.modules())
                )
                told = {value for value in rates if value is not None}
                assert_equal(told, {rate}, "the rates of a block's dropout")


def zeros_in(tensor: Tensor) -> float:
    """Which share of the elements is zero."""
    return float((tensor == 0).double().mean())


def in_both_modes(part: Handle, given: Tensor) -> tuple[Tensor, Tensor]:
    """What a part makes of the same vectors in training and in eval mode."""
    outputs = []
    for mode in ("train", "eval"):
        attribute(part, mode)()
        value = part(given).value()
        output = value[0] if isinstance(value, (tuple, list)) and value else value
        assert_shape(output, (*given.shape[:2], WIDTH), "a part's output")
        outputs.append(output)
    return outputs[0], outputs[1]


class TestInitialisation:
    """An untrained model is undecided"""

    @check(points=0.5, hint="How large are the logits at first, and which weights decide that?")
    def test_first_loss(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The first loss is close to ln V, tied or not"""

        def verdict(build: Build) -> None:
            sizes = {"vocab_size": 300, "d_model": 64, "n_layers": 2, "max_len": 40}
            for tied in ties(build):
                model = build(**sizes, tie_weights=tied)
                settled(model)
                tokens, targets = token_ids(rng, 4, 40, 300), token_ids(rng, 4, 40, 300)
                logits = logits_of(model(tokens), tokens, 300)
                loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()).item()
                # the reference's is 0.01 more, give or take 0.013: the bound is 22 deviations away
                assert_close(loss, math.log(300), "the first loss", rtol=0, atol=0.3)
                what = "the logits from place to place"
                assert_differs(logits[0, 1:], logits[0, :-1], what, **TOLERANCE)

        judge_construction(submission, rng, verdict)

    @check(points=0.5, hint="The docstring says how the token table and an untied head start.")
    def test_spread(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The token table, and the weight of an untied head, start as N(0, 0.02)"""

        def verdict(build: Build) -> None:
            for tied in ties(build):
                model = build(vocab_size=300, d_model=64, tie_weights=tied)
                table = model.embedding.token_embedding.embedding.weight.tensor()
                weights = {"the token table": table}
                if not tied:
                    weights["the weight of lm_head"] = model.lm_head.weight.tensor()
                for name, weight in weights.items():
                    assert_shape(weight, (300, 64), name)
                    # 19,200 numbers: each bound is eight or more standard deviations away
                    assert_close(weight.std().item(), 0.02, f"the deviation of {name}", rtol=0.1)
                    assert_close(weight.mean().item(), 0.0, f"the mean of {name}", atol=0.002)
                    inside = float((weight.abs() < 0.02).double().mean())
                    assert_close(
                        inside, 0.683, f"the share of {name} within one deviation", atol=0.03
                    )

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
        expected = dict(zip(COLUMNS, rows[size], strict=True))
        assert_equal(submission.get_model_config(size).value(), expected, "the preset")

    @check(points=0.25, hint="Who else holds the dict that you return?")
    def test_fresh_dict(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Changing the dict that came back changes no later call"""

        def get(size: str) -> Handle:
            return submission.get_model_config(size)

        known = [
            size
            for size in ("small", "tiny", "medium", "large")
            if size == "small" or tried(lambda size=size: get(size).done()) is None
        ]
        alone = {size: get(size).value() for size in known}
        together = {size: get(size) for size in known}
        for size, config in together.items():
            assert_equal(config.value(), alone[size], "a preset after later calls")
        for size, config in together.items():
            number = rng.randrange(1000, 2000)
            submission.module("operator").setitem(config, "d_model", number)
            assert_equal(config["d_model"].value(), number, "the changed entry")
            assert_equal(get(size).value(), alone[size], "the preset of a later call")

    @check(points=0.25, hint="`TinyTransformerLM(vocab_size, **config)` must work.")
    def test_buildable(self, submission: SubmissionNames) -> None:
        """Every preset is a dict of six of the model's arguments, by their names"""
        for size in ("tiny", "small", "medium", "large"):
            config = submission.get_model_config(size).value()
            if type(config) is not dict:
                fail("the preset is not a dict", actual=type(config).__name__)
            assert_equal(sorted(config, key=str), sorted(COLUMNS), "the names in a preset")
