"""BSX's REST interface as reads and commands (protocol, 3.1, 4 and 11 row 3)."""

import logging
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, NotSent, NotServed, OutcomeUnknown, TransientFeedError
from nautilus_orderfeeds.feed.limits import EVERY_ROUTE, Priority, Rate, shared_limiter
from nautilus_orderfeeds.feed.outcomes import outcome_of, outcome_of_failure
from nautilus_orderfeeds.feed.rest import Params, Response, RestClient
from nautilus_orderfeeds.orders.requests import Outcome, Refused, Unknown
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.refusal import error_of as error_of
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.words import VENUE

_log = logging.getLogger(__name__)

#: gRPC numbers with which a gateway says that it does not know what happened behind it: cancelled, unknown,
#: deadline exceeded, exhausted (throttled), internal, unavailable, data loss.
INDEFINITE_CODES: Final = frozenset({1, 2, 4, 8, 13, 14, 15})

UNAUTHENTICATED: Final = 16
_DENIED: Final = 7
_UNAUTHORIZED_STATUSES: Final = frozenset({401, 403})

#: The path or the method is unknown there.
NOT_SERVED_STATUSES: Final = frozenset({404, 405, 501})

#: Asked for without credentials (protocol, 3.1).
_PUBLIC: Final = frozenset({"/products", "/chain/configs"})

#: Whoever serves none of these is no BSX.
_SIGNS: Final = frozenset({"/products", "/chain/configs", "/users/api-key"})

#: More is noticed by the venue's login (100 s are refused).
_MAX_SKEW_SECS: Final = 10.0


class Unreachable(TransientFeedError):
    """The host gave no answer at all."""


class BsxApi:
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
        self._settings = settings
        self._clock = clock
        self._missed: set[str] = set()
        #: Whether the venue has ever taken the credentials.
        self._worked = False
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

    async def read[T](self, path: str, decode: Callable[[bytes], T], params: Params = None) -> T:
        """Read something.

        Parameters
        ----------
        path : str
            Percent-encoded.
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
        response = await self.fetch(path, params)
        try:
            return decode(response.body)
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable answer to GET {path}: {exc}") from None

    async def optional[T](self, path: str, decode: Callable[[bytes], T], params: Params = None) -> T | None:
        """Read something that an installation may lack: None then, and a warning once; otherwise raises as `read`.

        What is not told stays unknown: nothing may be concluded from it.
        """
        try:
            return await self.read(path, decode, params)
        except NotServed as exc:
            if path not in self._missed:
                self._missed.add(path)
                _log.warning("%s; going on without what it would tell", exc)
            return None

    async def fetch(self, path: str, params: Params = None, *, repeat: bool = True) -> Response:
        """Read something, undecoded; raises as `read`. Tried again after a failure only if `repeat` says so."""
        try:
            response = await self._rest.request(
                "GET", path, params=params, auth=self._headers, priority=Priority.READ, repeat=repeat
            )
        except (NotSent, OutcomeUnknown) as exc:
            raise Unreachable(f"{VENUE}: cannot reach {self._settings.base_url_http}: {exc}") from None
        if response.ok:
            self._worked = self._worked or path not in _PUBLIC
            return response
        error = error_of(response)
        if response.status in _UNAUTHORIZED_STATUSES or (error is not None and error.code == UNAUTHENTICATED):
            said = f"{VENUE}: login refused for GET {path} ({response.excerpt()})"
            is_word = _is_venues_word(response.status, error)
            if self._worked and not is_word:
                # A key that has been good is not given up for what something in between says.
                raise TransientFeedError(said, retry_after_secs=response.retry_after_secs)
            between = "" if is_word else f"; or something in between answers for {self._settings.base_url_http}"
            raise FatalFeedError(
                f"{said}; check that {self._settings.variable('api_key')} and {self._settings.variable('api_secret')} "
                f"belong together, to this environment, and have not expired{between}"
            )
        if response.status in NOT_SERVED_STATUSES:
            raise NotServed(f"{VENUE}: GET {path} is not served here ({response.excerpt()})")
        raise TransientFeedError(
            f"{VENUE}: GET {path} failed with {response.excerpt()}", retry_after_secs=response.retry_after_secs
        )

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
        try:
            warn_of_skew(await self._probed())
        except Unreachable:
            raise
        except NotServed as exc:
            self._missed.add("/products")
            _log.warning("%s", exc)
        except TransientFeedError as exc:
            _log.warning("%s", exc)

    async def _probed(self) -> Response:
        """Ask for the listing; a host that is silent is named at once, one that fails quickly is tried again."""
        began_secs = self._clock.monotonic()
        try:
            return await self.fetch("/products", repeat=False)
        except Unreachable:
            if self._clock.monotonic() - began_secs >= self._settings.timeout_secs:
                raise
        return await self.fetch("/products")

    def check_served(self) -> None:
        """Check that something of the venue's is served at all.

        Raises
        ------
        FatalFeedError
            If it is some other host that answers.
        """
        if self._missed >= _SIGNS:
            raise FatalFeedError(
                f"{VENUE}: {self._settings.base_url_http} answers, but serves none of {', '.join(sorted(_SIGNS))}: "
                "is this the venue's REST address (`base_url_http`)?"
            )

    async def command(
        self,
        method: str,
        path: str,
        *,
        ok: Callable[[Response], Outcome],
        params: Params = None,
        body: bytes | None = None,
        priority: Priority = Priority.NORMAL,
        refused: Callable[[wire.ErrorBody], Outcome | None] | None = None,
    ) -> Outcome:
        """Send a command, once.

        Parameters
        ----------
        method, path, params, body
            The request.
        ok : Callable[[Response], Outcome]
            Reads the answer of a success; raises if it cannot.
        priority : Priority
            Who goes first when the rate limit makes requests wait.
        refused : Callable[[ErrorBody], Outcome or None], optional
            Judges a refusal of the venue's own; the default takes it as definite.

        Returns
        -------
        Outcome
        """
        judge = refused or _refused

        def read_refusal(response: Response) -> Outcome | None:
            error = error_of(response)
            if error is None or error.code in INDEFINITE_CODES:
                return None
            if response.status == 401 or error.code == UNAUTHENTICATED:
                _log.error("%s: API key refused (%s); it may have expired", VENUE, error.message)
                return Refused(f"API key refused: {error.message}")
            return judge(error)

        try:
            response = await self._rest.request(
                method, path, params=params, body=body, auth=self._headers, priority=priority
            )
        except (NotSent, OutcomeUnknown) as exc:
            return outcome_of_failure(exc)
        return outcome_of(response, ok=ok, refused=read_refusal)

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


def _refused(error: wire.ErrorBody) -> Outcome:
    return Refused(error.message or f"refused with code {error.code}")


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
