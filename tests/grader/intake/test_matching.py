from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.matching import Matcher, is_container

MATCHER = Matcher(
    {
        "embeddings": ["embeddings", "Embeddings"],
        "full_model": ["full_model", "The full model"],
        "model": ["model"],
        "weight_tying": ["weight_tying", "Weight tying", "tying"],
        "lab1": ["lab1"],
        "lab12": ["lab12"],
        "étude": ["étude"],
    }
)


@pytest.mark.parametrize(
    ("name", "assignment"),
    [
        ("embeddings", "embeddings"),
        ("EMBEDDINGS", "embeddings"),
        ("01-Embeddings (2)", "embeddings"),
        ("01_embeddings_final", "embeddings"),
        ("01embeddings", "embeddings"),
        ("embeddings2", "embeddings"),
        ("embeddings_v12 - Copy", "embeddings"),
        ("Copy of 03 Full Model", "full_model"),
        ("Kopie von 01_embeddings", "embeddings"),
        ("Copie de Copie de 01_embeddings", "embeddings"),
        ("Copia_de_embeddings", "embeddings"),
        ("Copia di embeddings", "embeddings"),
        ("Co\u0301pia de embeddings", "embeddings"),
        ("Kopia av Assignment 1 - embeddings", "embeddings"),
        ("Копия 01_embeddings", "embeddings"),
        ("embeddings - Kopie (2)", "embeddings"),
        ("embeddings - 副本", "embeddings"),
        ("FullModel", "full_model"),
        ("fullmodel", "full_model"),
        ("FULL-MODEL", "full_model"),
        ("my_fullModel_solution", "full_model"),
        ("model", "model"),
        ("weight tying-Copy1", "weight_tying"),
        ("Weight  Tying (final) (3)", "weight_tying"),
        ("lab1", "lab1"),
        ("Lab 01", "lab1"),
        ("lab_12", "lab12"),
        ("e\u0301tude", "étude"),
        ("ｅｍｂｅｄｄｉｎｇｓ", "embeddings"),
    ],
)
def test_a_name_is_an_assignments_whatever_was_added_to_it(name, assignment):
    reading = MATCHER.read(name)
    assert reading.assignments == (assignment,)
    assert reading.plain


@pytest.mark.parametrize(
    ("name", "assignment", "owner"),
    [
        ("embeddings_alice", "embeddings", "alice"),
        ("alice_embeddings_final", "embeddings", "alice"),
        ("Anna-Maria Müller - 01 Embeddings (2)", "embeddings", "Anna-Maria Müller"),
        ("aliceEmbeddings", "embeddings", "alice"),
        ("anna_embeddings_smith", "embeddings", "anna_smith"),
        ("embeddings_s1234567", "embeddings", "s1234567"),
        ("embeddings_1234567", "embeddings", "1234567"),
        ("Kopie von 01_embeddings - Dee Dee", "embeddings", "Dee Dee"),
        ("Copie de 01_embeddings - Greta", "embeddings", "Greta"),
        ("Emil - Copy of 01_embeddings", "embeddings", "Emil"),
        ("Fatima_Kopie von 01_embeddings", "embeddings", "Fatima"),
        ("Assignment 1 - Sven Ek - 01_embeddings", "embeddings", "Sven Ek"),
        ("Aufgabe 1 embeddings Ben", "embeddings", "Ben"),
        # the same words are in people's names
        ("embeddings_von Berg", "embeddings", "von Berg"),
        ("Kopie von von Berg_embeddings", "embeddings", "von Berg"),
        ("de Groot - embeddings - copie", "embeddings", "de Groot"),
        ("embeddings copie de Groot", "embeddings", "de Groot"),
        ("full_model_bob", "full_model", "bob"),
        ("model_bob", "model", "bob"),
    ],
)
def test_the_rest_of_a_name_is_its_owner(name, assignment, owner):
    reading = MATCHER.read(name)
    assert (reading.assignments, reading.owner) == ((assignment,), owner)


@pytest.mark.parametrize(
    "name",
    [
        "homework", "Untitled1", "final_v2", "homework 3", "my notebook", "Kopie von", "Aufgabe 3",
        "Copie de Untitled",
    ],
)  # fmt: skip
def test_a_name_of_filler_words_says_nothing(name):
    reading = MATCHER.read(name)
    assert (reading.assignments, reading.owner) == ((), "")


@pytest.mark.parametrize(
    "name", ["alice", "12345", "7", "李小龙", "Ada Lovelace", "embeddingsx", "lab 3"]
)
def test_another_name_is_a_persons(name):
    reading = MATCHER.read(name)
    if name != "lab 3":
        assert (reading.assignments, reading.owner) == ((), name)
    else:  # a lab's number is no person's
        assert (reading.assignments, reading.owner) == ((), "")


def test_numbers_are_never_glued_together():
    assert MATCHER.read("lab1_2").assignments == ("lab1",)
    assert MATCHER.read("lab 11").assignments == ()


def test_a_name_that_fits_two_assignments_fits_both():
    assert MATCHER.read("embeddings and weight tying").assignments == ("embeddings", "weight_tying")


@given(st.text(max_size=300))
def test_any_name_can_be_read(name):
    reading = MATCHER.read(name)
    assert not (reading.plain and reading.owner)


def test_a_long_hostile_name_costs_little():
    start = time.process_time()
    MATCHER.read("a1" * 100_000)
    MATCHER.read("aB" * 100_000)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("name", "assignments", "owner"),
    [
        ("full model 1 2", ("m12",), ""),
        ("full model 1 3", ("m",), ""),
        ("fullmodel ann", ("m",), "ann"),
        ("the fullmode l", ("m",), ""),
        ("fullmode", (), "fullmode"),
        ("model 1 full", (), "model 1 full"),
    ],
)
def test_the_longest_name_is_found_word_by_word(name, assignments, owner):
    matcher = Matcher({"m": ["full model"], "m12": ["full model 1 2"]})
    reading = matcher.read(name)
    assert (reading.assignments, reading.owner) == (assignments, owner)


@pytest.mark.parametrize(
    "name", ["a1700000", "v123450", "hw12", "ex3", "07", "12345", "final.smith@uni.edu", "a", "nb"]
)
def test_no_id_is_taken_for_filler(name):
    assert MATCHER.read(name).owner == name
    if name not in ("hw12", "ex3", "07", "a", "nb"):  # beside an assignment these may be numbers
        assert MATCHER.read(f"embeddings_{name}").owner == name
        assert MATCHER.read(f"{name}_embeddings_final").owner == name


def test_two_people_are_never_one():
    names = [
        "anna_new",
        "anna_old",
        "anna",
        "a_smith",
        "smith",
        "Ben Work",
        "Ben",
        "anna_12",
        "anna_13",
    ]
    assert len({MATCHER.read(f"embeddings_{name}").owner for name in names}) == len(names)


@pytest.mark.parametrize("name", ["submissions", "Class of 2026", "handed-in", "submissions (2)"])
def test_folders_of_a_class_are_told_by_their_names(name):
    assert is_container(name)


@pytest.mark.parametrize("name", ["of3", "in", "ann", "2026", "the students of ann"])
def test_other_folders_are_not(name):
    assert not is_container(name)
