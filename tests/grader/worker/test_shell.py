"""Notebook semantics in a worker: what runs, what is left alone, what is kept."""

from __future__ import annotations

import json

import pytest
from IPython.core.magics.execution import ExecutionMagics
from toy import Silent, notebook, write, write_course

from grader.config.course import load_course
from grader.gradebook import Gradebook, Score
from grader.pipeline import Options, check

FINE = {
    "line_magics": "%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n%config InlineBackend.figure_format = 'svg'\nx = 1",
    "time_magic": "%time y = 2\nassert y == 2",
    "timeit_magic": "%timeit -n 1 -r1 z = 3\nassert 'z' not in globals()",
    "assigned_magic": "lines = !ls\nassert list(lines) == []\nwd = %pwd",
    "cell_time": "%%time\na = 4",
    "cell_time_ran": "assert a == 4",
    "cell_capture": "%%capture out\nb = 5",
    "cell_capture_ran": "assert b == 5",
    "cell_python": "%%python\nother_process = 1",
    "cell_python_ran_nowhere": "assert 'other_process' not in globals()",
    "nested_magic": "%%time\n%matplotlib inline\nc = 6",
    "nested_ran": "assert c == 6",
    "bash": "%%bash\nrm -rf /",
    "html": "%%html\n<b>bold</b>",
    "writefile": "%%writefile helper.py\nvalue = 7",
    "imports_it": "import helper\nassert helper.value == 7",
    "shell": "!pip install torch\n!rm -rf ~\nprint('still here')",
    "help": "len?\n?print",
    "display": "display(1, 'two')\nfrom IPython.display import HTML, Markdown, display as show\nshow(HTML('<b>x</b>'))",
    "get_ipython": "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')",
    "ipython_checks": "shell = get_ipython()\nassert shell is not None\nshell.kernel",
    "input": "name = input('Your name? ')\nassert name == ''",
    "main": "ran = False\nif __name__ == '__main__':\n    ran = True\nassert ran",
    "await": "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 8\nd = await f()",
    "await_ran": "assert d == 8",
    "future": "from __future__ import annotations\ndef later(x: Undefined): return x",
    "future_holds": "def now(x: Undefined) -> int: return x\nassert now.__annotations__['x'] == 'Undefined'",
    "source": "import inspect\ndef mine():\n    return 9\nassert 'return 9' in inspect.getsource(mine)",
    "pickle": "import pickle\nclass Thing: pass\npickle.loads(pickle.dumps(Thing()))",
    "percent_in_code": "e = 10 % 3\nf = '%d' % e\nassert f == '1'",
    "bang_in_code": "assert e != 2",
    "empty": "",
    "comment": "# nothing",
    "unicode": "π = 3.14159\nassert 'é' == '\\u00e9'",
    "threads": "import threading\nt = threading.Thread(target=lambda: None)\nt.start(); t.join()",
    "warnings": "import warnings\nwarnings.warn('careful')",
    "stderr": "import sys\nprint('to stderr', file=sys.stderr)",
    "underscore": "_",
    "semicolon": "x = 1;",
    "pasted_session": ">>> pasted = 1\n>>> for _ in range(2):\n...     pasted += 1\n",
    "pasted_session_ran": "assert pasted == 3",
    "pasted_cell": "In [7]: pasted = 4\n   ...: pasted += 1",
    "pasted_cell_ran": "assert pasted == 5",
}

RAISES = {
    "exit_is_not_the_end": ("exit()", "SystemExit"),
    "quit_is_not_the_end": ("raise SystemExit", "SystemExit"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "syntax": ("def (:", "SyntaxError"),
    "name": ("nothing_here", "NameError"),
    "deep_recursion": ("def down(): down()\ndown()", "RecursionError"),
    "odd_message": ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "E"),
    "subprocess": ("import subprocess\nsubprocess.run(['true'])", ""),
}

RAISES_IN_LINE = {
    "no_blank_line": ("x = 1\ny = {}['no key']\nz = 2", 2),
    "blank_lines": ("\n  \n\nx = 1\ny = {}['no key']\nz = 2", 5),
    "syntax_after_blank_lines": ("\n\nx = 1\ny = = 3", 4),
    "called_after_blank_lines": ("\n\ndef f():\n    return {}['no key']\nf()", 4),
    "time_cell": ("%%time\nx = 1\ny = {}['no key']", 3),
    "time_cell_of_one_expression": ("%%time\n\n{}['no key']", 3),
    "time_cell_after_blank_lines": ("\n\n%%time\n\nx = 1\ny = {}['no key']\n\n", 6),
    "time_cell_with_a_last_value": ("%%time\nx = 1\n{}['no key']", 3),
    "syntax_in_a_time_cell": ("%%time\nx = 1\ny = = 3", 3),
    "magics_in_each_other": ("%%time\n%%time\n\nx = 1\ny = {}['no key']", 5),
}

TIME_RAISES = "no-raise-error" in (ExecutionMagics.time.__doc__ or "")


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    root = tmp_path_factory.mktemp("shell")
    course = load_course(write_course(root / "course"))
    cells = [
        *FINE.values(),
        *(source for source, _ in RAISES.values()),
        *(source for source, _ in RAISES_IN_LINE.values()),
        "def add(a, b): return a + b",
    ]
    whole = json.loads(notebook(*cells))
    for cell, source in zip(whole["cells"], cells, strict=True):
        cell["source"] = source  # with the empty lines at both ends
    write(root / "class/ann/adding.ipynb", json.dumps(whole))
    gradebook: Gradebook = check([root / "class"], course, Options(), Silent())
    (found,) = gradebook.scores
    return found


@pytest.mark.parametrize("name", FINE)
def test_a_cell_runs_as_in_jupyter_or_does_no_harm(score: Score, name: str) -> None:
    number = list(FINE).index(name) + 1
    assert [error for error in score.cell_errors if error.cell == number] == []


@pytest.mark.parametrize("name", RAISES)
def test_a_cell_that_raises_is_reported_and_the_rest_runs(score: Score, name: str) -> None:
    number = len(FINE) + list(RAISES).index(name) + 1
    (error,) = [error for error in score.cell_errors if error.cell == number]
    assert error.error.startswith(RAISES[name][1])


@pytest.mark.parametrize("name", RAISES_IN_LINE)
def test_the_line_of_an_error_is_that_of_the_notebook(score: Score, name: str) -> None:
    number = len(FINE) + len(RAISES) + list(RAISES_IN_LINE).index(name) + 1
    source, line = RAISES_IN_LINE[name]
    if "%%time" in source and "= =" not in source and not TIME_RAISES:
        pytest.skip("this IPython shows what a timed cell raises, and goes on")
    (error,) = [error for error in score.cell_errors if error.cell == number]
    assert (error.line, error.source_line) == (line, source.splitlines()[line - 1].strip())


def test_the_last_cell_counts(score: Score) -> None:
    assert score.questions["any"] == 2.0
    assert score.ending.message == ""


def test_prints_are_kept_in_order(score: Score) -> None:
    for text in ("still here", "two", "Your name?", "to stderr"):
        assert text in score.output
    assert score.output.index("still here") < score.output.index("Your name?")
