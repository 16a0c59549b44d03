"""Where a cluster is: what `--cluster` may say."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from pathlib import Path

from grader.errors import UsageError, told
from grader.model import Value

LOCAL = re.compile(r"local:(\d+)")
MOST_LOCAL = 256
FORMS = "tcp://HOST:PORT, tls://HOST:PORT, a scheduler file, or local:N"


class Address(Value, frozen=True):
    """A scheduler's address as Dask writes it, or how many workers to start on this machine."""

    scheduler: str = ""
    local: int = 0

    @property
    def safe(self) -> bool:
        """Whether nobody on a network can listen, or speak to it: TLS, or this machine alone."""
        return bool(self.local) or self.scheduler.startswith("tls://") or is_here(self.scheduler)

    def __str__(self) -> str:
        return self.scheduler or f"local:{self.local}"


def read_address(text: str) -> Address:
    """Read what `--cluster` names.

    Raises:
        UsageError: it is none of the forms, or its scheduler file can't be read.
    """
    local = LOCAL.fullmatch(text)
    if local:
        workers = int(local[1])
        if not 1 <= workers <= MOST_LOCAL:
            raise UsageError(f"--cluster {text}: from 1 to {MOST_LOCAL} workers", hint=FORMS)
        return Address(local=workers)
    if "://" in text:
        if not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://[^/\s]+:\d{1,5}/?", text):
            raise UsageError(f"--cluster {text[:200]!r} is no address of a scheduler", hint=FORMS)
        return Address(scheduler=text)
    return Address(scheduler=_in_file(Path(text)))


def _in_file(path: Path) -> str:
    """The address that `dask scheduler --scheduler-file` has written."""
    hint = f"start `dask scheduler --scheduler-file {path}` first; else name {FORMS}"
    try:
        address = json.loads(path.read_bytes())["address"]
    except OSError as error:
        raise UsageError(f"no scheduler file ({told(error)})", hint=hint) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("this is no scheduler file", where=str(path), hint=hint) from None
    if not isinstance(address, str) or "://" not in address:
        raise UsageError("this scheduler file names no address", where=str(path), hint=hint)
    return address


def is_here(address: str) -> bool:
    """Whether an address is this machine's own, which no other one can connect to."""
    host = address.partition("://")[2].rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(one[4][0])).is_loopback for one in found)
