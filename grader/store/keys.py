"""The instructor's key: what is kept from run to run is believed if it is signed with it.

Made when it is first needed, readable by its owner alone, and outside of every output folder:
whoever may write there must not be able to sign.

    $GRADER_KEY_FILE                                 where it is set: to share a key, in containers
    $XDG_STATE_HOME/grader/results.key               else; ~/.local/state is the default
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from grader.errors import GraderError

VARIABLE = "GRADER_KEY_FILE"
NAME = "results.key"
LEAST_BYTES = 32
MOST_BYTES = 4096


class Key:
    """A secret that signs what is kept."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, name: str, content: bytes) -> str:
        """HMAC-SHA256 over a file's content and its name: no file may stand for another."""
        message = name.encode("utf-8", "surrogatepass") + b"\0" + content
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def has_signed(self, signature: bytes, name: str, content: bytes) -> bool:
        """Whether a signature is this key's. How long that takes tells nothing about it."""
        return hmac.compare_digest(signature, self.sign(name, content).encode())


def instructors_key(output: Path) -> Key:
    """Read the instructor's key; make it when there is none yet.

    Args:
        output: the output folder, in which no key may lie.

    Raises:
        GraderError: there is none that could be trusted; the message says what is wrong with it.
    """
    path = key_file()
    if path.resolve().is_relative_to(output.resolve()):
        raise _unusable(path, "it lies in the output folder", f"set {VARIABLE} to another file")
    try:
        secret = _read(path) or _make(path)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise _unusable(path, reason, f"set {VARIABLE} to a file that you may write to") from None
    return Key(secret)


def key_file() -> Path:
    """Where the key is, or will be.

    Raises:
        GraderError: this user has no home, and no place is named.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    except RuntimeError:
        raise GraderError(
            "there is no home folder for the key that results are signed with",
            hint=f"set {VARIABLE} to a file that you may write to",
        ) from None
    return Path(state, "grader", NAME)


def _read(path: Path) -> bytes | None:
    """The secret; None when there is no file.

    Raises:
        GraderError: others may have read or written it, or it is too short. OSError: as ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _unusable(path, "it is not a regular file", "remove it, and it is made anew")
        # a group may share a key that was put there for it
        if sys.platform != "win32" and found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise _unusable(path, "others may read or change it", "chmod 600 it, or remove it")
        secret = file.read(MOST_BYTES).strip()
    if len(secret) < LEAST_BYTES:
        raise _unusable(path, f"it has less than {LEAST_BYTES} bytes", "remove it")
    return secret


def _make(path: Path) -> bytes:
    """Make a secret; where another run makes one at the same moment, the first one's counts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(LEAST_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        _put_in_place(fresh, path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    secret = _read(path)
    if secret is None:
        raise FileNotFoundError
    return secret


def _put_in_place(fresh: Path, path: Path) -> None:
    """Give a file its name unless another has it by now."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    except OSError:  # a disk without links
        if not path.exists():
            fresh.rename(path)


def _unusable(path: Path, reason: str, hint: str) -> GraderError:
    return GraderError(
        f"the key that results are signed with can't be used ({reason})",
        where=str(path),
        hint=hint,
    )
