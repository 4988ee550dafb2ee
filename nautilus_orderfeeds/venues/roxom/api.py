"""Roxom's REST interface as reads and commands (protocol, 1, 2 and 4.10)."""

import logging
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, NotServed
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Params, Response, RestClient
from nautilus_orderfeeds.orders.requests import Outcome, Refused
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS
from nautilus_orderfeeds.venues.rest_api import NOT_SERVED_STATUSES, Request, RestApi, paced
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import Authenticator
from nautilus_orderfeeds.venues.roxom.words import VENUE

_log = logging.getLogger(__name__)

_UNAUTHORIZED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404

#: Before every path, in the documentation's generations.
_PREFIXES: Final = ("/v1", "/api/v1")


class ErrorBody(Struct, frozen=True):
    """The venue's own error, whichever of its shapes it came in."""

    code: str
    message: str


class RoxomApi(RestApi):
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
        limiter = paced(settings.base_url_http, settings.api_key, settings.requests_per_sec, clock)
        rest = RestClient(settings.base_url_http, clock=clock, limiter=limiter, timeout_secs=settings.timeout_secs)
        super().__init__(VENUE, settings.base_url_http, rest, authenticator.request, settings.path_prefix)
        self._settings = settings

    async def probe(self) -> None:
        """Check that the host is there (``GET /ping``); raises `TransientFeedError` if it gives no answer."""
        response = await self.get(Request("GET", "/ping", priority=Priority.READ))
        if not response.ok:
            _log.debug("%s: /ping says %s", VENUE, response.excerpt())

    async def find_prefix(self, path: str, params: Params) -> None:
        """Take the documented prefix under which `path` is served, if it is not the configured one."""
        for prefix in (self.prefix, *_PREFIXES):
            response = await self.get(Request("GET", prefix + path, params, priority=Priority.READ))
            if response.status in NOT_SERVED_STATUSES:
                continue
            if prefix != self.prefix:
                _log.warning("%s: the paths begin with %s here, not with %s", VENUE, prefix, self.prefix)
                self.prefix = prefix
                self.missed.clear()
            return

    def check(self, path: str, response: Response) -> None:
        """Raise what the answer to a read means, if it is no success (protocol, 2 and 4.10)."""
        if response.status == _NOT_FOUND:
            raise NotServed(f"{VENUE}: {self.base_url} does not know {self.prefix}{path} (is path_prefix right?)")
        if response.status in _UNAUTHORIZED:
            raise FatalFeedError(
                f"{VENUE}: login refused for GET {path} ({response.excerpt()}); check that "
                f"{self._settings.variable('api_key')} and {self._settings.variable('private_key')} belong together "
                "and that the key is active"
            )
        super().check(path, response)

    async def command(
        self,
        path: str,
        *,
        ok: Callable[[Response], Outcome],
        body: bytes | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> Outcome:
        """Send a command (``POST``), once; `ok` reads the answer of a success."""

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

        request = Request("POST", self.prefix + path, body=body, priority=priority)
        return await self.outcome(request, ok=read_success, refused=read_refusal)


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
