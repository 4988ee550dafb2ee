"""websockets' reconnecting `connect`, with our addresses, our delays and our verdicts."""

import logging
import ssl as ssl_module
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.uri import parse_uri

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.feed.stream import Stream

# websockets logs frames and headers, which hold credentials, at DEBUG, and URLs in its INFO messages. This
# logger stays above both however the application configures logging.
_wire_log = logging.getLogger("nautilus_orderfeeds.feed.websockets")
_wire_log.setLevel(logging.WARNING)


class Dialer(connect):
    """Yields one connection after another (`async for`).

    Parameters
    ----------
    stream : Stream
        Asked for admission, URL and headers right before each attempt: the latter two may be signed or carry a
        short-lived token.
    before_attempt : Callable[[], Awaitable[None]]
        Waits the delay that is due.
    on_failure : Callable[[Exception], Exception or None]
        Told of each failed attempt; returns the exception that ends the iteration, or None to go on.
    ssl : ssl.SSLContext, optional
        For `wss://` addresses; None means the system's certificate authorities.
    **options
        Further arguments of `websockets.asyncio.client.connect`.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        before_attempt: Callable[[], Awaitable[None]],
        on_failure: Callable[[Exception], Exception | None],
        ssl: ssl_module.SSLContext | None = None,
        **options: Any,
    ) -> None:
        # The real address is set before each attempt; this one only has to agree with `ssl`.
        if ssl is not None:
            options["ssl"] = ssl
        any_url = "ws://localhost" if ssl is None else "wss://localhost"
        super().__init__(any_url, process_exception=_raise_it, logger=_wire_log, **options)
        self._stream = stream
        self._on_failure = on_failure
        self._before_attempt = before_attempt
        self._needs_tls = ssl is not None

    async def __aenter__(self) -> ClientConnection:
        # Failed attempts are repeated here and not by websockets, whose delays cover nothing else: a venue that
        # accepts and drops connections would be hammered. They also differ from version to version.
        while True:
            await self._before_attempt()
            try:
                return await self._attempt()
            except Exception as exc:
                fatal = self._on_failure(exc)
                if fatal is not None:
                    raise fatal from None

    async def _attempt(self) -> ClientConnection:
        await self._stream.admit()
        self.uri = self._stream.url()
        self.ws_uri = parse_uri(self.uri)
        self.additional_headers = self._stream.headers()
        if self._needs_tls and not self.ws_uri.secure:
            raise FatalFeedError("an SSL context was given for a ws:// URL; use wss:// or leave `ssl` out")
        return await super().__aenter__()

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow no redirect: signed headers and tokens are meant for one host only."""
        return exc


def _raise_it(exc: Exception) -> Exception:
    return exc
