"""A JupyterHub as `deploy/jupyterhub` configures it: real users, a real exchange, on loopback.

As root: users are made for the test and removed after it. The environment that people's servers
run in holds the built wheel, so that nobody can import what is not released.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

from chromium import CHROMIUM

from grader.authoring.nbgrader_tree import write_tree
from grader.config.course import load_course
from grader.judging.engine import load_suites

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy/jupyterhub"
SYSTEM = Path(sys.prefix)
PROXY = ROOT / ".venv/node/node_modules/.bin/configurable-http-proxy"
PRIVATE = ("course", "solutions", "tests/styles", "pyproject.toml", "LICENSE")
START_S = 90
SETTINGS = {
    # every cell is in the page, so that the browser can be told to edit any of them
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/notification": '{"fetchNews": "false"}',
}
"""Of everybody's JupyterLab."""


def missing() -> list[str]:
    """What this machine lacks for the test, and how to get it."""
    found = []
    if sys.platform != "linux" or os.geteuid() != 0:
        found.append("root on Linux, which makes the users that log in")
    if CHROMIUM is None:
        found.append("Chromium: apt-get install chromium")
    if not PROXY.exists():
        found.append("configurable-http-proxy: `make e2e` installs it when there is npm")
    for module in ("jupyterhub", "playwright"):
        try:
            __import__(module)
        except ImportError:
            found.append(f"{module}: pip install -e '.[e2e]'")
    return found


class Hub:
    """Users, folders and processes of one hub. `people` maps a role to a user's name."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.url = ""
        tag = secrets.token_hex(2)
        self.people = {role: f"{role}-{tag}" for role in ("teacher", "ann", "mallory")}
        self.password = secrets.token_urlsafe(12)
        self.exchange = place / "exchange"
        self.course_root = self.home("teacher") / "nbgrader course"
        self.private = self.home("teacher") / "transformer"

    @property
    def teacher(self) -> str:
        return self.people["teacher"]

    def home(self, role: str) -> Path:
        return self.place / "home" / self.people[role]

    def run_as(self, role: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as one of the people, as far away from the hub as their own terminal."""
        return subprocess.run(
            ["setpriv", f"--reuid={self.people[role]}", f"--regid={self.people[role]}",
             "--init-groups", *command],
            cwd=self.home(role), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip


@contextlib.contextmanager
def running_hub(log: Path) -> Iterator[Hub]:
    """Set everything up, run the hub, and take everything away again but the log."""
    place = Path(tempfile.mkdtemp(prefix="hub-"))
    place.chmod(0o755)
    hub = Hub(place)
    try:
        _make_people(hub)
        _make_course(hub)
        python = _environment(place / "env")
        with _serving(hub, python, log):
            yield hub
    finally:
        for name in hub.people.values():
            subprocess.run(["userdel", name], capture_output=True, check=False)
        shutil.rmtree(place, ignore_errors=True)


def _make_people(hub: Hub) -> None:
    (hub.place / "home").mkdir()
    for role, name in hub.people.items():
        command = ["useradd", "--create-home", "--home-dir", str(hub.home(role)), "--user-group"]
        called = ["--comment", f"{role.capitalize()} Example,,,"]
        subprocess.run([*command, *called, "--shell", "/bin/bash", name], check=True)
        hub.home(role).chmod(0o700)
    lines = "".join(f"{name}:{hub.password}\n" for name in hub.people.values())
    subprocess.run(["chpasswd"], input=lines, text=True, check=True)
    for role in ("ann", "mallory"):
        folder = hub.home(role) / ".jupyter/lab/user-settings/@jupyterlab"
        for name, setting in SETTINGS.items():
            place = folder / f"{name}.jupyterlab-settings"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(setting)
        _give(hub.home(role) / ".jupyter", hub.people[role])


def _make_course(hub: Hub) -> None:
    for name in PRIVATE:
        source, target = ROOT / name, hub.private / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    course = load_course(hub.private)
    hub.course_root.mkdir()
    suites = load_suites(course, ["embeddings"])
    (others,) = [tuple(p for p in course.lessons.glob("*.py") if "embeddings" not in p.name)]
    for lesson in others:  # one assignment is enough to look at
        lesson.unlink()
    write_tree(load_course(hub.private), suites.values(), hub.course_root)
    for folder in (hub.private, hub.course_root):
        _give(folder, hub.teacher)
    hub.exchange.mkdir()
    hub.exchange.chmod(0o777)


def _give(folder: Path, owner: str) -> None:
    subprocess.run(["chown", "-R", f"{owner}:{owner}", str(folder)], check=True)


def _environment(folder: Path) -> Path:
    """A Python with everything that is installed here, and of this project its wheel alone."""
    venv.create(folder, with_pip=False)
    wheels = folder / "wheels"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (wheel,) = wheels.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(packages)
    shutil.copytree(ROOT / "course", packages / "course")
    (installed,) = SYSTEM.glob("lib/python*/site-packages")
    (packages / "everything.pth").write_text(str(installed))  # its own .pth files are not read
    return folder / "bin/python"


@contextlib.contextmanager
def _serving(hub: Hub, python: Path, log: Path) -> Iterator[None]:
    port, inner, proxy = _free_ports(3)
    hub.url = f"http://127.0.0.1:{port}"
    data = hub.place / "hub"
    data.mkdir(mode=0o700)
    environment = {
        "PATH": os.pathsep.join([str(python.parent), str(SYSTEM / "bin"), "/usr/bin", "/bin"]),
        "HOME": str(data),
        "LANG": "C.UTF-8",
        "JUPYTER_PATH": str(SYSTEM / "share/jupyter"),
        "JUPYTERLAB_DIR": str(SYSTEM / "share/jupyter/lab"),
        "JUPYTER_CONFIG_PATH": str(SYSTEM / "etc/jupyter"),
        "HUB_DATA": str(data),
        "HUB_PORT": str(port),
        "HUB_INNER_PORT": str(inner),
        "HUB_PROXY_PORT": str(proxy),
        "HUB_PROXY": str(PROXY),
        "HUB_INSTRUCTORS": hub.teacher,
        "HUB_STUDENTS": f"{hub.people['ann']},{hub.people['mallory']}",
        "NBGRADER_ROOT": str(hub.course_root),
        "NBGRADER_EXCHANGE": str(hub.exchange),
        "GRADER_COURSE": str(hub.private),
    }
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("within_reach.py")), str(python), "-m", "jupyterhub",
             "-f", str(DEPLOY / "jupyterhub_config.py")],
            cwd=data, env=environment, stdout=stream, stderr=stream, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(hub.url, process, log)
            yield
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the hub to stop: it ends the proxy and everybody's server."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/hub/login", timeout=2).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.3)
    raise RuntimeError(f"the hub did not start:\n{log.read_text()[-3000:]}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
