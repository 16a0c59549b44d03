"""What a run about some of a class leaves of the class: everything else."""

from __future__ import annotations

import msgspec
import pytest
from generated import gradebook as generated

from grader.config.course import Course
from grader.config.policy import Adjustment
from grader.gradebook import Asked, Gradebook, Origin, Regrade, Score, State
from grader.intake.roster import Person, Roster
from grader.model import Ending, EndingKind, Isolation, Problem, ProblemKind
from grader.scoring.merging import Merged, Narrowed, merge
from grader.scoring.points import in_order

NOW = {"embeddings": "e1", "blocks": "b1"}
KEYS = [("student0001", "embeddings")]
replace = msgspec.structs.replace


@pytest.fixture
def course(toy_course: Course) -> Course:
    first, *_ = toy_course.assignments
    return replace(
        toy_course,
        assignments=tuple(replace(first, id=name, title=name.title()) for name in NOW),
    )


@pytest.fixture
def before(course: Course) -> Gradebook:
    """Three students in two assignments."""
    book = generated(3, assignments=2)
    return in_order(
        replace(book, run=replace(book.run, graded_with=NOW, seconds_per_submission={"a": 1.0})),
        course,
    )


def part(book: Gradebook, *keys: tuple[str, str], **changes: object) -> Gradebook:
    """What a run gives that was about these scores."""
    scores = tuple(
        replace(score, earned=1.0, applied=(), **changes)
        for score in book.scores
        if (score.student, score.assignment) in keys
    )
    names = {score.assignment for score in scores}
    return replace(
        book,
        scores=scores,
        assignments=tuple(one for one in book.assignments if one.id in names),
        problems=(),
        run=replace(book.run, graded_with={name: NOW[name] for name in names}),
    )


def merged(before, new, course, only=(), assignments=(), roster=None, now=NOW, **more) -> Merged:
    return merge(before, new, course, Narrowed(only, assignments, roster), graded_with=now, **more)


def by_key(book: Gradebook) -> dict[tuple[str, str], Score]:
    return {(score.student, score.assignment): score for score in book.scores}


ONE = ("student0001", "blocks")


def test_one_student_again_leaves_everybody_else_as_they_were(before, course):
    whole = merged(before, part(before, ONE), course, only=("student0001",))
    then, after = by_key(before), by_key(whole.gradebook)
    assert after[ONE].earned == 1.0
    assert {key: after[key] for key in then if key != ONE} == {
        key: then[key] for key in then if key != ONE
    }
    assert list(after) == list(then)
    assert whole.standing == whole.unchanged == frozenset(then) - {ONE}
    assert [one.id for one in whole.gradebook.assignments] == ["embeddings", "blocks"]
    assert whole.gradebook.run.seconds_per_submission["a"] == 1.0


def test_totals_are_those_of_all_scores(before, course):
    whole = merged(before, part(before, ONE), course, only=("student0001",)).gradebook
    (total,) = (one for one in whole.totals if one.student == "student0001")
    assert total.earned == pytest.approx(
        1.0 + by_key(before)["student0001", "embeddings"].earned, abs=1e-6
    )


def test_an_assignment_of_its_own_replaces_that_assignment_for_everybody(before, course):
    """Whoever is not in it any more has taken the work back."""
    whole = merged(before, part(before, ONE), course, assignments=("blocks",)).gradebook
    assert [key for key in by_key(whole) if key[1] == "blocks"] == [ONE]
    assert sum(score.assignment == "embeddings" for score in whole.scores) == 3


def test_what_stands_is_marked_when_the_suite_or_the_grader_has_changed(before, course):
    changed = NOW | {"blocks": "b2"}
    new = part(before, ONE)
    whole = merged(before, new, course, only=("student0001",), now=changed).gradebook
    outdated = {key for key, score in by_key(whole).items() if score.outdated}
    assert outdated == {("student0000", "blocks"), ("student0002", "blocks")}
    (problem,) = whole.problems
    assert (problem.kind, problem.assignment) == (ProblemKind.OUTDATED, "blocks")
    assert problem.message.startswith("2 of the scores")
    again = merged(whole, new, course, only=("student0001",), now=changed).gradebook
    assert by_key(again) == by_key(whole)  # the mark outlives another run
    assert again.problems == whole.problems


def test_a_gradebook_that_does_not_say_what_it_was_graded_with_is_outdated(before, course):
    before = replace(before, run=replace(before.run, graded_with={}))
    whole = merged(before, part(before, ONE), course, only=("student0001",)).gradebook
    assert sum(score.outdated for score in whole.scores) == len(whole.scores) - 1


def test_a_run_that_was_stopped_takes_no_score_away(before, course):
    stopped = part(before, ONE, state=State.UNGRADED, ending=Ending(kind=EndingKind.INTERRUPTED))
    new = replace(stopped, complete=False)
    for narrowed in ({"only": ("student0001",)}, {"assignments": ("blocks",)}):
        whole = merged(before, new, course, **narrowed).gradebook
        assert by_key(whole)[ONE] == by_key(before)[ONE]
        assert not whole.complete


def test_whoever_was_missing_under_another_name_is_not_there_twice(before, course):
    absent = replace(before.scores[1], student="103", state=State.MISSING)
    before = replace(before, scores=(*before.scores, absent, replace(absent, student="late@x.edu")))
    new = part(before, ONE)
    arrived = replace(new, scores=(replace(new.scores[0], student="poecy_103"),))
    whole = merged(before, arrived, course, only=("poecy_103",)).gradebook
    assert "103" not in {score.student for score in whole.scores}
    assert "late@x.edu" in {score.student for score in whole.scores}
    roster = Roster(people=(Person(ids=("103", "late@x.edu")),))
    whole = merged(before, arrived, course, only=("poecy_103",), roster=roster).gradebook
    assert not {"103", "late@x.edu"} & {score.student for score in whole.scores}


def test_problems_stand_with_the_scores_that_they_are_about(before, course):
    def problem(student: str | None, assignment: str | None, message: str) -> Problem:
        return Problem(
            kind=ProblemKind.LATE, message=message, student=student, assignment=assignment
        )

    theirs = problem("student0000", "blocks", "theirs")
    general, old = problem(None, None, "general"), problem(*ONE, "old")
    other = problem("student0001", "embeddings", "other")
    new = replace(part(before, ONE), problems=(problem(*ONE, "new"), general))
    before = replace(before, problems=(theirs, general, old, other))
    told = merged(before, new, course, only=("student0001",)).gradebook.problems
    assert sorted(one.message for one in told) == ["general", "new", "other", "theirs"]
    told = merged(before, new, course, assignments=("blocks",)).gradebook.problems
    assert sorted(one.message for one in told) == ["general", "new", "other"]


def test_no_wall_for_some_is_no_wall_for_all(before, course):
    for then, now in (("off", "full"), ("full", "off")):
        old = replace(before, isolation=Isolation(mode=then))
        new = replace(part(before, ONE), isolation=Isolation(mode=now))
        whole = merged(old, new, course, only=("student0001",)).gradebook
        assert whole.isolation is not None
        assert whole.isolation.off


def test_adjustments_made_since_count_for_those_who_stand(before, course):
    key = ("student0000", "blocks")
    by_hand = Adjustment(
        student=key[0], assignment=key[1], points=0.5, because="a typo", at="", by=""
    )
    new = part(before, ONE)
    first = merged(before, new, course, only=("student0001",), adjustments=(by_hand,))
    second = merged(first.gradebook, new, course, only=("student0001",), adjustments=(by_hand,))
    for whole in (first, second):
        score = by_key(whole.gradebook)[key]
        assert score.earned == pytest.approx(by_key(before)[key].earned + 0.5, abs=1e-6)
        assert [one.rule for one in score.applied].count("adjustment") == 1
    assert (key in first.unchanged, key in second.unchanged) == (False, True)


def test_a_class_graded_in_parts_is_the_class_graded_at_once(before, course):
    whole: Gradebook | None = None
    for key in by_key(before):
        alone = replace(
            before,
            scores=(by_key(before)[key],),
            assignments=tuple(one for one in before.assignments if one.id == key[1]),
            run=replace(before.run, graded_with={key[1]: NOW[key[1]]}),
        )
        whole = alone if whole is None else merged(whole, alone, course, only=key[:1]).gradebook
    assert whole == before


def test_names_are_kept_of_those_who_are_there(before, course):
    old = replace(before, names={"student0000": "Ann Doe", "gone": "Bo"})
    new = replace(part(before, ONE), names={"student0001": "Cy Poe"})
    names = merged(old, new, course, only=("student0001",)).gradebook.names
    assert names == {"student0000": "Ann Doe", "student0001": "Cy Poe"}


def asked(book: Gradebook, *paths: str, **more: object) -> Gradebook:
    return replace(book, run=replace(book.run, asked=Asked(paths=paths, **more)))


def test_what_it_takes_to_do_the_same_again_is_that_of_both(before, course):
    first = asked(before, "/a/handed-in", "/b/late.zip", roster="/r.csv", seed=1)
    new = asked(part(before, *KEYS), "/a/handed-in/ann", "/c", "/a/handed-in", seed=2)
    found = merged(first, new, course, only=(KEYS[0][0],)).gradebook.run.asked
    assert found.paths == ("/a/handed-in", "/b/late.zip", "/c")
    assert (found.roster, found.seed) == ("/r.csv", 2)
    wider = merged(new, first, course, only=(KEYS[0][0],)).gradebook.run.asked
    assert wider.paths == ("/c", "/a/handed-in", "/b/late.zip")


def test_the_log_of_regradings_stays(before, course):
    line = Regrade(
        at="", by="", because="", assignments=(), changes={}, former="", gained=0, lost=0, same=1
    )
    log = replace(before, regrades=(line,))
    whole = merged(log, part(before, *KEYS), course, only=(KEYS[0][0],))
    assert whole.gradebook.regrades == (line,)


def test_each_score_keeps_where_its_own_file_lay_and_its_seed(before, course):
    def with_origins(book: Gradebook, seed: int) -> Gradebook:
        origins = tuple(
            Origin(s.student, s.assignment, f"/{seed}/{s.student}", seed=seed) for s in book.scores
        )
        return replace(book, run=replace(book.run, origins=origins))

    new = part(before, ("student0001", "blocks"), state=State.GRADED)
    whole = merged(
        with_origins(before, 1), with_origins(new, 2), course, ["student0001"], ["blocks"]
    )
    seeds = {(o.student, o.assignment): o.seed for o in whole.gradebook.run.origins}
    assert seeds == dict.fromkeys(by_key(before), 1) | {("student0001", "blocks"): 2}
    assert len(whole.gradebook.run.origins) == len(seeds)
