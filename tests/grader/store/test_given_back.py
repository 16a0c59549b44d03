"""What has been given back is remembered."""

from __future__ import annotations

import stat

from grader.store.given_back import NAME, read_given, remember_given


def test_what_was_given_is_added_to_what_is_known(tmp_path):
    assert read_given(tmp_path) == {}
    remember_given(tmp_path, "moodle blocks", {"a": "1", "b": "2"})
    remember_given(tmp_path, "moodle blocks", {"b": "3"})
    remember_given(tmp_path, "zip blocks", {"a": "1"})
    assert read_given(tmp_path) == {"moodle blocks": {"a": "1", "b": "3"}, "zip blocks": {"a": "1"}}
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_what_can_not_be_read_is_nothing(tmp_path):
    (tmp_path / NAME).write_text("{]")
    assert read_given(tmp_path) == {}
