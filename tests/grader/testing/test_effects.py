"""What a submission prints and draws can be asked for, and leaves nothing behind."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from grader.testing.effects import drawn, in_folder, printed, printing
from grader.testing.failure import CheckFailed
from grader.testing.handles import HandleMisuse, SubmissionNames
from grader.testing.links import StudentError
from grader.testing.local import LocalLink


@pytest.fixture
def talking() -> SubmissionNames:
    names: dict[str, object] = {}
    exec("def greet(name):\n    print('Hello', name)\n", names)
    exec("def fail():\n    print('before')\n    raise ValueError\n", names)
    return SubmissionNames(LocalLink(names))


def test_what_a_call_prints(talking: SubmissionNames, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(talking.greet, "Ada") == "Hello Ada\n"
    with printing(talking) as said:
        talking.greet("Ben")
        talking.greet(name="Cleo")
        with pytest.raises(HandleMisuse, match="at the end"):
            said.text()
    assert said.text() == "Hello Ben\nHello Cleo\n"
    print("own")
    assert capsys.readouterr().out == "own\n"


def test_what_is_printed_before_an_exception(talking: SubmissionNames) -> None:
    stdout = sys.stdout
    with printing(talking) as said:
        talking.fail()
        talking.greet("nobody: the batch has ended")
    with pytest.raises(StudentError):
        said.text()
    assert said.text() == "before\n"
    with pytest.raises(StudentError):
        printed(talking.fail)
    assert sys.stdout is stdout


def test_too_much_printed_is_refused(talking: SubmissionNames) -> None:
    with pytest.raises(CheckFailed, match="more than 1,048,576 characters"):
        printed(talking.greet, "x" * (1 << 21))


def plots(**more: Any) -> SubmissionNames:
    def on_what_is_there(y: list[float]) -> None:
        plt.plot(y)

    def on_its_own(y: list[float]) -> None:
        plt.subplots()[1].bar(["a", "b"], y)

    def fails() -> None:
        plt.plot([1])
        raise ValueError

    def draws_nothing() -> None:
        pass

    return SubmissionNames(LocalLink({**locals(), **more}))


@pytest.mark.parametrize("has_others", [True, False])
def test_what_a_call_draws(has_others: bool) -> None:
    others = [plt.figure().number] if has_others else []
    if others:
        plt.plot([7])
    names = plots()
    (figure,) = drawn(names.on_what_is_there, [1, 2])
    assert figure.axes[0].lines[0].y.tolist() == [1.0, 2.0]
    (figure,) = drawn(names.on_its_own, [3, 4])
    assert figure.axes[0].bars[0].lengths.tolist() == [3.0, 4.0]
    assert drawn(names.draws_nothing) == []
    with pytest.raises(StudentError):
        drawn(names.fails)
    assert plt.get_fignums() == others
    plt.close("all")


ASKING = """
import builtins
import sys
from pathlib import Path

def ask():
    name = input("Name? ")
    print(f"Hello {name}")
    print("then", sys.stdin.readline().strip())
"""


def test_what_is_typed_is_given_and_shows_up() -> None:
    names: dict[str, object] = {}
    exec(ASKING, names)
    asking = SubmissionNames(LocalLink(names))
    before = (sys.stdin, builtins.input)
    with printing(asking, typed=["Ada", "more"]) as said:
        asking.ask()
    assert said.text() == "Name? Ada\nHello Ada\nthen more\n"
    with printing(asking, typed=[]) as said:
        asking.ask()
    with pytest.raises(StudentError, match=r"EOFError.*more lines than were typed"):
        said.text()
    assert (sys.stdin, builtins.input) == before


WRITING = """
def shout(source, target):
    with open(source) as old, open(target, "w") as new:
        new.write(old.read().upper())

def fail():
    raise ValueError
"""


def test_files_are_read_and_written_in_a_folder_that_is_gone_afterwards(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(WRITING, names)
    writing = SubmissionNames(LocalLink(names))
    before = Path.cwd()
    with in_folder(writing, {"in.txt": "grüße"}) as folder:
        writing.shout("in.txt", "out.txt")
        assert folder.text("out.txt") == "GRÜSSE"
        assert (folder.has("out.txt"), folder.has("other.txt")) == (True, False)
        inside = Path.cwd()
    assert inside != before
    assert Path.cwd() == before
    assert not inside.exists()
    with pytest.raises(StudentError, match="ValueError"), in_folder(writing):
        writing.fail().done()
    assert Path.cwd() == before
    with pytest.raises(StudentError, match="FileNotFoundError"), in_folder(writing) as folder:
        folder.text("nothing.txt")
