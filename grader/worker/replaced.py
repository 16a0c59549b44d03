"""Functions of Python itself that do something else in a grading: nobody is there to answer."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
import getpass
import threading
from concurrent.futures import Future
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
    outcome: Future[Any] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.set_result(context.run(lambda: _run_without_loop(main, **options)))
        except BaseException as error:
            outcome.set_exception(error)

    # no executor: it would wait for its thread when the cell's time is up
    threading.Thread(target=run, daemon=True).start()
    return outcome.result()
