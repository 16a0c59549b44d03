"""What a student has: the released zip, unpacked, and a fresh environment with its requirements.

Nothing of this project is installed there, and what is run there sees no other environment.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.authoring.lessons import lesson_path
from grader.authoring.release import build_notebook
from grader.authoring.student_release import student_zip
from grader.config.course import load_course
from grader.judging.engine import load_suites

ROOT = Path(__file__).parents[2]
START_S = 90

WRONG = """class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, padding_idx=None):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model, padding_idx)
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, tokens):
        return self.embedding(tokens)  # not scaled
"""
TYPO = """class TransformerEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, *rest, **options):
        super().__init__()
        self.token_embedding = TokenEmbeding(vocab_size, d_model)
"""
ENDLESS = """class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, padding_idx=None):
        super().__init__()
        while True:
            try:
                vocab_size += 1
            except:
                pass
"""
ASLEEP = """import time

class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, padding_idx=None):
        super().__init__()
        time.sleep(300)
"""


class Student:
    """A student's folder, `top`, and their Python."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.python = place / "environment/bin/python"
        (place / "home").mkdir()
        course = load_course(ROOT)
        suites = load_suites(course)
        self.zip = place / "student.zip"
        self.zip.write_bytes(student_zip(course, suites.values()))
        self.top = self.unpack(place / "here")
        venv.create(place / "environment", with_pip=False)
        self._install(self.top / "requirements.txt")
        lesson = build_notebook(lesson_path(course, "embeddings"), course, suites["embeddings"])
        code = [cell["source"] for cell in lesson["cells"] if cell["cell_type"] == "code"]
        self.first_cell: str = code[0]

    def unpack(self, folder: Path) -> Path:
        """The zip, unpacked into a folder: the one folder in it."""
        with zipfile.ZipFile(self.zip) as archive:
            archive.extractall(folder)
        (top,) = folder.iterdir()
        return top

    def _install(self, requirements: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        # not compiled: only little of it is imported
        options = ["--no-compile", "-c", str(ROOT / "constraints.txt"), "-r", str(requirements)]
        subprocess.run([*pip, *options], check=True, cwd=self.place)

    @property
    def environment(self) -> dict[str, str]:
        """What a program of theirs finds set."""
        home = str(self.place / "home")
        path = os.pathsep.join([str(self.python.parent), "/usr/bin", "/bin"])
        return {"PATH": path, "HOME": home, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}

    def run(self, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run their Python."""
        return subprocess.run(
            [str(self.python), *map(str, arguments)], cwd=cwd, env=self.environment,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def execute(self, notebook: Path) -> str:
        """Run a notebook in a kernel of theirs; what it shows, HTML and text."""
        done = self.run(
            "-m", "jupyter", "execute", "--inplace", "--allow-errors", notebook.name,
            cwd=notebook.parent,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return "\n".join(_shown(output) for cell in cells for output in cell["outputs"])

    @contextlib.contextmanager
    def jupyterlab(self, log: Path) -> Iterator[str]:
        """JupyterLab as they start it; its address for a notebook, without the file's name."""
        settings = self.place / "home/.jupyter/lab/user-settings/@jupyterlab"
        for name, content in {
            "notebook-extension/tracker": {"windowingMode": "none"},
            "apputils-extension/notification": {"fetchNews": "false"},
        }.items():
            path = settings / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
        token = secrets.token_hex(16)
        options = [f"--IdentityProvider.token={token}", "--no-browser", "--allow-root", "--port=0"]
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [str(self.python), "-m", "jupyterlab", *options, "notebooks"],
                cwd=self.top, env=self.environment, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
            try:
                yield f"{self._address(process, log)}lab/tree/{{}}?token={token}"
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _address(self, process: subprocess.Popen[bytes], log: Path) -> str:
        """Where the server listens, as soon as it does; it has chosen the port itself."""
        runtime = self.place / "home/.local/share/jupyter/runtime"
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and process.poll() is None:
            for path in runtime.glob(f"jpserver-{process.pid}.json"):
                with contextlib.suppress(OSError, ValueError):
                    url: str = json.loads(path.read_text())["url"]
                    urllib.request.urlopen(f"{url}api", timeout=2).close()
                    return url
            time.sleep(0.2)
        raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def notebook_of(*sources: str) -> str:
    """A notebook of code cells, as JSON."""
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": source,
         "execution_count": None, "outputs": []}
        for number, source in enumerate(sources)
    ]  # fmt: skip
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content)


def script_of(*sources: str) -> str:
    """The same as a script in percent format."""
    stream = io.StringIO()
    for source in sources:
        stream.write(f"# %%\n{source}\n\n")
    return stream.getvalue()


def _shown(output: dict[str, Any]) -> str:
    if output["output_type"] == "error":
        return "\n".join(output["traceback"])
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    rich = output.get("data", {}).get("text/html", "")
    return "".join(text) + "".join(rich)
