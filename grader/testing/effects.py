"""What a submission's code does beside giving values: it prints, asks, draws, and writes files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from grader.testing.failure import fail
from grader.testing.forms.described import Record
from grader.testing.handles import Handle, HandleMisuse, SubmissionNames, link_of, values
from grader.testing.links import Link, Ref, settle
from grader.testing.operations import Op


class Printed:
    """What a submission prints in a `with printing(submission)`; known at its end.

        with printing(submission) as said:
            submission.greet("Ada")
            submission.greet("Ben")
        assert_equal(said.text().count("Hello"), 2, "the greetings")

    For one call `printed` says the same in a line.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._ref: Ref | None = None

    def text(self) -> str:
        """All of it, as one text.

        Raises:
            StudentError: the submission's code raised.
            grader.testing.CheckFailed: it is more than may cross.
        """
        if self._ref is None:
            raise HandleMisuse("what is printed is known at the end of `with printing(…)`")
        said: str = self._link.request(Op.FETCH, object=self._ref)
        return said


@contextmanager
def printing(submission: SubmissionNames, typed: Sequence[str] | None = None) -> Iterator[Printed]:
    r"""Listen to what a submission's code prints inside, and type what it asks for.

        with printing(submission) as said:
            submission.greet("Ada")
        assert_equal(said.text(), "Hello Ada!\n", "what is printed")

        with printing(submission, typed=["Ada"]) as said:
            submission.ask_and_greet()
        assert_equal(said.text(), "Your name? Ada\nHello Ada!\n", "the screen")

    What is printed before an exception can be had, too: catch that first (`raises`, `tried`).

    Args:
        submission: whose code it is.
        typed: the lines that `input()` and `sys.stdin` give, one after the other; they show up in
            the text as they do on a screen. Whoever asks for more gets an EOFError. None leaves
            `input()` as it is: in a grading it gives an empty line.
    """
    link: Link = submission._link
    said = Printed(link)
    link.tell(Op.LISTEN, typed=None if typed is None else [str(line) for line in typed])
    try:
        yield said
    finally:
        said._ref = link.defer(Op.HEARD)


def printed(function: Handle, *args: Any, **kwargs: Any) -> str:
    r"""Call a function over there and fetch what it printed.

        assert_equal(printed(submission.greet, "Ada"), "Hello Ada!\n", "what is printed")

    Raises:
        StudentError: the submission's code raised.
    """
    link = link_of(function)
    link.tell(Op.LISTEN, typed=None)
    try:
        function(*args, **kwargs)
    finally:
        heard = link.defer(Op.HEARD)
    said: str = link.request(Op.FETCH, object=heard)
    return said


def drawn(function: Handle, *args: Any, **kwargs: Any) -> list[Any]:
    """Call a function over there and fetch the figures that it draws with `matplotlib.pyplot`.

        (figure,) = drawn(submission.plot_growth, [1, 2, 3], [2, 4, 8])
        assert_equal(figure.axes[0].title, "Growth", "the title")

    Figures that were there before are none of them, and stay. What a function *returns* need not be
    asked for in this way: `submission.plot_growth(...).value()` fetches a figure, or axes.

    Raises:
        StudentError: the submission's code raised.
    """
    pyplot = SubmissionNames(link_of(function)).module("matplotlib.pyplot")
    first = _number(pyplot.figure().number.value())  # for what is drawn on whatever there is
    try:
        function(*args, **kwargs).done()
        numbers = _numbers(pyplot, first)
        fetched = values(pyplot.figure(number) for number in numbers)
        return [one for one in fetched if type(one) is Record and one.axes]
    finally:
        for number in _numbers(pyplot, first):
            pyplot.close(number)


def _numbers(pyplot: Handle, first: int) -> list[int]:
    return [number for number in pyplot.get_fignums().value() if _number(number) >= first]


def _number(value: Any) -> int:
    if type(value) is not int:
        fail("figures have other numbers than matplotlib gives them", actual=type(value).__name__)
    return int(value)


class Folder:
    """A folder over there, while `with in_folder(submission)` lasts.

        with in_folder(submission, {"names.txt": "Ada"}) as folder:
            submission.number_lines("names.txt", "numbered.txt")
            if not folder.has("numbered.txt"):
                fail("there is no new file")

    At its end it is gone.
    """

    def __init__(self, submission: SubmissionNames, path: str) -> None:
        self._submission = submission
        self._path = path

    def text(self, name: str) -> str:
        """What is written in a file of it, as UTF-8.

        Raises:
            StudentError: the submission's code raised, or wrote no such file.
        """
        said = self._at(name).read_text(encoding="utf-8").value()
        if type(said) is not str:
            fail(f"what is in {name}", expected="a text", actual=type(said).__name__)
        return str(said)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._at(name).is_file().value() is True

    def _at(self, name: str) -> Handle:
        return self._submission.module("pathlib").Path(self._path, name)


@contextmanager
def in_folder(
    submission: SubmissionNames, files: Mapping[str, str] | None = None
) -> Iterator[Folder]:
    r"""Work in a new folder over there: what a submission's code reads and writes lies in it.

        with in_folder(submission, {"names.txt": "Ada\nBen\n"}) as folder:
            submission.number_lines("names.txt", "numbered.txt")
            assert_equal(folder.text("numbered.txt"), "1 Ada\n2 Ben\n", "the new file")

    At the end it is gone, and the working directory is what it was: beside a student's notebook
    nothing is left, either.

    Args:
        submission: whose code it is.
        files: texts that lie in it from the beginning, by their names.
    """
    system, shutil = submission.module("os"), submission.module("shutil")
    before = system.getcwd().value()
    path = submission.module("tempfile").mkdtemp().value()
    folder = Folder(submission, path)
    try:
        system.chdir(path).done()
        for name, content in (files or {}).items():
            folder._at(name).write_text(content, encoding="utf-8")
        yield folder
        settle()
    finally:
        try:
            settle()  # what raises in there must not keep us from going back
        finally:
            system.chdir(before)
            shutil.rmtree(path, ignore_errors=True).done()
