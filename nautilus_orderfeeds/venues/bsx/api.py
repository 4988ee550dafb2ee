"""BSX's REST interface as reads and commands (protocol, 3.1, 4 and 11 row 3)."""

import logging
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec import structs

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, NotServed, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Response, RestClient
from nautilus_orderfeeds.orders.requests import Outcome, Refused, Unknown
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.refusal import error_of as error_of
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.words import VENUE
from nautilus_orderfeeds.venues.rest_api import Request, RestApi, Unreachable, paced

_log = logging.getLogger(__name__)

#: gRPC numbers with which a gateway says that it does not know what happened behind it: cancelled, unknown,
#: deadline exceeded, exhausted (throttled), internal, unavailable, data loss.
INDEFINITE_CODES: Final = frozenset({1, 2, 4, 8, 13, 14, 15})

UNAUTHENTICATED: Final = 16
_DENIED: Final = 7
_UNAUTHORIZED_STATUSES: Final = frozenset({401, 403})

_PRODUCTS: Final = "/products"

#: Asked for without credentials (protocol, 3.1).
_PUBLIC: Final = frozenset({_PRODUCTS, "/chain/configs"})

#: Whoever serves none of these is no BSX.
_SIGNS: Final = _PUBLIC | {"/users/api-key"}

#: More is noticed by the venue's login (100 s are refused).
_MAX_SKEW_SECS: Final = 10.0


def refused_for_good(error: wire.ErrorBody) -> Outcome:
    """Judge a refusal that is definite."""
    return Refused(error.message or f"refused with code {error.code}")


class BsxApi(RestApi):
    """Sends requests.

    Parameters
    ----------
    settings : BsxSettings
        Address, credentials, limits.
    clock : Clock
        Source of time.

    Notes
    -----
    Made in a running event loop: clients of one API key in one loop share their rate limit.
    """

    def __init__(self, settings: BsxSettings, clock: Clock) -> None:
        limiter = paced(settings.base_url_http, settings.api_key, settings.requests_per_sec, clock)
        rest = RestClient(settings.base_url_http, clock=clock, limiter=limiter, timeout_secs=settings.timeout_secs)
        super().__init__(VENUE, settings.base_url_http, rest, self._headers)
        self._settings = settings
        self._clock = clock
        #: Whether the venue has ever taken the credentials.
        self._worked = False

    def check(self, path: str, response: Response) -> None:
        """Raise what the answer to a read means, if it is no success (protocol, 3.1)."""
        if response.ok:
            self._worked = self._worked or path not in _PUBLIC
            return
        error = error_of(response)
        if response.status in _UNAUTHORIZED_STATUSES or (error is not None and error.code == UNAUTHENTICATED):
            said = f"{VENUE}: login refused for GET {path} ({response.excerpt()})"
            is_word = _is_venues_word(response.status, error)
            if self._worked and not is_word:
                # A key that has been good is not given up for what something in between says.
                raise TransientFeedError(said, retry_after_secs=response.retry_after_secs)
            between = "" if is_word else f"; or something in between answers for {self.base_url}"
            raise FatalFeedError(
                f"{said}; check that {self._settings.variable('api_key')} and {self._settings.variable('api_secret')} "
                f"belong together, to this environment, and have not expired{between}"
            )
        super().check(path, response)

    async def probe(self) -> None:
        """Check that the venue is there and its clock is near ours; a listing that fails is only logged.

        The newest public trace of the venue is from 2025: it may be gone (protocol, 11 row 1).

        Raises
        ------
        TransientFeedError
            If it cannot be reached.
        FatalFeedError
            If it refuses us.
        """
        response = await self._probed()
        try:
            self.check(_PRODUCTS, response)
        except NotServed as exc:
            self.missed.add(_PRODUCTS)
            _log.warning("%s", exc)
        except TransientFeedError as exc:
            _log.warning("%s", exc)
        else:
            warn_of_skew(response)

    async def _probed(self) -> Response:
        """Ask for the listing; a host that is silent is named at once, one that fails quickly is tried again."""
        request = Request("GET", _PRODUCTS, priority=Priority.READ, repeat=False)
        began_secs = self._clock.monotonic()
        try:
            return await self.get(request)
        except Unreachable:
            if self._clock.monotonic() - began_secs >= self._settings.timeout_secs:
                raise
        return await self.get(structs.replace(request, repeat=True))

    def check_served(self) -> None:
        """Check that something of the venue's is served at all.

        Raises
        ------
        FatalFeedError
            If it is some other host that answers.
        """
        if self.missed >= _SIGNS:
            raise FatalFeedError(
                f"{VENUE}: {self.base_url} answers, but serves none of {', '.join(sorted(_SIGNS))}: "
                "is this the venue's REST address (`base_url_http`)?"
            )

    async def command(
        self,
        request: Request,
        *,
        ok: Callable[[Response], Outcome],
        refused: Callable[[wire.ErrorBody], Outcome | None] = refused_for_good,
    ) -> Outcome:
        """Send a command, once; `ok` reads the answer of a success, `refused` judges a refusal of the venue's own."""

        def read_refusal(response: Response) -> Outcome | None:
            error = error_of(response)
            if error is None or error.code in INDEFINITE_CODES:
                return None
            if response.status == 401 or error.code == UNAUTHENTICATED:
                _log.error("%s: API key refused (%s); it may have expired", VENUE, error.message)
                return Refused(f"API key refused: {error.message}")
            return refused(error)

        return await self.outcome(request, ok=ok, refused=read_refusal)

    def _headers(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        headers = {"accept": "application/json", "Content-Type": "application/json"}
        settings = self._settings
        if settings.api_key and settings.api_secret:
            headers["bsx-key"] = settings.api_key
            headers["bsx-secret"] = settings.api_secret.reveal()
        return headers


def _is_venues_word(status: int, error: wire.ErrorBody | None) -> bool:
    """Whether a refusal of the credentials is the venue's own: its numbers, or its words with the status for it."""
    if error is None or error.code in INDEFINITE_CODES:
        return False
    return error.code in (UNAUTHENTICATED, _DENIED) or status == 401


def unknown_unless_unauthenticated(error: wire.ErrorBody) -> Outcome:
    """Judge the refusal of a request for several orders: it does not say what became of each of them."""
    return Unknown(f"the whole request was refused: {error.message}")


def warn_of_skew(response: Response) -> None:
    """Log it if our clock and the venue's differ: nonces and the login are stamped by ours."""
    try:
        server_secs = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (ValueError, TypeError):
        return
    # The header has whole seconds.
    skew = max(server_secs - response.received_ns / 1e9, response.sent_ns / 1e9 - server_secs - 1.0)
    if skew > _MAX_SKEW_SECS:
        _log.warning("%s: our clock is off by about %.0f s; the venue may refuse logins and orders", VENUE, skew)
