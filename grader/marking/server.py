"""Serves the pages of `grader mark` on this machine's loopback: one process, one desk.

Every address begins with a secret that is made anew for each run: whoever doesn't know it gets
nothing. There are no cookies, which a browser would send to every other port of the same machine.
"""

from __future__ import annotations

import hmac
import math
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from grader.errors import GraderError, UsageError
from grader.marking.desk import Desk, Queue, Said
from grader.marking.pages import answer_page, overview, whole_page
from grader.text import one_line

LOOPBACK = "127.0.0.1"
MOST_BYTES = 256 << 10
MOST_POINTS = 10_000
MOST_COMMENT = 10_000
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # each page has its own besides
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[Request], Awaitable[Response]]


def listen(port: int) -> socket.socket:
    """Take a port of the loopback; 0 takes a free one.

    Raises:
        UsageError: somebody has it.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except OSError as error:
        found.close()
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"can't listen on port {port} ({reason})", hint="leave `--port` out: then one is found"
        ) from None
    found.listen()
    return found


class Pages:
    """The pages of a desk.

    Args:
        desk: what is marked.
        write: writes the reports anew and says so.
        named: whether students are told by name.
    """

    def __init__(self, desk: Desk, write: Callable[[], str], *, named: bool = False) -> None:
        self._desk, self._write, self._named = desk, write, named
        self._secret = secrets.token_urlsafe(24)
        self.root = f"/{self._secret}/"

    def app(self) -> Starlette:
        """The application."""
        answer = "/{secret}/{assignment}/{question}"
        return Starlette(
            routes=[
                Route("/{secret}/", self._guarded(self._overview)),
                Route("/{secret}/write", self._guarded(self._reports), methods=["POST"]),
                Route("/{secret}/undo", self._guarded(self._undo), methods=["POST"]),
                Route(f"{answer}/waiting", self._guarded(self._waiting)),
                Route(f"{answer}/{{number:int}}", self._guarded(self._answer)),
                Route(f"{answer}/{{number:int}}", self._guarded(self._record), methods=["POST"]),
                Route(f"{answer}/{{number:int}}/whole", self._guarded(self._whole)),
                Route(
                    f"{answer}/{{number:int}}/withdraw",
                    self._guarded(self._withdraw),
                    methods=["POST"],
                ),
            ],
            exception_handlers={HTTPException: _refused, GraderError: _failed},
        )

    def serve(self, listening: socket.socket) -> None:
        """Serve until a person stops it."""
        config = uvicorn.Config(
            self.app(), log_level="error", access_log=False, lifespan="off", ws="none",
            timeout_graceful_shutdown=2, server_header=False,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listening])

    def _guarded(self, handler: Handler) -> Handler:
        """Answer only who knows the secret, and asks for this machine by its own name.

        The latter keeps a stranger's page, whose name was made to lead here, from being answered.
        """

        async def guarded(request: Request) -> Response:
            said = request.path_params["secret"].encode()
            if not hmac.compare_digest(said, self._secret.encode()):
                raise HTTPException(404)
            if request.url.hostname not in (LOOPBACK, "localhost"):
                raise HTTPException(421)
            self._desk.refresh()
            response = await handler(request)
            response.headers.update(HEADERS)
            return response

        return guarded

    # ------------------------------------------------------------ reading

    async def _overview(self, request: Request) -> Response:
        notice = {"all": "All answers to this question are marked.", "nothing": "Nothing to undo."}
        told = notice.get(request.query_params.get("told", ""), "")
        return HTMLResponse(overview(self._desk, self.root, told))

    async def _answer(self, request: Request) -> Response:
        queue, number = self._place(request)
        sheet = self._desk.sheet(queue, number)
        notice = "Undone: this is as it was." if request.query_params.get("told") else ""
        page = answer_page(self._desk, sheet, self.root, named=self._named, notice=notice)
        return HTMLResponse(page)

    async def _whole(self, request: Request) -> Response:
        queue, number = self._place(request)
        return HTMLResponse(whole_page(self._desk.sheet(queue, number), self.root))

    async def _waiting(self, request: Request) -> Response:
        queue = self._queue(request)
        after = request.query_params.get("after", "0")
        return self._to_waiting(queue, int(after) if after.isdecimal() and len(after) < 9 else 0)

    # ------------------------------------------------------------ writing

    async def _record(self, request: Request) -> Response:
        queue, number = self._place(request)
        form = await _form(request)
        self._desk.record(queue, number, _said(form))
        if form.get("then") == ["stay"]:
            return self._to(queue, number)
        return self._to_waiting(queue, number)

    async def _withdraw(self, request: Request) -> Response:
        queue, number = self._place(request)
        self._desk.withdraw(queue, number, _said(await _form(request)).after)
        return self._to(queue, number)

    async def _undo(self, _request: Request) -> Response:
        place = self._desk.undo()
        if place is None:
            return RedirectResponse(f"{self.root}?told=nothing", 303)
        return self._to(*place, told="?told=undone")

    async def _reports(self, _request: Request) -> Response:
        return HTMLResponse(overview(self._desk, self.root, self._write()))

    # ------------------------------------------------------------ places

    def _queue(self, request: Request) -> Queue:
        found = self._desk.find(request.path_params["assignment"], request.path_params["question"])
        if found is None or not found.students:
            raise HTTPException(404)
        return found

    def _place(self, request: Request) -> tuple[Queue, int]:
        queue, number = self._queue(request), request.path_params["number"]
        if not 1 <= number <= len(queue.students):
            raise HTTPException(404)
        return queue, number

    def _to(self, queue: Queue, number: int, told: str = "") -> Response:
        address = f"{self.root}{queue.assignment}/{queue.question.id}/{number}{told}"
        return RedirectResponse(address, 303)

    def _to_waiting(self, queue: Queue, after: int) -> Response:
        number = self._desk.next_waiting(queue, after)
        if number is None:
            return RedirectResponse(f"{self.root}?told=all", 303)
        return self._to(queue, number)


Form = Mapping[str, list[str]]


async def _form(request: Request) -> Form:
    """What was posted, within limits."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            raise HTTPException(413)
    try:
        return parse_qs(content.decode(), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        raise HTTPException(400) from None


def _said(form: Form) -> Said:
    try:
        written = (form.get("points") or ["0"])[0].strip()
        points = float(written.replace(",", ".").replace("−", "-") or 0)
    except ValueError:
        points = math.nan
    if not abs(points) <= MOST_POINTS:  # nor `nan`
        raise HTTPException(400, "Points are a number: go back, nothing is saved.")
    comment = (form.get("comment") or [""])[0].replace("\r\n", "\n")
    return Said(
        rubric=tuple(dict.fromkeys(form.get("rubric", ()))),
        points=points,
        comment=comment[:MOST_COMMENT],
        after=tuple(name for name in (form.get("after") or [""])[0].split(",") if name),
    )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail, error.status_code, headers=HEADERS)


async def _failed(_request: Request, error: Exception) -> Response:
    """Say what went wrong where the marker looks: nothing was saved."""
    assert isinstance(error, GraderError)
    told = f"Not saved: {one_line(str(error))}. {one_line(error.hint)}"
    return PlainTextResponse(told, 500, headers=HEADERS)
