"""`nbgrader collect`, but a student can't hand in what is not theirs.

Students write into the exchange with any tool they like. A link in there would be followed with the
collector's rights: what it points to would become the submission, and go back as feedback. A folder
can claim any name: nbgrader says so in its log and collects it.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns

from grader.errors import IntakeError
from grader.intake.files import open_regular
from grader.text import one_line


class CarefulCollect(ExchangeCollect):
    """Collects folders that belong to the student whose name they have; of them, plain files."""

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Describe a folder in the exchange. One that is refused is kept apart from all others."""
        name = Path(path).name
        try:
            record: dict[str, Any] = super()._path_to_record(path)
            refused = self._refused(path, record["username"])
        except Exception:  # a name that somebody made up: nbgrader would end here
            record, refused = {"filename": name, "timestamp": None}, "its name can't be read"
        if refused:
            record |= {"username": ("refused", name), "refused": refused}
        return record

    def _refused(self, path: str, student: str) -> str:
        """Why a folder is not collected; empty if it is."""
        status = Path(path).lstat()
        if not Path(path).is_dir() or Path(path).is_symlink():
            return "it is not a folder"
        if not self.check_owner:
            return ""
        try:
            owner = pwd.getpwuid(status.st_uid).pw_name
        except KeyError:
            owner = str(status.st_uid)
        return "" if owner == student else f"it belongs to {owner}, and claims to be {student}'s"

    def copy_files(self) -> None:
        """Collect, after naming what is refused."""
        for record in self.src_records:
            if "refused" in record:
                shown = one_line(record["filename"])
                self.log.error("%s: not collected: %s", shown, one_line(record["refused"]))
        self.src_records = [record for record in self.src_records if "refused" not in record]
        super().copy_files()

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a folder's plain files, within nbgrader's own limits."""
        limit = 1000 * self.coursedir.max_dir_size
        if self.get_size(src) > limit:
            raise RuntimeError(f"{src} is too large: the limit is {limit} bytes")
        unwanted = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=log or self.log,
        )

        def left_out(folder: str, names: Iterable[str]) -> list[str]:
            links = [name for name in names if (Path(folder) / name).is_symlink()]
            for name in links:
                self.log.error("%s: not collected: it is a link", one_line(f"{folder}/{name}"))
            plain = [name for name in names if name not in links]
            return [*links, *unwanted(folder, plain)]

        shutil.copytree(src, dest, ignore=left_out, copy_function=self._copy_plain)
        if self.coursedir.groupshared:
            for folder, _, files in os.walk(dest):
                Path(folder).chmod(0o2770 | Path(folder).stat().st_mode & 0o777)
                for name in files:
                    Path(folder, name).chmod(0o660 | Path(folder, name).stat().st_mode & 0o777)

    def _copy_plain(self, source: str, target: str) -> str:
        """Copy one file, which may have become a link since it was looked at."""
        try:
            with open_regular(source) as stream, Path(target).open("wb") as copy:
                shutil.copyfileobj(stream, copy)
            shutil.copystat(source, target, follow_symlinks=False)
        except IntakeError as error:
            self.log.error("%s: not collected: %s", one_line(source), error.message)
        return target
