"""What a notebook shows, as text on the worker's output; what only a screen could show is not."""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher


class QuietDisplayHook(DisplayHook):
    """Keeps `_` and `Out` and prints the value, but no `Out[3]:` before it."""

    def write_output_prompt(self) -> None:
        """Print nothing."""


class TextPublisher(DisplayPublisher):
    """Prints the text of what is displayed.

    It goes past a redirected `sys.stdout`, as in Jupyter, where displays are no output of `print`.
    """

    def publish(self, data: dict[str, Any], *_: object, **__: object) -> None:
        """Print what there is as text."""
        if "text/plain" in data:
            print(data["text/plain"], file=getattr(self.shell, "screen", None))

    def clear_output(self, wait: bool = False) -> None:
        """Leave what was printed: there is no screen to clear."""


def print_page(_shell: object, data: Any, *_: object, **__: object) -> None:
    """Print what a pager would show."""
    print(data.get("text/plain", "") if isinstance(data, dict) else data)


def close_figures() -> None:
    """Close the cell's figures as Jupyter's inline backend does, so that they do not pile up."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
