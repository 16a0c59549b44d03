"""The wheel, in an environment of its own, used as somebody does who has just heard of it.

Needs a package index that pip can reach.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
MAX_MB = 80
"""Of files, beside pip. jedi is a quarter of it, which IPython brings along."""
MAX_INSTALL_S = 60
LIBRARIES = 7
BESIDE = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")

CONSUMER = """
from grader.model import Check, Limits
from grader.testing import assert_equal, check

limits: Limits = Limits(wall_s=3.0)
points: float = Check(id="a", question="q", title="t", points=1.0, public=True).points


@check(points=2, hint="Count.")
def test_counts(submission: object) -> None:
    assert_equal(1, 1, "the count")


assert_equal(1, 1, 3)  # expected: a number is no description
reveal_type(limits.wall_s)
"""


def run(*command: object, cwd: Path, limit_s: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=limit_s, check=False
    )


# ---------------------------------------------------------------- what is published


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source archive and wheel, the wheel made of the archive, as they are published."""
    folder = tmp_path_factory.mktemp("packages")
    done = run(
        sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(packages: Path) -> Path:
    (path,) = packages.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


@pytest.mark.slow
def test_pypi_can_show_what_is_published(packages: Path) -> None:
    files = sorted(packages.iterdir())
    assert len(files) == 2
    done = run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=packages)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_wheel_is_the_engine_alone_and_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"grader"}
    assert "grader/py.typed" in names


@pytest.mark.slow
def test_the_archive_holds_what_the_wheel_is_made_of_and_no_course(packages: Path) -> None:
    (path,) = packages.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    assert tops == {
        "grader", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore",
    }  # fmt: skip


@pytest.mark.slow
def test_neither_torch_nor_numpy_is_asked_for_but_by_an_extra(metadata: Message) -> None:
    needed = metadata.get_all("Requires-Dist") or []
    always = [one for one in needed if "extra ==" not in one]
    assert any(one.startswith("pytest") for one in always)
    assert not [one for one in always if re.match(r"torch|numpy|matplotlib|nbgrader", one)]
    assert [one for one in needed if re.match(r"torch.*extra == .torch.", one)]


@pytest.mark.slow
def test_links_of_the_readme_lead_somewhere_from_pypi(metadata: Message) -> None:
    text = str(metadata.get_payload())
    targets = re.findall(r"\]\(([^)]+)\)", text)
    addresses = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL") or [])
    home = addresses["Homepage"]
    version = metadata["Version"]
    assert targets
    assert not [one for one in targets if not one.startswith(("https://", "#"))]
    assert f"{home}/raw/v{version}/docs/images/class-report.png" in targets
    inside = [one.removeprefix(f"{home}/") for one in targets if one.startswith(home)]
    for one in inside:  # KIND/vVERSION/PATH
        assert (ROOT / one.split("/", 2)[2].partition("#")[0]).exists(), one
    assert all(address.startswith(home) for address in addresses.values())


# ---------------------------------------------------------------- where it is installed


class Installed(NamedTuple):
    """An environment with the wheel in it, and what that has cost."""

    bin: Path
    seconds: float

    @property
    def megabytes(self) -> float:
        """Of all that was installed, beside what an environment begins with."""
        (place,) = (self.bin.parent / "lib").glob("python*/site-packages")
        files = [path for path in place.rglob("*") if path.is_file()]
        tops = {path: path.relative_to(place).parts[0] for path in files}
        own = [path for path in files if re.split(r"-\d", tops[path])[0] not in BESIDE]
        return sum(path.stat().st_size for path in own) / 1e6


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(folder, with_pip=True)
    began = time.monotonic()
    pip = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
    done = run(*pip, "--disable-pip-version-check", wheel, cwd=folder, limit_s=600)
    if "No matching distribution" in done.stderr or "connection" in done.stderr.lower():
        pytest.skip(f"no package index: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return Installed(folder / "bin", time.monotonic() - began)


@pytest.fixture(scope="module")
def course(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("somewhere")
    done = run(installed.bin / "grader", "new-course", "counting", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "counting"


@pytest.mark.e2e
def test_it_is_small(installed: Installed) -> None:
    print(f"{installed.megabytes:.1f} MB in {installed.seconds:.0f} s")
    assert installed.megabytes < MAX_MB
    assert installed.seconds < MAX_INSTALL_S
    for name in ("torch", "numpy", "matplotlib", "nbgrader"):
        done = run(installed.bin / "python", "-c", f"import {name}", cwd=installed.bin)
        assert "ModuleNotFoundError" in done.stderr, name


@pytest.mark.e2e
@pytest.mark.parametrize(
    "command",
    [["check", "submissions"], ["checks"], ["verify"], ["release", "--output", "out"]],
    ids=lambda command: command[0],
)
def test_a_new_course_works_as_it_stands(
    installed: Installed, course: Path, command: list[str]
) -> None:
    done = run(installed.bin / "grader", *command, cwd=course)
    assert done.returncode == 0, done.stderr


@pytest.mark.e2e
def test_a_first_result_takes_few_times_what_importing_libraries_takes(
    installed: Installed, course: Path
) -> None:
    """In processor time: a course of few lines waits for nothing that it makes no use of."""

    def processor_s(*command: str | Path) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(*command, cwd=course)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    grading = [installed.bin / "grader", "check", "submissions", "--force"]
    libraries = [installed.bin / "python", "-c", "import IPython, jinja2, pytest"]
    first, least = (
        min(processor_s(*command) for _ in range(3)) for command in (grading, libraries)
    )
    assert 0 < first < LIBRARIES * least


@pytest.mark.e2e
def test_types_reach_whoever_imports_it(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(CONSUMER)
    mypy = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--no-error-summary"]
    python = installed.bin / "python"
    done = run(*mypy, "--python-executable", python, "consumer.py", cwd=tmp_path)
    errors = [line for line in done.stdout.splitlines() if " error: " in line]
    (number,) = (n for n, line in enumerate(CONSUMER.splitlines(), 1) if "# expected" in line)
    assert 'Revealed type is "builtins.float"' in done.stdout or 'type is "float"' in done.stdout
    assert [line.split(":")[1] for line in errors] == [str(number)], done.stdout
