"""A venue's REST interface, with outcomes that an order command can be judged by.

Three endings are told apart: a `Response` (whatever its status), `NotSent` (provably nothing left this
machine) and `OutcomeUnknown` (bytes may have left, no whole answer came). Reads may be repeated; a command is
sent at most once, also beneath: aiohttp's own silent retry on a stale connection is off.

Paths, queries and bodies go out exactly as given, because venues sign them byte for byte.
"""

import random as random_module
import ssl as ssl_module
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Protocol
from urllib.parse import quote, urlencode

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import NotSent, OutcomeUnknown, excerpt
from nautilus_orderfeeds.feed.limits import Limiter, Priority
from nautilus_orderfeeds.feed.retry_after import parse_retry_after
from nautilus_orderfeeds.feed.verdict import describe

Params = Mapping[str, str] | Sequence[tuple[str, str]] | str | None
"""A query: pairs that are percent-encoded here, or the encoded text that is sent as it is."""


class Signer(Protocol):
    """Makes the headers that authenticate one request."""

    def __call__(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        """Return the headers.

        Called right before each attempt is sent, after any waiting, so that timestamps are fresh.

        Parameters
        ----------
        method : str
            In upper case.
        path : str
            The whole path exactly as sent, beginning with `/`, a prefix of the base URL included.
        query : str
            Exactly as sent, without the question mark; empty if there is none.
        body : bytes
            Exactly as sent; empty if there is none.
        """
        ...


class Response:
    """A whole answer of the venue, whatever its status.

    Parameters
    ----------
    status : int
        HTTP status.
    headers : CIMultiDictProxy[str]
        Looked up without regard to case. Never shown by `repr`.
    body : bytes
        Uncompressed.
    sent_ns, received_ns : int
        When the request was begun and the answer's head was there, UNIX ns: bounds for a clock estimate.
    elapsed_secs : float
        From the beginning of the request to the end of the body.
    """

    __slots__ = ("body", "elapsed_secs", "headers", "received_ns", "sent_ns", "status")

    def __init__(
        self,
        status: int,
        headers: CIMultiDictProxy[str],
        body: bytes,
        *,
        sent_ns: int = 0,
        received_ns: int = 0,
        elapsed_secs: float = 0.0,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.sent_ns = sent_ns
        self.received_ns = received_ns
        self.elapsed_secs = elapsed_secs

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after_secs(self) -> float | None:
        """Seconds the venue asks to wait, or None."""
        return parse_retry_after(self.headers.get("Retry-After"), self.received_ns)

    def excerpt(self) -> str:
        """Return status and beginning of the body, for messages."""
        return f"HTTP {self.status}: {excerpt(self.body)}" if self.body else f"HTTP {self.status} without a body"

    def __repr__(self) -> str:
        return f"Response(status={self.status}, body={len(self.body)} bytes)"


class RestClient:
    """Sends requests to one host.

    Parameters
    ----------
    base_url : str
        Scheme, host, port and optional path prefix.
    clock : Clock, optional
        Source of time.
    limiter : Limiter, optional
        Waits before each request; paused by HTTP 429.
    random : random.Random, optional
        Source of jitter between repeated reads.
    timeout_secs : float, default 10.0
        Limit of one attempt, waiting for the limiter included.
    read_attempts : int, default 3
        How often a read is tried in all.
    max_retry_after_secs : float, default 30.0
        A read whose answer asks for a longer wait is not repeated.
    max_body_bytes : int, default 32 MiB
        Longest answer.
    keepalive_secs : float, default 15.0
        How long an idle connection is kept for the next request.
    max_connections : int, default 20
        Connections open at once.
    ssl : ssl.SSLContext, optional
        For `https://`; None means the system's certificate authorities.
    trust_env : bool, default True
        Take a proxy from the environment.

    Notes
    -----
    Made anywhere; the connection pool is made by the first request, in its event loop. `close` ends it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock | None = None,
        limiter: Limiter | None = None,
        random: random_module.Random | None = None,
        timeout_secs: float = 10.0,
        read_attempts: int = 3,
        max_retry_after_secs: float = 30.0,
        max_body_bytes: int = 32 * 2**20,
        keepalive_secs: float = 15.0,
        max_connections: int = 20,
        ssl: ssl_module.SSLContext | None = None,
        trust_env: bool = True,
    ) -> None:
        base = URL(base_url, encoded=True)
        if base.scheme not in ("http", "https") or not base.raw_host or base.raw_query_string or base.user:
            raise ValueError("expected a base URL like https://host[:port][/prefix] without user and query")
        self._origin = str(base.origin())
        self._prefix = base.raw_path.rstrip("/")
        self._clock = clock or LiveClock()
        self._limiter = limiter
        self._random = random or random_module.Random()
        self._timeout_secs = timeout_secs
        self._read_attempts = read_attempts
        self._max_retry_after_secs = max_retry_after_secs
        self._max_body_bytes = max_body_bytes
        self._keepalive_secs = keepalive_secs
        self._max_connections = max_connections
        self._ssl = ssl
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None
        self._closings = 0

    def __repr__(self) -> str:
        return f"RestClient({self._origin}{self._prefix})"

    async def close(self) -> None:
        """Close all connections; the next request would open new ones, one that is under way does not."""
        self._closings += 1
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        route: str = "",
        auth: Signer | None = None,
        timeout_secs: float | None = None,
        priority: Priority = Priority.NORMAL,
        repeat: bool = True,
    ) -> Response:
        """Send one request and return the answer.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            Percent-encoded path, beginning with `/`, sent as it is behind the base URL's prefix.
        params : mapping, sequence of pairs or str, optional
            The query.
        body : bytes, optional
            Sent as it is, with any method; `Content-Type: application/json` unless `headers` say otherwise.
        headers : mapping, optional
            Further headers.
        route : str, default ""
            Name of the rate limit.
        auth : Signer, optional
            Makes the authenticating headers.
        timeout_secs : float, optional
            Limit of one attempt; the client's by default.
        priority : Priority
            Who goes first when the limiter makes requests wait.
        repeat : bool, default True
            Whether a GET may be tried again after 429, 5xx or a transport error. Other methods never are.

        Returns
        -------
        Response
            Whatever its status; redirects are not followed.

        Raises
        ------
        NotSent
            Nothing left this machine.
        OutcomeUnknown
            Bytes may have left and no whole answer came.
        """
        method = method.upper()
        attempts = self._read_attempts if repeat and method == "GET" else 1
        backoff = Backoff(initial_secs=0.25, cap_secs=5.0, random=self._random)
        closings = self._closings
        while True:
            attempts -= 1
            retry_after_secs = None
            try:
                response = await self._attempt(method, path, params, body, headers, route, auth, timeout_secs, priority)
            except (NotSent, OutcomeUnknown):
                if attempts <= 0:
                    raise
            else:
                retry_after_secs = response.retry_after_secs
                if attempts <= 0 or not (response.status == 429 or _may_pass(response.status)):
                    return response
                if (retry_after_secs or 0.0) > self._max_retry_after_secs:
                    return response
            await self._clock.sleep(backoff.next_delay_secs(retry_after_secs))
            if closings != self._closings:
                raise NotSent(f"{method} {self._prefix}{path}: the client was closed before it was asked again")

    async def _attempt(
        self,
        method: str,
        path: str,
        params: Params,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        route: str,
        auth: Signer | None,
        timeout_secs: float | None,
        priority: Priority,
    ) -> Response:
        query = _encode_query(params)
        full_path = self._prefix + path
        url = URL(f"{self._origin}{full_path}" + (f"?{query}" if query else ""), encoded=True)
        # The word for messages: without the query, which may hold a token.
        what = f"{method} {full_path}"
        limit_secs = self._timeout_secs if timeout_secs is None else timeout_secs
        progress = SimpleNamespace(may_have_left=False)
        try:
            async with self._clock.timeout(limit_secs):
                if self._limiter is not None:
                    await self._limiter.acquire(route, priority)
                merged: CIMultiDict[str] = CIMultiDict(headers or {})
                if body is not None:
                    merged.setdefault("Content-Type", "application/json")
                if auth is not None:
                    merged.update(auth(method, full_path, query, body or b""))
                response = await self._exchange(method, url, body, merged, progress)
        except TimeoutError:
            waited = f"{what}: no answer within {limit_secs:g} s"
            if progress.may_have_left:
                raise OutcomeUnknown(waited) from None
            raise NotSent(f"{waited}; the request was still waiting to be sent") from None
        except (aiohttp.ClientError, OSError) as exc:
            # The exception itself is not chained: its text and attributes may hold the URL and headers.
            if progress.may_have_left:
                raise OutcomeUnknown(f"{what}: {_describe(exc)}") from None
            raise NotSent(f"{what}: {_describe(exc)}; check the network and the base URL") from None
        if response.status == 429 and self._limiter is not None:
            self._limiter.pause(route, response.retry_after_secs)
        return response

    async def _exchange(
        self, method: str, url: URL, body: bytes | None, headers: CIMultiDict[str], progress: SimpleNamespace
    ) -> Response:
        started = self._clock.monotonic()
        sent_ns = self._clock.time_ns()
        async with self._open_session().request(
            method,
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=progress,
            skip_auto_headers=() if body is not None else ("Content-Type",),
        ) as answer:
            received_ns = self._clock.time_ns()
            chunks: list[bytes] = []
            size = 0
            async for chunk in answer.content.iter_any():
                chunks.append(chunk)
                size += len(chunk)
                if size > self._max_body_bytes:
                    raise aiohttp.ClientPayloadError(f"answer longer than {self._max_body_bytes} bytes")
            return Response(
                answer.status,
                answer.headers,
                b"".join(chunks),
                sent_ns=sent_ns,
                received_ns=received_ns,
                elapsed_secs=self._clock.monotonic() - started,
            )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # From the moment a connection is there, bytes may leave; before, none can have.
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(_mark_may_have_left)
            trace.on_connection_reuseconn.append(_mark_may_have_left)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._max_connections,
                    keepalive_timeout=self._keepalive_secs,
                    ssl=self._ssl if self._ssl is not None else True,
                ),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
                trust_env=self._trust_env,
            )
            # aiohttp sends PUT and DELETE again by itself when a kept connection turns out dead. A cancel sent
            # twice may hit an order placed in between.
            self._session._retry_connection = False
        return self._session


async def _mark_may_have_left(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    context.trace_request_ctx.may_have_left = True


def _may_pass(status: int) -> bool:
    """Whether a failure of the venue may be over at the next try; a call it does not have (501) stays away."""
    return status >= 500 and status != 501


def _encode_query(params: Params) -> str:
    if params is None:
        return ""
    if isinstance(params, str):
        return params
    pairs = params.items() if isinstance(params, Mapping) else params
    return urlencode(list(pairs), quote_via=quote)


def _describe(exc: BaseException) -> str:
    match exc:
        case aiohttp.ServerDisconnectedError():
            return "the venue closed the connection before it answered"
        case aiohttp.ClientConnectorCertificateError():
            return "the host's certificate is not trusted"
        case aiohttp.ClientConnectorError():
            return f"cannot connect: {excerpt(str(exc.os_error))}"
        case aiohttp.ClientPayloadError():
            return f"the answer was cut off: {excerpt(str(exc))}"
        case aiohttp.InvalidURL():
            return "invalid URL"
        case aiohttp.ClientError():
            return f"{type(exc).__name__} while talking to the venue"
        case _:
            return describe(exc)
