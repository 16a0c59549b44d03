"""What `--cluster` may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.integrations.dask.address import Address, read_address


def test_a_number_of_workers_of_this_machine() -> None:
    assert read_address("local:3") == Address(local=3)


@pytest.mark.parametrize("text", ["tcp://10.0.0.1:8786", "tls://scheduler.example.edu:8786"])
def test_an_address_is_as_dask_writes_it(text: str) -> None:
    assert str(read_address(text)) == text


def test_a_scheduler_file_names_the_address(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"type": "Scheduler", "address": "tcp://10.1.2.3:4567"}))
    assert read_address(str(file)) == Address(scheduler="tcp://10.1.2.3:4567")


@pytest.mark.parametrize(
    "text", ["local:0", "local:1000", "http://host:1", "tcp://host", "tcp://host:port", "tcp://"]
)
def test_what_is_no_address_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_address(text)
    assert "tls://HOST:PORT" in refused.value.hint


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"address": 3}', "[" * 100_000])
def test_a_scheduler_file_that_can_not_be_used(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "scheduler.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match="scheduler file") as refused:
        read_address(str(file))
    assert "--scheduler-file" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tcp://localhost:8786", True),
        ("tcp://[::1]:8786", True),
        ("local:2", True),
        ("tls://10.0.0.1:8786", True),
        ("tcp://10.0.0.1:8786", False),
        ("tcp://nowhere.invalid:8786", False),
    ],
)
def test_an_address_is_safe_where_nobody_else_can_listen(text: str, safe: bool) -> None:
    assert read_address(text).safe is safe
