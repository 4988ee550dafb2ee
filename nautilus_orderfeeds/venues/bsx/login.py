"""Whose account it is: the signing domain, the wallet and the API key (protocol, 3.2 and 3.4)."""

import logging
from typing import Any, Final

import msgspec

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError, TransientFeedError
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.account import decode_portfolio
from nautilus_orderfeeds.venues.bsx.api import BsxApi
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings
from nautilus_orderfeeds.venues.bsx.signing import PUBLISHED_DOMAIN, OrderSigner, checked_address, decode_domain
from nautilus_orderfeeds.venues.bsx.words import VENUE

_log = logging.getLogger(__name__)


class _Keys(msgspec.Struct):
    """Answer to ``GET /users/api-key``, its rows undecoded: one unreadable must not hide our own."""

    api_keys: list[dict[str, Any]] | None = None


_keys: Final = wire.decoder(_Keys)

_NS_PER_HOUR: Final = 3_600_000_000_000

#: A key that expires within this is warned of.
_EXPIRY_NOTICE_NS: Final = 24 * _NS_PER_HOUR


async def log_in(api: BsxApi, settings: BsxSettings, clock: Clock) -> OrderSigner:
    """Check the credentials against the venue and make the account's signer.

    Raises
    ------
    FatalFeedError
        Naming the credential that is wrong.
    TransientFeedError
        If the venue cannot be asked now.
    """
    domain = await api.optional("/chain/configs", decode_domain)
    if domain is None:
        _log.warning("%s: orders are signed for the contract that was published last", VENUE)
        domain = PUBLISHED_DOMAIN
    key = await own_key(api, settings)
    if key is not None:
        warn_of_expiry(key, clock)
    else:
        api.check_served()
    if key is not None and key.sender:
        account = key.sender
    elif settings.wallet_address:
        account = ""
    else:
        portfolio = await api.optional("/portfolio/detail", decode_portfolio)
        account = (portfolio and portfolio.account) or ""
    sender = _sender(settings, account)
    try:
        signer = OrderSigner(domain, sender, settings.signer_key.reveal())
    except ValueError as exc:
        raise FatalFeedError(f"{VENUE}: {exc}; check {settings.variable('signer_key')}") from None
    if key is not None and key.signer and checked_address(key.signer) != signer.address:
        raise FatalFeedError(
            f"{VENUE}: {settings.variable('signer_key')} is the key of {signer.address}, but the API key is registered "
            f"for the signer {key.signer.lower()}: every order would be refused"
        )
    return signer


async def own_key(api: BsxApi, settings: BsxSettings) -> wire.ApiKey | None:
    """Return what the venue knows of our API key; None if it does not list it.

    Raises
    ------
    FatalFeedError
        If the credentials are refused.
    TransientFeedError
        If the venue cannot be asked now.
    """
    keys = await api.optional("/users/api-key", _decode_keys)
    if keys is None:
        return None
    own = next((key for key in keys if key.api_key == settings.api_key), None)
    if own is None:
        _log.warning("%s: our API key is not in the account's list of %d; its expiry is unknown", VENUE, len(keys))
    return own


def warn_of_expiry(key: wire.ApiKey, clock: Clock) -> None:
    """Log it if the key expires soon."""
    if not key.expired_at:
        return
    left_ns = key.expired_at - clock.time_ns()
    if left_ns <= 0:
        _log.error("%s: the API key has expired; make a new one", VENUE)
    elif left_ns < _EXPIRY_NOTICE_NS:
        _log.warning("%s: the API key expires in %.1f hours; make a new one", VENUE, left_ns / _NS_PER_HOUR)


def _sender(settings: BsxSettings, account: str) -> str:
    """Return the wallet's address, checked against what the venue says."""
    configured, variable = settings.wallet_address, settings.variable("wallet_address")
    try:
        told = checked_address(account) if account else ""
    except ValueError as exc:
        raise TransientFeedError(f"{VENUE}: the venue's address of the account is unreadable: {exc}") from None
    if not configured:
        if not told:
            raise FatalFeedError(f"{VENUE}: the venue does not say whose API key it is; set {variable}")
        return told
    try:
        wallet = checked_address(configured)
    except ValueError as exc:
        raise FatalFeedError(f"{VENUE}: {exc}; check {variable}") from None
    if told and told != wallet:
        raise FatalFeedError(
            f"{VENUE}: {variable} is {wallet}, but the API key belongs to {told}: every order would be refused"
        )
    return wallet


def _decode_keys(body: bytes) -> list[wire.ApiKey]:
    # Never a `FrameError`: that shows what was received, and this answer holds the secret.
    try:
        rows = _keys.decode(body).api_keys or []
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise TransientFeedError(f"{VENUE}: unreadable list of API keys ({exc}); expected protocol 3.2") from None
    found: list[wire.ApiKey] = []
    for row in rows:
        told = {key: value for key, value in row.items() if value is not None and value != ""}
        try:
            found.append(msgspec.convert(told, wire.ApiKey, strict=False))
        except msgspec.MsgspecError as exc:
            _log.warning("%s: an API key in the account's list is unreadable (%s); expected protocol 3.2", VENUE, exc)
    return found
