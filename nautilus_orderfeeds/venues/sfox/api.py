"""sFOX's REST interface as reads and commands (protocol, 3, 7 and 9)."""

import logging
from collections.abc import Callable
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Response, RestClient
from nautilus_orderfeeds.orders.requests import Outcome, Refused
from nautilus_orderfeeds.venues.rest_api import Request, RestApi
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.limits import RestLimits
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.tokens import Credentials
from nautilus_orderfeeds.venues.sfox.words import VENUE

_log = logging.getLogger(__name__)

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


def refused_for_good(error: wire.ErrorBody) -> Outcome:
    """Judge a refusal that is definite."""
    return Refused(error.text)


class SfoxApi(RestApi):
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
        limits = RestLimits(settings, clock)
        rest = RestClient(settings.base_url_http, clock=clock, limiter=limits, timeout_secs=settings.timeout_secs)
        self.credentials = Credentials(settings, rest, clock)
        super().__init__(VENUE, settings.base_url_http, rest, self.credentials.headers)
        self._settings = settings
        # Whether the credentials have been good for anything yet.
        self._worked = False

    async def close(self) -> None:
        """End the renewing of tokens and close all connections."""
        await self.credentials.close()
        await super().close()

    async def fetch(self, path: str, *, priority: Priority = Priority.READ) -> Response:
        """Read something undecoded, whatever the venue answers but a refusal of the credentials; raises as `read`."""
        response = await self.get(Request("GET", path, priority=priority))
        self._check_credentials(path, response)
        return response

    def check(self, path: str, response: Response) -> None:
        """Raise what the answer to a read means, if it is no success (protocol, 3)."""
        self._check_credentials(path, response)
        super().check(path, response)

    def _check_credentials(self, path: str, response: Response) -> None:
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
            if error is None:
                return None
            if response.status in (_UNAUTHORIZED, _FORBIDDEN):
                _log.error("%s: the venue refused the key or token: %s", VENUE, error.text)
                return Refused(f"key or token refused: {error.text}")
            return refused(error)

        return await self.outcome(request, ok=ok, refused=read_refusal)

    async def exchange(self, request: Request) -> Response:
        """Send a request; once more, with a new user token, if the venue refused the one in use (protocol, 3)."""
        used = self.credentials.current
        response = await super().exchange(request)
        # A refused token is definite evidence that nothing took effect, so even a new order may go out again.
        if response.status == _UNAUTHORIZED and await self.credentials.replace(used):
            response = await super().exchange(request)
        return response


def error_of(response: Response) -> wire.ErrorBody | None:
    """Return the venue's own error in `response`, or None if its body is none."""
    try:
        error = wire.ERROR_BODY.decode(response.body)
    except wire.DECODE_ERRORS:
        return None
    return error if error.text else None
