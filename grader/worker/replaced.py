"""Functions of Python itself that do something else in a grading: nobody is there to answer."""

from __future__ import annotations

import asyncio
import builtins
import getpass
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_run_without_loop = asyncio.run


def replace() -> None:
    """Put them in their places, once for all workers."""
    builtins.input = no_input
    getpass.getpass = no_input
    asyncio.run = run_in_any_case


def no_input(prompt: object = "", *_: object, **__: object) -> str:
    """Print the prompt, and give an empty line."""
    print(prompt)
    return ""


def run_in_any_case(main: Any, **options: Any) -> Any:
    """`asyncio.run`, in a thread with a loop of its own where this thread's loop is running.

    Scripts call it, and notebooks do that were tried as scripts.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run_without_loop(main, **options)
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: _run_without_loop(main, **options)).result()
