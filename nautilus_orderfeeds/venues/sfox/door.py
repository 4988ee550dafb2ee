"""The door of sFOX: the only file of this folder that knows the framework. Import its names from the folder."""

from typing import ClassVar, Final, Literal

from msgspec import structs
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import ClientId, Venue

from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig, OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.credentials import credential, env_name
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.factories import OrderFeedLiveDataClientFactory, OrderFeedLiveExecClientFactory
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.sfox.market import SfoxMarketFeed
from nautilus_orderfeeds.venues.sfox.settings import (
    ADDRESSES,
    BookKind,
    CrossedBooks,
    EnterpriseFlag,
    Limits,
    SfoxEnvironment,
    SfoxSettings,
)
from nautilus_orderfeeds.venues.sfox.venue import SfoxVenue
from nautilus_orderfeeds.venues.sfox.words import RoutingType

SFOX: Final = "SFOX"
SFOX_VENUE: Final = Venue(SFOX)
SFOX_CLIENT_ID: Final = ClientId(SFOX)

RoutingName = Literal["NetPrice", "Smart"]


class SfoxDataClientConfig(OrderFeedDataClientConfig, frozen=True):
    """Configuration of an sFOX data client.

    Parameters
    ----------
    environment : {"live", "sandbox"}
        Installation to connect to.
    api_key : str, optional
        If None, sourced from ``SFOX_API_KEY`` (``SFOX_SANDBOX_API_KEY`` for the sandbox).
    enterprise : bool
        The key is an enterprise key.
    enterprise_flag : {"boolean", "string"}
        How the login says so; the venue's pages differ.
    routing_type : {"NetPrice", "Smart"}, optional
        Which of the account's fee rates is an instrument's taker fee.
    book : {"net", "sfox"}
        Order books with fees in the prices, or raw ones.
    crossed_books : {"drop", "pass"}
        What becomes of a book whose best bid is not below its best ask.
    fiat_price_places, crypto_price_places : int
        Decimals an order's price may have, by quote currency.
    sequence_grace_secs : float, optional
        How long a skipped frame may come later than its successors before the stream is opened anew; None: frames'
        numbers are not watched (that they count the frames of a connection is inferred from samples).
    rest_requests : int
        REST requests of this process in 10 seconds (the venue allows 250 an address).
    ws_requests_per_min : int
        WebSocket requests of this process (the venue allows 40 an address).
    limit_time_scale : float
        Factor on every window and wait of the venue's limits; less than 1 for the simulated venue with scaled time.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"api_key"})

    environment: Literal["live", "sandbox"] = "live"
    api_key: str | None = None
    enterprise: bool = False
    enterprise_flag: Literal["boolean", "string"] = "boolean"
    routing_type: RoutingName | None = "NetPrice"
    book: Literal["net", "sfox"] = "net"
    crossed_books: Literal["drop", "pass"] = "drop"
    fiat_price_places: int = 2
    crypto_price_places: int = 8
    sequence_grace_secs: float | None = 1.0
    rest_requests: int = 225
    ws_requests_per_min: int = 36
    limit_time_scale: float = 1.0


class SfoxExecClientConfig(OrderFeedExecClientConfig, frozen=True):
    """Configuration of an sFOX execution client.

    Parameters
    ----------
    environment : {"live", "sandbox"}
        Installation to connect to.
    api_key : str, optional
        Of the account, or the enterprise key; if None, sourced from ``SFOX_API_KEY`` (``SFOX_SANDBOX_API_KEY``).
    enterprise : bool
        The key is an enterprise key; all clients of it in a process share one stream.
    user_id : str, optional
        The end user whose account is traded, needed with an enterprise key; if None, from ``SFOX_USER_ID``.
    enterprise_flag : {"boolean", "string"}
        How the login says that it is an enterprise key; the venue's pages differ.
    onboarding_events : bool
        Subscribe also to the feed that tells of end users who come to be, published as custom data; all clients of the
        key must agree. Tokens in it are removed before anything else sees them.
    routing_type : {"NetPrice", "Smart"}, optional
        Sent with orders whose `params` name none; None: left out.
    fiat_price_places, crypto_price_places : int
        Decimals an order's price may have, by quote currency; the venue's pages differ.
    allow_negative_balances : bool
        Start although the account owes something (credit, shorting); such currencies are shown as zero.
    absent_after_secs : float
        How long an order whose submission was not answered must be unknown to the venue to count as never received.
    settle_secs : float
        How long the orders feed waits for the trades feed before fills are read over REST, and then inferred.
    sequence_grace_secs : float, optional
        How long a skipped frame may come later than its successors before the stream is opened anew; None: frames'
        numbers are not watched (that they count the frames of a connection is inferred from samples).
    rest_requests : int
        REST requests of this process in 10 seconds (the venue allows 250 an address).
    ws_requests_per_min : int
        WebSocket requests of this process (the venue allows 40 an address); a connection takes two.
    limit_time_scale : float
        Factor on every window and wait of the venue's limits; less than 1 for the simulated venue with scaled time.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"api_key"})

    environment: Literal["live", "sandbox"] = "live"
    api_key: str | None = None
    enterprise: bool = False
    user_id: str | None = None
    enterprise_flag: Literal["boolean", "string"] = "boolean"
    onboarding_events: bool = False
    routing_type: RoutingName | None = "NetPrice"
    fiat_price_places: int = 2
    crypto_price_places: int = 8
    allow_negative_balances: bool = False
    absent_after_secs: float = 120.0
    settle_secs: float = 3.0
    sequence_grace_secs: float | None = 1.0
    rest_requests: int = 225
    ws_requests_per_min: int = 36
    limit_time_scale: float = 1.0


def _settings(config: SfoxDataClientConfig | SfoxExecClientConfig) -> SfoxSettings:
    """Return the settings that execution and data have in common."""
    addresses = ADDRESSES[SfoxEnvironment(config.environment)]
    return SfoxSettings(
        base_url_http=config.base_url_http or addresses.http,
        base_url_ws=config.base_url_ws or addresses.ws,
        api_key=Secret(credential(config.api_key, SFOX, "api_key", config.environment)),
        enterprise=config.enterprise,
        enterprise_flag=EnterpriseFlag(config.enterprise_flag),
        routing_type=None if config.routing_type is None else RoutingType(config.routing_type),
        fiat_price_places=config.fiat_price_places,
        crypto_price_places=config.crypto_price_places,
        sequence_grace_secs=config.sequence_grace_secs,
        limits=Limits(
            rest_requests=config.rest_requests,
            ws_requests_per_min=config.ws_requests_per_min,
            time_scale=config.limit_time_scale,
        ),
        env_prefix=env_name(SFOX, "", config.environment),
    )


def _make_venue(config: SfoxExecClientConfig) -> SfoxVenue:
    user_id = config.user_id
    if user_id is None and config.enterprise:
        user_id = credential(None, SFOX, "user_id", config.environment)
    settings = structs.replace(
        _settings(config),
        user_id=user_id or "",
        onboarding_events=config.onboarding_events,
        allow_negative_balances=config.allow_negative_balances,
        absent_after_secs=config.absent_after_secs,
        timeout_secs=config.request_timeout_secs,
    )
    return SfoxVenue(settings)


def _make_market(config: SfoxDataClientConfig) -> SfoxMarketFeed:
    settings = structs.replace(
        _settings(config), book=BookKind(config.book), crossed_books=CrossedBooks(config.crossed_books)
    )
    return SfoxMarketFeed(settings)


DOOR: Final = Door(
    name=SFOX,
    account_type=AccountType.CASH,
    make_venue=_make_venue,
    make_market=_make_market,
    capabilities=CAPABILITIES,
    environments=("live", "sandbox"),
)


class SfoxLiveDataClientFactory(OrderFeedLiveDataClientFactory):
    """Makes sFOX data clients."""

    __name__ = "SfoxLiveDataClientFactory"
    door = DOOR


class SfoxLiveExecClientFactory(OrderFeedLiveExecClientFactory):
    """Makes sFOX execution clients."""

    __name__ = "SfoxLiveExecClientFactory"
    door = DOOR


__all__ = [
    "DOOR",
    "SFOX",
    "SFOX_CLIENT_ID",
    "SFOX_VENUE",
    "SfoxDataClientConfig",
    "SfoxExecClientConfig",
    "SfoxLiveDataClientFactory",
    "SfoxLiveExecClientFactory",
]
