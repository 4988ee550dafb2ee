"""By what REST knows whose account it is: the key itself, or a user token of an enterprise key (protocol, 3).

A user token lives for a day at most. It is renewed when half of its life is over, so that a venue which cannot be
reached for hours does no harm, and at once when the venue refuses it.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from nautilus_orderfeeds.feed.backoff import Backoff
from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, NotSent, OutcomeUnknown, TransientFeedError
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.rest import Response, RestClient
from nautilus_orderfeeds.venues.rest_api import NOT_SERVED_STATUSES
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.words import VENUE
from nautilus_orderfeeds.venues.times import parse_iso

_log = logging.getLogger(__name__)

_NS_PER_SEC: Final = 1_000_000_000
_MAX_LIFE_SECS: Final = 86_400.0
#: However short a token's life seems to be (clocks differ), it is not renewed more often than this.
_MIN_INTERVAL_SECS: Final = 0.5
_UNAUTHORIZED: Final = frozenset({401, 403, 404})


class Credentials:
    """What signs the requests of one account.

    Parameters
    ----------
    settings : SfoxSettings
        Key and, of an enterprise key, the end user.
    rest : RestClient
        The way to the venue.
    clock : Clock
        Source of time.
    """

    def __init__(self, settings: SfoxSettings, rest: RestClient, clock: Clock) -> None:
        self._settings = settings
        self._rest = rest
        self._clock = clock
        self._token = Secret("") if self.renewable else settings.api_key
        self._renew_at = 0.0
        self._lock = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        #: Tokens made so far.
        self.minted = 0
        #: The token in use was refused, and whether there can be a new one is not known: the venue could not be asked.
        self.is_lapsed = False

    @property
    def renewable(self) -> bool:
        """Whether the account is known by a token that can be made anew."""
        return self._settings.enterprise and bool(self._settings.user_id)

    @property
    def current(self) -> Secret:
        """The key or token in use, for comparison with a later one."""
        return self._token

    def headers(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        """Return the headers of a request for the account (a `Signer`)."""
        return _bearer(self._token)

    async def open(self) -> None:
        """Make the first token and keep it fresh; nothing to do for a plain key.

        Raises
        ------
        FatalFeedError
            If the key or the user is refused.
        TransientFeedError
            If the venue cannot be reached now.
        """
        if not self.renewable:
            return
        await self._mint()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_fresh(), name=f"{VENUE} user token")

    async def close(self) -> None:
        """End the renewing; idempotent."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper})

    async def replace(self, refused: Secret) -> bool:
        """Make a new token because the venue refused `refused`; return whether there is a newer one now."""
        if not self.renewable:
            return False
        async with self._lock:
            if self._token is not refused:
                return True
            try:
                await self._mint()
            except FeedError as exc:
                _log.error("%s: the user token was refused and no new one could be had: %s", VENUE, exc)
                self.is_lapsed = isinstance(exc, TransientFeedError)
                return False
            return True

    async def _keep_fresh(self) -> None:
        backoff = Backoff(initial_secs=5.0, cap_secs=300.0)
        while True:
            await self._clock.sleep(max(self._renew_at - self._clock.monotonic(), 0.0))
            token = self._token
            try:
                async with self._lock:
                    if self._token is token:
                        await self._mint()
                backoff.lived(_MAX_LIFE_SECS)
            except FeedError as exc:
                delay_secs = backoff.next_delay_secs()
                _log.error("%s: the user token could not be renewed, again in %.0f s: %s", VENUE, delay_secs, exc)
                self._renew_at = self._clock.monotonic() + max(delay_secs, _MIN_INTERVAL_SECS)

    async def _mint(self) -> None:
        user_id = self._settings.user_id
        path = f"/v1/enterprise/user-tokens/{quote(user_id, safe='')}"
        try:
            response = await self._rest.request(
                "POST", path, auth=lambda *_: _bearer(self._settings.api_key), priority=Priority.CANCEL
            )
        except (NotSent, OutcomeUnknown) as exc:
            raise TransientFeedError(f"{VENUE}: no user token: {exc}") from None
        if self._has_no_tokens(response):
            # Never at the venue itself: there an order with the partner's own key would be the partner's order.
            _log.error(
                "%s: %s makes no user tokens (HTTP %d): the key itself stands for user %r",
                VENUE,
                self._settings.base_url_http,
                response.status,
                user_id,
            )
            self._token = self._settings.api_key
            self._renew_at = self._clock.monotonic() + _MAX_LIFE_SECS
            return
        if not response.ok:
            raise self._refused(response)
        try:
            answer = wire.USER_TOKEN_ANSWER.decode(response.body).data
        except wire.DECODE_ERRORS:
            # The answer may hold a token: it is not shown.
            raise TransientFeedError(f"{VENUE}: unreadable answer to POST {path}; expected protocol 3") from None
        if answer.partner_user_id not in (None, user_id):
            raise FatalFeedError(
                f"{VENUE}: asked for a token of user {user_id!r}, received one of {answer.partner_user_id!r}"
            )
        if not answer.token:
            raise TransientFeedError(f"{VENUE}: the venue gave an empty user token")
        self._token = Secret(answer.token)
        self._renew_at = self._clock.monotonic() + max(_life_secs(answer, response) / 2, _MIN_INTERVAL_SECS)
        self.minted += 1
        self.is_lapsed = False

    def _has_no_tokens(self, response: Response) -> bool:
        """Return whether an installation of somebody else's has no such call: no error of the venue's own words."""
        if response.status not in NOT_SERVED_STATUSES or not self._settings.is_elsewhere:
            return False
        try:
            return not wire.ERROR_BODY.decode(response.body).text
        except wire.DECODE_ERRORS:
            return True

    def _refused(self, response: Response) -> FatalFeedError | TransientFeedError:
        said = f"{VENUE}: no token for user {self._settings.user_id!r} ({response.excerpt()})"
        if response.status in _UNAUTHORIZED:
            variables = f"{self._settings.variable('api_key')} is an enterprise key and knows that user"
            return FatalFeedError(f"{said}; check that {variables}")
        return TransientFeedError(said, retry_after_secs=response.retry_after_secs)


def _bearer(secret: Secret) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {secret.reveal()}", "Accept": "application/json"}


def _life_secs(token: wire.UserToken, response: Response) -> float:
    """Return how long a token just made lives, by the venue's own clock where the answer shows it.

    One that makes no sense counts for a whole day: a token that ends before is replaced when the venue refuses it.
    """
    now_ns = response.received_ns
    with suppress(ValueError, TypeError, OverflowError):
        now_ns = int(parsedate_to_datetime(response.headers.get("Date", "")).timestamp()) * _NS_PER_SEC
    life_secs = (parse_iso(token.expires) - now_ns) / _NS_PER_SEC
    return life_secs if 0 < life_secs <= _MAX_LIFE_SECS else _MAX_LIFE_SECS
