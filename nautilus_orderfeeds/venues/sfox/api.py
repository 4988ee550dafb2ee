"""sFOX's REST interface as reads and commands (protocol, 3, 7 and 9)."""

import logging
from collections.abc import Callable
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, NotSent, NotServed, OutcomeUnknown, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.outcomes import outcome_of, outcome_of_failure
from nautilus_orderfeeds.feed.rest import Params, Response, RestClient
from nautilus_orderfeeds.orders.requests import Outcome, Refused
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.limits import RestLimits
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.tokens import Credentials
from nautilus_orderfeeds.venues.sfox.words import VENUE

_log = logging.getLogger(__name__)

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403

#: The path or the method is unknown there.
NOT_SERVED_STATUSES: Final = frozenset({404, 405, 501})


class SfoxApi:
    """Sends requests for one account.

    Parameters
    ----------
    settings : SfoxSettings
        Address, credentials, limits.
    clock : Clock
        Source of time.

    Notes
    -----
    Made in a running event loop: clients in one loop share the limits.
    """

    def __init__(self, settings: SfoxSettings, clock: Clock) -> None:
        self._settings = settings
        self._rest = RestClient(
            settings.base_url_http,
            clock=clock,
            limiter=RestLimits(settings, clock),
            timeout_secs=settings.timeout_secs,
        )
        self._missed: set[str] = set()
        # Whether the credentials have been good for anything yet.
        self._worked = False
        self.credentials = Credentials(settings, self._rest, clock)

    async def close(self) -> None:
        """End the renewing of tokens and close all connections."""
        await self.credentials.close()
        await self._rest.close()

    async def read[T](
        self,
        path: str,
        decode: Callable[[bytes], T],
        params: Params = None,
        *,
        route: str = "",
        priority: Priority = Priority.READ,
    ) -> T:
        """Read something.

        Parameters
        ----------
        path : str
            Percent-encoded.
        decode : Callable[[bytes], T]
            Reads the body; raises `FrameError` or `ValueError`.
        params : optional
            The query.
        route : str
            Name of the rate limit.
        priority : Priority
            Who goes first when a limit makes requests wait.

        Raises
        ------
        FatalFeedError
            If the credentials are refused.
        TransientFeedError
            If it could not be read now.
        FrameError
            If the answer cannot be understood.
        """
        response = await self.fetch(path, params, route=route, priority=priority)
        if response.status in NOT_SERVED_STATUSES:
            raise NotServed(f"{VENUE}: GET {path} is not served here ({response.excerpt()})")
        if not response.ok:
            raise TransientFeedError(
                f"{VENUE}: GET {path} failed with {response.excerpt()}", retry_after_secs=response.retry_after_secs
            )
        try:
            return decode(response.body)
        except ValueError as exc:
            raise TransientFeedError(f"{VENUE}: unreadable answer to GET {path}: {exc}") from None

    async def optional[T](
        self,
        path: str,
        decode: Callable[[bytes], T],
        params: Params = None,
        *,
        route: str = "",
        priority: Priority = Priority.READ,
    ) -> T | None:
        """Read something that an installation may lack: None then, and a warning once; otherwise raises as `read`.

        What is not told stays unknown: nothing may be concluded from it.
        """
        try:
            return await self.read(path, decode, params, route=route, priority=priority)
        except NotServed as exc:
            if path not in self._missed:
                self._missed.add(path)
                _log.warning("%s; going on without what it would tell", exc)
            return None

    async def fetch(
        self, path: str, params: Params = None, *, route: str = "", priority: Priority = Priority.READ
    ) -> Response:
        """Read something undecoded, whatever the venue answers but a refusal of the credentials; raises as `read`."""
        try:
            response = await self._exchange("GET", path, params, None, route, priority)
        except (NotSent, OutcomeUnknown) as exc:
            raise TransientFeedError(f"{VENUE}: cannot reach {self._settings.base_url_http}: {exc}") from None
        if response.status in (_UNAUTHORIZED, _FORBIDDEN):
            said = f"{VENUE}: refused GET {path} ({response.excerpt()})"
            if self.credentials.is_lapsed or (self._worked and error_of(response) is None):
                # No word of the venue against the key: a token that could not be renewed yet, or a gateway in between.
                raise TransientFeedError(said)
            raise FatalFeedError(
                f"{said}; check that {self._settings.variable('api_key')} is right, of this environment, allowed from "
                "this address, and may read the account"
            )
        self._worked = self._worked or response.ok
        return response

    async def command(
        self,
        method: str,
        path: str,
        *,
        ok: Callable[[Response], Outcome],
        params: Params = None,
        body: bytes | None = None,
        route: str = "",
        priority: Priority = Priority.NORMAL,
        refused: Callable[[wire.ErrorBody], Outcome | None] | None = None,
    ) -> Outcome:
        """Send a command, once (twice, if the venue refused the user token before it looked at the command).

        Parameters
        ----------
        method, path, params, body
            The request.
        ok : Callable[[Response], Outcome]
            Reads the answer of a success; raises if it cannot.
        route : str
            Name of the rate limit.
        priority : Priority
            Who goes first when a limit makes requests wait.
        refused : Callable[[ErrorBody], Outcome or None], optional
            Judges a refusal of the venue's own; the default takes it as definite.

        Returns
        -------
        Outcome
        """

        def read_refusal(response: Response) -> Outcome | None:
            error = error_of(response)
            if error is None:
                return None
            if response.status in (_UNAUTHORIZED, _FORBIDDEN):
                _log.error("%s: the venue refused the key or token: %s", VENUE, error.text)
                return Refused(f"key or token refused: {error.text}")
            return Refused(error.text) if refused is None else refused(error)

        try:
            response = await self._exchange(method, path, params, body, route, priority)
        except (NotSent, OutcomeUnknown) as exc:
            return outcome_of_failure(exc)
        return outcome_of(response, ok=ok, refused=read_refusal)

    async def _exchange(
        self, method: str, path: str, params: Params, body: bytes | None, route: str, priority: Priority
    ) -> Response:
        used = self.credentials.current
        for last in (False, True):
            response = await self._rest.request(
                method, path, params=params, body=body, route=route, auth=self.credentials.headers, priority=priority
            )
            # A refused token is definite evidence that nothing took effect, so even a new order may go out again.
            if last or response.status != _UNAUTHORIZED or not await self.credentials.replace(used):
                break
        return response


def error_of(response: Response) -> wire.ErrorBody | None:
    """Return the venue's own error in `response`, or None if its body is none."""
    try:
        error = wire.ERROR_BODY.decode(response.body)
    except wire.DECODE_ERRORS:
        return None
    return error if error.text else None
