"""The dashboard's web server: on one address, for pages of its own only, in whatever event loop it is given.

A page of any website can make the user's browser ask `127.0.0.1`. So requests are answered only if they name this
server, and only if they come from a page of this server (`OwnPagesOnly`).
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from nicegui import ui

from nautilus_orderfeeds.cli import stats, timeline_html
from nautilus_orderfeeds.cli.dashboard import LOOPBACK, is_loopback
from nautilus_orderfeeds.cli.dashboard_page import DashboardPage
from nautilus_orderfeeds.cli.watch_journal import JournalSource
from nautilus_orderfeeds.cli.watch_model import Source
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalReader

_log = logging.getLogger(__name__)
_POLL_SECS: Final = 0.5

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]


class OwnPagesOnly:
    """Refuses requests that do not name this server, and those that pages of other websites make.

    Parameters
    ----------
    app : Callable
        The application behind it.
    hosts : frozenset[str]
        Names by which this server may be called; empty for any.
    """

    def __init__(self, app: Callable[[_Scope, _Receive, _Send], Awaitable[None]], hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] not in ("http", "websocket") or self._is_own(dict(scope["headers"])):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b"only for pages of this dashboard"})

    def _is_own(self, headers: dict[bytes, bytes]) -> bool:
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if self._hosts and urlsplit(f"//{host}").hostname not in self._hosts:
            return False
        return not origin or urlsplit(origin).netloc == host


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: a node, or the command, has handlers of its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


class DashboardServer:
    """Serves the dashboard of some sources. Only one can be in a process, because NiceGUI has one application.

    Parameters
    ----------
    sources : Sequence[Source]
        Started already; whoever started them stops them.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    journals : Sequence[str]
        Further journals, for the timelines of orders that other sources tell of.

    Raises
    ------
    OSError
        If the address cannot be listened on.
    """

    def __init__(self, sources: Sequence[Source], host: str, port: int, journals: Sequence[str] = ()) -> None:
        self._sources = sources
        self._journals = [str(source.path) for source in sources if isinstance(source, JournalSource)] + list(journals)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.page = DashboardPage(sources, bool(self._journals))
        self._host = host
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        port = self._socket.getsockname()[1]
        name = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{name}:{port}/"

    async def run(self) -> None:
        """Serve until `stop`, or until this is cancelled."""
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.add_middleware(OwnPagesOnly, hosts=LOOPBACK | {self._host} if is_loopback(self._host) else frozenset())
        app.get("/timeline", response_class=HTMLResponse)(self._timeline)
        ui.run_with(
            app, root=self.page.build, title="orderfeeds", dark=None, tailwind=False, show_welcome_message=False
        )
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        self._server = _Server(config)
        polling = asyncio.create_task(self._poll(), name="dashboard poll")
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            polling.cancel()
            self._socket.close()

    def stop(self) -> None:
        """End `run`; idempotent."""
        if self._server is not None:
            self._server.should_exit = True

    async def _poll(self) -> None:
        while True:
            try:
                self.page.look()
            except Exception:  # one bad look must not end the following
                _log.exception("dashboard: a look at the sources failed; going on")
            await asyncio.sleep(_POLL_SECS)

    def _timeline(self, order: str) -> HTMLResponse:
        """Return the page of one order's life, from the journal that has it."""
        for path in self._journals:
            try:
                with JournalReader(path) as reader:
                    found = reader.order(order)
                    if found is None:
                        continue
                    life = (found, reader.frames(found), found.lifecycle(reader.venue))
                    title = f"{found.client_order_id} of {reader.account}"
                    return HTMLResponse(timeline_html.page(title, f"from {Path(path).name}", [life], stats.BY_DEFAULT))
            except JournalError as e:
                return HTMLResponse(f"<p>{escape(str(e))}</p>", status_code=503)
        raise HTTPException(404, "no journal of this dashboard has this order")
