"""A terminal that nobody sits at: what code prints is kept, what it asks for was typed before.

    What is your name? Ada
    Hello, Ada!

What is typed shows up as it does on a screen, so that what is kept reads like the session.
Students have this file too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from grader.testing.crossing import MAX_STR


class Screen(io.StringIO):
    """Keeps what is printed, up to a little more than may be fetched."""

    def write(self, text: str) -> int:
        """Take a text; what is too much is not kept."""
        room = MAX_STR + 1 - self.tell()
        super().write(text[: max(room, 0)])
        return len(text)


class Keyboard(io.StringIO):
    """Gives the lines that were typed, to `input` and to whoever reads `sys.stdin`.

    Args:
        lines: what is typed, each without its end.
        screen: where it shows up.
    """

    def __init__(self, lines: Sequence[str], screen: Screen) -> None:
        super().__init__("".join(f"{line}\n" for line in lines))
        self._screen = screen

    def input(self, prompt: object = "", /) -> str:
        """What `input(prompt)` gives.

        Raises:
            EOFError: nothing is left.
        """
        self._screen.write(str(prompt))
        line = self.readline()
        if not line:
            raise EOFError("the code asks for more lines than were typed")
        self._screen.write(line)
        return line.removesuffix("\n")
