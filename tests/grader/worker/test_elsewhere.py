"""Modules of the places where students write: there for a notebook, and for nobody else."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.wire.places import PLACES, place_of
from grader.worker import elsewhere
from grader.worker.elsewhere import Elsewhere


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Elsewhere]:
    """Found from this file, but not from what lies in `installed`."""
    modules = dict(sys.modules)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(sys, "path", [str(tmp_path / "installed"), *sys.path])
    found = elsewhere.install()
    found._installed = (str(tmp_path / "installed"),)
    yield found
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]


@pytest.mark.parametrize("name", PLACES)
def test_every_place_can_be_imported_and_is_noted(finder: Elsewhere, name: str) -> None:
    importlib.import_module(name)
    importlib.import_module(f"{name}.some.part")
    assert finder.imported == {name}


def test_what_is_asked_of_it_does_nothing_and_says_so(
    finder: Elsewhere, capsys: pytest.CaptureFixture[str]
) -> None:
    scope: dict[str, object] = {}
    exec(
        "from google.colab import drive, files, userdata\n"
        "drive.mount('/content/drive', force_remount=True)\n"
        "uploaded = files.upload()\n"
        "names = [name for name, _ in uploaded.items()]\n"
        "with drive.room() as nothing: pass\n"
        "import os, js\n"
        "os.environ['SECRET_OF_A_TEST'] = os.environ.pop('X', '') or userdata.get('SECRET')\n"
        "js.document.title = 'mine'\n"
        "import asyncio, piplite\n"
        "async def main(): return await piplite.install(['x'])\n"
        "installed = asyncio.run(main())\n",
        scope,
    )
    os.environ.pop("SECRET_OF_A_TEST")
    assert not scope["uploaded"]
    assert scope["names"] == []
    printed = capsys.readouterr().out
    assert "google.colab.drive.mount() does nothing in a grading" in printed
    assert "google.colab.files.upload()" in printed


def test_other_modules_are_missing_as_ever(finder: Elsewhere) -> None:
    for name in ("no_such_module", "google.other", "jsx", "otter_like"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)
    assert finder.imported == set()


def test_what_is_installed_comes_first(finder: Elsewhere, tmp_path: Path) -> None:
    package = tmp_path / "installed/otter"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("REAL = 1\n")
    assert importlib.import_module("otter").REAL == 1
    assert finder.imported == set()


def test_a_library_that_looks_for_a_place_does_not_find_it(
    finder: Elsewhere, tmp_path: Path
) -> None:
    library = tmp_path / "installed/library.py"
    library.parent.mkdir()
    library.write_text(
        "import importlib, importlib.util\n"
        "there = []\n"
        "try:\n    import google.colab\n    there.append('statement')\n"
        "except ImportError: pass\n"
        "try:\n    importlib.import_module('google.colab')\n    there.append('function')\n"
        "except ImportError: pass\n"
        "try:\n    there += [importlib.util.find_spec('js')] * bool(importlib.util.find_spec('js'))\n"
        "except ImportError: pass\n"
    )
    assert importlib.import_module("library").there == []
    assert importlib.util.find_spec("js") is not None
    assert finder.imported == set()


def test_a_part_is_of_its_place() -> None:
    assert place_of("google.colab.drive") == "google.colab"
    assert place_of("google.colab") == "google.colab"
    assert place_of("google") is None
    assert place_of("json") is None
    assert json.dumps(PLACES)
