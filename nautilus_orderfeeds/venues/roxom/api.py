"""Roxom's REST interface as reads and commands (protocol, 1, 2 and 4.10)."""

import logging
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, NotSent, NotServed, OutcomeUnknown, TransientFeedError
from nautilus_orderfeeds.feed.limits import EVERY_ROUTE, Priority, Rate, shared_limiter
from nautilus_orderfeeds.feed.outcomes import outcome_of, outcome_of_failure
from nautilus_orderfeeds.feed.rest import Params, Response, RestClient
from nautilus_orderfeeds.orders.requests import Outcome, Refused
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import Authenticator
from nautilus_orderfeeds.venues.roxom.words import VENUE

_log = logging.getLogger(__name__)

_UNAUTHORIZED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_NOT_SERVED: Final = frozenset({_NOT_FOUND, 405, 501})

#: Before every path, in the documentation's generations.
_PREFIXES: Final = ("/v1", "/api/v1")


class ErrorBody(Struct, frozen=True):
    """The venue's own error, whichever of its shapes it came in."""

    code: str
    message: str


class RoxomApi:
    """Sends requests.

    Parameters
    ----------
    settings : RoxomSettings
        Address, limits.
    clock : Clock
        Source of time.
    authenticator : Authenticator
        Signs requests.

    Notes
    -----
    Made in a running event loop: clients of one API key in one loop share their rate limit.
    """

    def __init__(self, settings: RoxomSettings, clock: Clock, authenticator: Authenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._prefix = settings.path_prefix
        self._missed: set[str] = set()
        rates = {EVERY_ROUTE: Rate(settings.requests_per_sec, 1.0)}
        self._rest = RestClient(
            settings.base_url_http,
            clock=clock,
            limiter=shared_limiter(settings.base_url_http, settings.api_key, rates, clock=clock),
            timeout_secs=settings.timeout_secs,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._rest.close()

    async def probe(self) -> None:
        """Check that the host is there (``GET /ping``); raises `TransientFeedError` if it gives no answer."""
        response = await self._get("/ping", None)
        if not response.ok:
            _log.debug("%s: /ping says %s", VENUE, response.excerpt())

    async def read[T](self, path: str, decode: Callable[[bytes], T], params: Params = None) -> T:
        """Read something.

        Parameters
        ----------
        path : str
            Percent-encoded, without the prefix.
        decode : Callable[[bytes], T]
            Reads the body; raises `FrameError` or `ValueError`.
        params : optional
            The query.

        Raises
        ------
        FatalFeedError
            If the credentials are refused.
        TransientFeedError
            If it could not be read now.
        FrameError
            If the answer cannot be understood.
        """
        found = await self.find(path, decode, params)
        if found is None:
            raise NotServed(
                f"{VENUE}: {self._settings.base_url_http} does not know {self._prefix}{path}; is path_prefix right?"
            )
        return found

    async def optional[T](self, path: str, decode: Callable[[bytes], T], params: Params = None) -> T | None:
        """Read something that an installation may lack: None then, and a warning once; otherwise raises as `read`.

        What is not told stays unknown: nothing may be concluded from it.
        """
        try:
            return await self.read(path, decode, params)
        except NotServed as exc:
            if path not in self._missed:
                self._missed.add(path)
                _log.warning("%s Going on without what it would tell", exc)
            return None

    async def find_prefix(self, path: str, params: Params) -> None:
        """Take the documented prefix under which `path` is served, if it is not the configured one."""
        for prefix in (self._prefix, *_PREFIXES):
            if (await self._get(prefix + path, params)).status in _NOT_SERVED:
                continue
            if prefix != self._prefix:
                _log.warning("%s: the paths begin with %s here, not with %s", VENUE, prefix, self._prefix)
                self._prefix = prefix
                self._missed.clear()
            return

    async def find[T](self, path: str, decode: Callable[[bytes], T], params: Params = None) -> T | None:
        """Read something that may not exist (None); raises as `read`."""
        response = await self._get(self._prefix + path, params)
        if response.ok:
            try:
                return decode(response.body)
            except ValueError as exc:
                raise TransientFeedError(f"{VENUE}: unreadable answer to GET {path}: {exc}") from None
        if response.status == _NOT_FOUND:
            return None
        if response.status in _UNAUTHORIZED:
            raise FatalFeedError(
                f"{VENUE}: login refused for GET {path} ({response.excerpt()}); check that "
                f"{self._settings.variable('api_key')} and {self._settings.variable('private_key')} belong together "
                "and that the key is active"
            )
        if response.status in _NOT_SERVED:
            raise NotServed(f"{VENUE}: GET {path} is not served here ({response.excerpt()}).")
        raise TransientFeedError(
            f"{VENUE}: GET {path} failed with {response.excerpt()}", retry_after_secs=response.retry_after_secs
        )

    async def command(
        self,
        path: str,
        *,
        ok: Callable[[Response], Outcome],
        body: bytes | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> Outcome:
        """Send a command (``POST``), once.

        Parameters
        ----------
        path : str
            Percent-encoded, without the prefix.
        ok : Callable[[Response], Outcome]
            Reads the answer of a success; raises if it cannot.
        body : bytes, optional
            JSON.
        priority : Priority
            Who goes first when the rate limit makes requests wait.
        """

        def read_success(response: Response) -> Outcome:
            error = error_of(response)  # one that comes with HTTP 200
            return ok(response) if error is None else Refused(error.message)

        def read_refusal(response: Response) -> Outcome | None:
            error = error_of(response)
            if error is None:
                return None
            if response.status in _UNAUTHORIZED:
                _log.error("%s: API key refused (%s)", VENUE, error.message)
                return Refused(f"API key refused: {error.message}")
            return Refused(error.message)

        try:
            response = await self._rest.request(
                "POST",
                self._prefix + path,
                body=body,
                auth=self._authenticator.request,
                priority=priority,
            )
        except (NotSent, OutcomeUnknown) as exc:
            return outcome_of_failure(exc)
        return outcome_of(response, ok=read_success, refused=read_refusal)

    async def _get(self, path: str, params: Params) -> Response:
        try:
            return await self._rest.request(
                "GET", path, params=params, auth=self._authenticator.request, priority=Priority.READ
            )
        except (NotSent, OutcomeUnknown) as exc:
            raise TransientFeedError(f"{VENUE}: cannot reach {self._settings.base_url_http}: {exc}") from None


def error_of(response: Response) -> ErrorBody | None:
    """Return the venue's own error in `response`, or None if its body is none (protocol, 3 and 4.10).

    ``"error": true`` beside data is a placeholder of the documentation, and says nothing.
    """
    try:
        reply = wire.ANY_REPLY.decode(response.body)
    except DECODE_ERRORS:
        return None
    error = reply.error
    if isinstance(error, dict):
        return _error(error.get("code"), error.get("message"), error.get("details"))
    if reply.data is not None and bytes(reply.data) != b"null":
        return None
    if isinstance(error, int) and not isinstance(error, bool) and error:
        return _error(error, reply.message, reply.details)
    if reply.code is not None or reply.message:
        return _error(reply.code, reply.message, reply.details)
    return None


def _error(code: object, message: object, details: object) -> ErrorBody:
    said = message if isinstance(message, str) and message else f"refused with code {code}"
    return ErrorBody(str(code), f"{said} ({details})" if isinstance(details, str) and details else said)
