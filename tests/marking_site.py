"""The pages of `grader mark`, served from a thread of the test's own process."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from to_mark import write_class

from grader.marking import server
from grader.marking.desk import Desk
from grader.reports.choices import Format
from grader.reports.gradebook_json import decode


class Site:
    """A desk of a class, and its pages."""

    def __init__(self, folder: Path, answers: Mapping[str, str]) -> None:
        course, self.reports = write_class(folder, answers, [Format.JSON])
        book = decode((self.reports / "gradebook.json").read_bytes())
        manual = {"tides": course.assignments[0].manual}
        self.desk = Desk(self.reports, book, manual, "ina")
        self.pages = server.Pages(self.desk, lambda: "Written.")
        self.listening = server.listen(0)
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        config = uvicorn.Config(self.pages.app(), log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)
        run = {"sockets": [self.listening]}
        self.thread = threading.Thread(target=self.server.run, kwargs=run, daemon=True)

    def __enter__(self) -> Site:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *error: object) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.listening.close()

    def url(self, place: str = "") -> str:
        return self.address + self.pages.root + place

    def ask(
        self, url: str, form: dict[str, object] | bytes | None = None, host: str = ""
    ) -> tuple[int, str, str]:
        """Status, page and where it came from; redirections are followed."""
        data = form if isinstance(form, bytes | None) else urlencode(form, doseq=True).encode()
        headers = {"Host": host} if host else {}
        request = urllib.request.Request(url, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as got:
                return got.status, got.read().decode(), got.url
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), url
