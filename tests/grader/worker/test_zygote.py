"""The warm process: what it imports, what it knows, how it fails."""

from __future__ import annotations

import multiprocessing
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import BuiltinImporter, PathFinder
from pathlib import Path
from typing import Any

import pytest
from processes import eventually
from walled import LIMITS, MODES, events, processes_below, ready_zygote, run

from grader.errors import GraderError, GraderFault
from grader.judging import spawning as launch
from grader.judging.spawning import Zygote, require_platform, spawn
from grader.worker import zygote as zygote_module

FORKED = {"preload": ["colorsys"], "beside_judge": True}
"""Forked from who becomes a judge, rather than started."""
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no workers without fork")


def ask(zygote: Zygote, expression: str, **options: object) -> object:
    """The value of an expression in a worker."""
    source = f"import json, os, sys; print(json.dumps({expression}))"
    return run(zygote, source, **options).json()  # type: ignore[arg-type]


def asked_after_a_pause(zygote: Zygote, expression: str) -> bool:
    """Ask after the zygote has had time for other things."""
    time.sleep(2 * zygote_module.PAUSE_MS / 1000)
    return ask(zygote, expression) is True


class TestPreload:
    """Modules are imported once, for every worker."""

    def test_it_is_there_before_the_first_cell(self) -> None:
        with ready_zygote(preload=["colorsys"]) as zygote:
            assert ask(zygote, "'colorsys' in sys.modules") is True
            assert ask(zygote, "'wave' in sys.modules") is False

    def test_what_is_missing_is_named(self) -> None:
        zygote = Zygote(preload=["json", "no_such_module"])
        with pytest.raises(GraderFault, match=r"can't import `no_such_module`.*preload"):
            zygote.wait_ready()

    def test_what_breaks_on_import_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "broken.py").write_text("1 / 0")
        zygote = Zygote(preload=["broken"], public=[tmp_path / "broken.py"])
        with pytest.raises(GraderFault, match=r"can't import `broken`.*division by zero"):
            zygote.wait_ready()

    def test_what_ends_the_process_is_reported(self, tmp_path: Path) -> None:
        text = "import os, sys; print('last words', file=sys.stderr, flush=True); os._exit(7)"
        (tmp_path / "deadly.py").write_text(text)
        zygote = Zygote(preload=["deadly"], public=[tmp_path / "deadly.py"])
        with pytest.raises(GraderFault, match=r"died while it started: last words"):
            zygote.wait_ready()

    def test_what_can_wait_is_imported_once_submissions_are_under_way(self) -> None:
        with ready_zygote(later=["colorsys"]) as zygote:
            time.sleep(0.5)
            assert ask(zygote, "'colorsys' in sys.modules") is False
            assert eventually(lambda: asked_after_a_pause(zygote, "'colorsys' in sys.modules"))

    def test_what_can_wait_and_is_missing_is_named_at_once(self) -> None:
        zygote = Zygote(preload=[], later=["no_such_module.part"])
        with pytest.raises(GraderFault, match=r"can't find `no_such_module.part`.*preload_later"):
            zygote.wait_ready()

    def test_what_can_wait_and_breaks_stops_nobody(self, tmp_path: Path) -> None:
        (tmp_path / "broken.py").write_text("1 / 0")
        options = {"later": ["broken", "colorsys"], "public": [tmp_path / "broken.py"]}
        with ready_zygote(**options) as zygote:
            assert eventually(lambda: asked_after_a_pause(zygote, "'colorsys' in sys.modules"))

    def test_a_slow_start_has_an_end(self, tmp_path: Path) -> None:
        (tmp_path / "slow.py").write_text("import time; time.sleep(60)")
        zygote = Zygote(preload=["slow"], public=[tmp_path / "slow.py"])
        with pytest.raises(GraderFault, match=r"not ready after 0\.3 s"):
            zygote.wait_ready(timeout_s=0.3)
        assert not Path(f"/proc/{zygote.pid}").exists()

    def test_a_course_without_torch_does_not_pay_for_it(self, zygote: Zygote) -> None:
        assert (
            ask(zygote, "[m for m in ('torch', 'numpy', 'matplotlib') if m in sys.modules]") == []
        )


class TestImportPath:
    """Workers import the standard library, packages and public folders: nothing of the project."""

    @pytest.fixture(params=[*MODES, "off"])
    def options(self, request: pytest.FixtureRequest) -> dict[str, object]:
        if request.param == "off":
            return {"sandbox": False}
        return {"forbidden": MODES[request.param]}

    def test_the_project_root_is_not_on_it(
        self, zygote: Zygote, options: dict[str, object]
    ) -> None:
        root = str(Path(launch.__file__).parents[2])
        assert root not in ask(zygote, "sys.path", **options)  # type: ignore[operator]

    @pytest.mark.parametrize("name", ["solutions", "course", "tests", "grader.cli"])
    def test_the_project_can_not_be_imported(
        self, zygote: Zygote, options: dict[str, object], name: str
    ) -> None:
        result = run(zygote, f"import {name}", **options)  # type: ignore[arg-type]
        assert result.raised is not None
        assert result.raised.kinds[0] == "ModuleNotFoundError"

    def test_the_hooks_of_editable_installs_are_forgotten(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class EditableFinder:
            """Installed as a class by setuptools, as an instance by others."""

        instance = EditableFinder()
        monkeypatch.setattr(
            sys, "meta_path", [BuiltinImporter, EditableFinder, instance, PathFinder]
        )
        assert zygote_module._site_hooks() == [EditableFinder, instance]

    def test_private_files_of_the_instructor_become_readable_copies(
        self, tmp_path: Path, options: dict[str, object]
    ) -> None:
        (tmp_path / "handout").mkdir(mode=0o700)
        (tmp_path / "handout/__init__.py").write_text("")
        (tmp_path / "handout/__init__.py").chmod(0o600)
        with ready_zygote(public=[tmp_path / "handout"]) as zygote:
            assert run(zygote, "import handout", **options).raised is None  # type: ignore[arg-type]
        assert (tmp_path / "handout").stat().st_mode & 0o777 == 0o700

    def test_a_public_package_is_a_copy(self, tmp_path: Path, options: dict[str, object]) -> None:
        package = tmp_path / "handout"
        (package / "deep").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "deep/data.py").write_text("VALUE = 7")
        (tmp_path / "single.py").write_text("VALUE = 8")
        (tmp_path / "private.py").write_text("VALUE = 9")
        with ready_zygote(public=[package, tmp_path / "single.py"]) as zygote:
            source = "from handout.deep.data import VALUE as a\nfrom single import VALUE as b\nprint(a + b)"
            assert run(zygote, source, **options).json() == 15  # type: ignore[arg-type]
            failed = run(zygote, "import private", **options)  # type: ignore[arg-type]
            assert failed.raised is not None


@linux
class TestMemory:
    """A zygote's memory is every worker's memory: it must hold no secret of the grader's."""

    @pytest.fixture(params=[{}, FORKED], ids=["started", "forked"])
    def origin(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        return dict(request.param)

    @pytest.fixture
    def zygote(self, origin: dict[str, Any]) -> Iterator[Zygote]:
        with ready_zygote(**origin) as zygote:
            assert (zygote.nursery is not None) is bool(origin)
            yield zygote

    def test_no_word_of_the_grader_is_in_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any]
    ) -> None:
        token = secrets.token_hex(16)
        monkeypatch.setenv("GRADER_TEST_TOKEN", token)
        (tmp_path / "roster.csv").write_text(token)
        kept = [token] * 3, (tmp_path / "roster.csv").read_bytes()
        with ready_zygote(**origin) as zygote:
            pipes = spawn(zygote.fileno(), LIMITS)
            assert b"ready" in os.read(pipes.status, 1 << 16)
            family = [zygote.pid, *processes_below(zygote.pid)]
            assert len(family) >= 3
            for pid in family:
                assert count(token.encode(), pid) == 0
            assert count(token.encode(), os.getpid()) > 0  # the search finds what is there
            pipes.close()
        assert kept

    def test_the_environment_is_neutral(self, zygote: Zygote) -> None:
        allowed = {
            "CUDA_DEVICE_ORDER",
            "CUDA_VISIBLE_DEVICES",
            "GRADER_GRADING",
            "HOME",
            "LANG",
            "LC_CTYPE",
            "LD_LIBRARY_PATH",
            "MKL_NUM_THREADS",
            "MPLBACKEND",
            "MPLCONFIGDIR",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "PATH",
            "PYTHONHASHSEED",
            "TMPDIR",
            "TORCHDYNAMO_DISABLE",
            "TORCHINDUCTOR_CACHE_DIR",
            "USER",
        }
        assert set(ask(zygote, "dict(os.environ)")) <= allowed  # type: ignore[call-overload]
        raw = Path(f"/proc/{zygote.pid}/environ").read_bytes().split(b"\0")
        assert {entry.partition(b"=")[0].decode() for entry in raw if entry} <= allowed

    @pytest.mark.parametrize("home", ["/proc/nowhere", None])
    def test_a_user_without_a_home_may_grade(
        self, monkeypatch: pytest.MonkeyPatch, home: str | None
    ) -> None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        if home is None:
            monkeypatch.setattr(Path, "home", _no_home)
        else:
            monkeypatch.setenv("HOME", home)
        with ready_zygote() as zygote:
            assert run(zygote, "print(1)").json() == 1

    def test_its_arguments_name_no_path_of_the_project(self, zygote: Zygote) -> None:
        arguments = Path(f"/proc/{zygote.pid}/cmdline").read_bytes().split(b"\0")[1:]
        assert not any(b"/" in argument for argument in arguments)

    @pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root reads everything")
    def test_its_memory_is_closed_to_its_own_user(self, zygote: Zygote) -> None:
        with pytest.raises(PermissionError):
            Path(f"/proc/{zygote.pid}/environ").read_bytes()


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def count(token: bytes, pid: int) -> int:
    """How often a token occurs in the readable memory of a process."""
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb") as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if match is None or "[v" in line:
                continue
            start, end = (int(number, 16) for number in match.groups())
            try:
                memory.seek(start)
                found += memory.read(end - start).count(token)
            except (OSError, OverflowError):
                continue
    return found


class TestSpawning:
    """Several processes may ask one zygote."""

    def test_descriptors_are_four_and_the_standard_three(self, zygote: Zygote) -> None:
        """Besides them, the event loop in which cells run has its selector and a socket to itself."""
        source = """
import asyncio, json, os
loop = asyncio.get_running_loop()
of_the_loop = {loop._selector.fileno(), loop._ssock.fileno(), loop._csock.fileno()}
opened = []
for number in range(64):
    try:
        os.fstat(number)
        opened.append(number)
    except OSError:
        pass
print(json.dumps([number for number in opened if number not in of_the_loop]))
"""
        for forbidden in MODES.values():
            assert run(zygote, source, forbidden=forbidden).json() == [0, 1, 2, 3, 4]

    def test_requests_wait_for_the_zygote(self) -> None:
        with Zygote(preload=[]) as zygote:
            waiting = [spawn(zygote.fileno(), LIMITS) for _ in range(5)]
            for pipes in waiting:
                os.close(pipes.requests)
                assert events(pipes.status, timeout_s=20)[-1]["event"] == "exit"

    @linux
    def test_other_processes_may_spawn(self, zygote: Zygote) -> None:
        context = multiprocessing.get_context("fork")
        with context.Pool(3) as pool:
            outcomes = pool.map(_spawn_in_another_process, [zygote.fileno()] * 9)
        assert outcomes == [[None, 0]] * 9

    def test_a_dead_zygote_is_our_fault(self) -> None:
        with ready_zygote() as zygote:
            os.kill(zygote.pid, 9)
            zygote._process.wait(timeout=30)
            with pytest.raises(GraderFault, match="the zygote is gone"):
                spawn(zygote.fileno(), LIMITS)

    def test_what_can_not_be_started_is_our_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")
        with pytest.raises(GraderFault, match=r"can't be started.*No such file"):
            Zygote(preload=[])

    def test_closing_twice_is_fine(self) -> None:
        zygote = Zygote(preload=[])
        zygote.wait_ready()
        zygote.close()
        zygote.close()

    def test_garbage_on_the_socket_is_survived(self) -> None:

        with ready_zygote() as zygote:
            sender = socket.socket(fileno=os.dup(zygote.fileno()))
            sender.send(b"garbage")
            socket.send_fds(sender, [b"not json"], [0, 0, 0, 0])
            sender.close()
            assert run(zygote, "print(1)").json() == 1


def _spawn_in_another_process(fileno: int) -> list[object]:
    pipes = spawn(fileno, LIMITS)
    os.close(pipes.requests)
    end = events(pipes.status)[-1]
    return [end["reason"], end["code"]]


class TestOtherSystems:
    """Where there is no wall or no fork, the message says what to do."""

    def test_without_a_wall(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", "darwin")
        with pytest.raises(GraderError, match="no sandbox on darwin") as raised:
            require_platform(sandbox=True)
        assert "--sandbox off" in raised.value.hint
        require_platform(sandbox=False)

    def test_without_fork(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "fork")
        with pytest.raises(GraderError, match="not supported") as raised:
            require_platform(sandbox=False)
        assert "Linux" in raised.value.hint

    def test_the_near_end_imports_without_unix(self) -> None:

        program = """
import sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
import os, socket
for name in ("fork", "setsid", "O_NOFOLLOW", "O_DIRECTORY", "O_PATH"):
    vars(os).pop(name, None)
for name in ("AF_UNIX", "SOCK_SEQPACKET", "send_fds", "recv_fds"):
    vars(socket).pop(name, None)
sys.platform = "win32"
sys.path.insert(0, sys.argv[1])
import grader.judging.spawning
import grader.judging.selftest
assert "torch" not in sys.modules
"""
        root = Path(launch.__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", program, str(root)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_grader_that_is_killed_while_the_zygote_starts_leaves_no_folder() -> None:
    zygote = Zygote(preload=[])
    for end in (zygote._control, zygote._spawn, zygote._log):  # as the kernel closes them
        end.close()
    zygote._process.wait(timeout=60)
    assert not zygote.state.exists()
