"""Workers of one zygote: each sees what its assignment may, as a module and as a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import walled
from toy import write
from walled import MODES, ready_zygote, run

from grader.errors import ConfigError
from grader.judging.spawning import Zygote, spawn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wall is a part of Linux")

WITHHELD = {
    "first": ["kit.words.double", "kit.answers"],
    "second": ["kit.words.triple"],
    "third": [],
}
FILES = {
    "__init__.py": "from kit.words import one\n",
    "words.py": "one = 1\ndef double(x): return 2 * x\ndef triple(x): return 3 * x\n",
    "answers/__init__.py": "from kit.answers.more import more\n",
    "answers/more.py": "more = 4\n",
    "other.py": "from kit import words\n",
}
LOOK = """
import gc, glob, json, os, sys, types
def tried(do):
    try:
        return do()
    except (ImportError, AttributeError):
        return None
import kit, kit.other
top = os.path.dirname(os.path.dirname(kit.__file__))
from kit import words
code = lambda name: any(
    isinstance(one, types.CodeType) and one.co_name == name for one in gc.get_objects()
) or any(
    isinstance(one, types.FunctionType) and one.__name__ == name for one in gc.get_objects()
)
texts = []
guesses = [os.path.join(os.path.dirname(top), "parts", name) for name in ("first", "second", "third")]
for folder in (top, os.path.dirname(top), *guesses):
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                texts.append(open(os.path.join(place, name), errors="replace").read())
            except OSError:
                pass
print(json.dumps({
    "double": tried(lambda: words.double(1)),
    "triple": tried(lambda: words.triple(1)),
    "answers": tried(lambda: __import__("kit.answers").answers.more),
    "one": [kit.one, kit.other.words.one],
    "same": kit.words is kit.other.words is sys.modules["kit.words"],
    "functions": [code("double"), code("triple")],
    "texts": ["2 * x" in " ".join(texts), "3 * x" in " ".join(texts), "more = 4" in " ".join(texts)],
}))
"""
SEEN = {
    "first": {"double": None, "triple": 3, "answers": None},
    "second": {"double": 2, "triple": None, "answers": 4},
    "third": {"double": 2, "triple": 3, "answers": 4},
    "1": {"double": None, "triple": None, "answers": None},
}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course") / "kit"
    for name, text in FILES.items():
        write(folder / name, text)
    return folder


@pytest.fixture(scope="module", params=[(), ("kit.other",)], ids=["not preloaded", "preloaded"])
def zygote(kit: Path, request: pytest.FixtureRequest) -> Iterator[Zygote]:
    with ready_zygote(public=[kit], withheld=WITHHELD, preload=request.param) as zygote:
        yield zygote


@pytest.fixture
def look(zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """What a worker of an assignment finds."""

    def found(assignment: str, **options: Any) -> dict[str, Any]:
        monkeypatch.setattr(walled, "spawn", partial(spawn, assignment=assignment))
        result = run(zygote, LOOK, **options)
        assert result.raised is None, result.raised
        seen: dict[str, Any] = result.json()
        return seen

    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("assignment", SEEN)
def test_a_worker_has_what_its_assignment_may_have_and_no_text_of_the_rest(
    look: Callable[..., dict[str, Any]], assignment: str, mode: str
) -> None:
    seen, expected = look(assignment, forbidden=MODES[mode]), SEEN[assignment]
    assert {name: seen[name] for name in expected} == expected
    assert (seen["one"], seen["same"]) == ([1, 1], True)
    there = [expected["double"] is not None, expected["triple"] is not None]
    assert seen["functions"] == there
    assert seen["texts"][:2] == there


def test_without_a_wall_it_imports_the_same(look: Callable[..., dict[str, Any]]) -> None:
    for assignment, expected in SEEN.items():
        seen = look(assignment, sandbox=False)
        assert {name: seen[name] for name in expected} == expected


def test_a_copy_among_the_installed_packages_is_hidden(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    for name, text in FILES.items():
        write(installed / "kit" / name, text)
    monkeypatch.syspath_prepend(str(installed))
    source = f"""
import os
top = {str(installed)!r}
print(os.path.exists(top + "/kit/other.py"))
for name in ("words.py", "answers/more.py"):
    try:
        print(open(top + "/kit/" + name).read() != "")
    except OSError:
        print(False)
"""
    with ready_zygote(public=[kit], withheld=WITHHELD) as zygote:
        for forbidden in MODES.values():
            result = run(zygote, source, forbidden=forbidden)
            assert result.printed.split() == ["True", "False", "False"]


def test_what_can_not_be_withheld_is_told_and_leaves_nothing(kit: Path) -> None:
    with pytest.raises(ConfigError, match="nothing public is called"):
        Zygote(preload=[], public=[kit], withheld={"first": ["kit.nothing"]})
