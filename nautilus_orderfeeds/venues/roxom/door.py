"""The door of Roxom: the only file of this folder that knows the framework. Import its names from the folder."""

from decimal import Decimal
from typing import ClassVar, Final, Literal

from msgspec import structs
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import ClientId, Venue

from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig, OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.credentials import credential, env_name
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.factories import OrderFeedLiveDataClientFactory, OrderFeedLiveExecClientFactory
from nautilus_orderfeeds.venues.roxom.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.roxom.market import RoxomMarketFeed
from nautilus_orderfeeds.venues.roxom.settings import (
    BASE_URL_HTTP,
    BASE_URL_WS,
    DepthReading,
    FeesReading,
    RoxomSettings,
)
from nautilus_orderfeeds.venues.roxom.venue import RoxomVenue
from nautilus_orderfeeds.venues.secrets import Secret

ROXOM: Final = "ROXOM"
ROXOM_VENUE: Final = Venue(ROXOM)
ROXOM_CLIENT_ID: Final = ClientId(ROXOM)

_SECRETS: Final = frozenset({"api_key", "private_key", "api_secret"})


class RoxomDataClientConfig(OrderFeedDataClientConfig, frozen=True):
    """Configuration of a Roxom data client.

    Parameters
    ----------
    api_key, private_key, api_secret : str, optional
        As of `RoxomExecClientConfig`. The documents disagree on whether market data needs them.
    path_prefix : str
        Before every REST path.
    signature_header : str
        Header of the older scheme's signature.
    depth_reading : {"level1", "signed", "absolute"}
        What becomes a book: best bid and ask alone, or depth with deltas read as changes or as new sizes. Which of the
        two they are is not documented.
    requests_per_sec : int
        Limit of REST requests of this key; the venue's own is not known.
    stale_after_secs : float
        Silence before the connection is probed (a WebSocket ping).
    """

    SECRETS: ClassVar[frozenset[str]] = _SECRETS

    environment: Literal["live"] = "live"
    api_key: str | None = None
    private_key: str | None = None
    api_secret: str | None = None
    path_prefix: str = "/v1"
    signature_header: str = "X-API-SIGN"
    depth_reading: Literal["level1", "signed", "absolute"] = "level1"
    requests_per_sec: int = 10
    stale_after_secs: float = 20.0


class RoxomExecClientConfig(OrderFeedExecClientConfig, frozen=True):
    """Configuration of a Roxom execution client.

    Parameters
    ----------
    api_key : str, optional
        Id of the key; if None, sourced from ``ROXOM_API_KEY``.
    private_key : str, optional
        RSA key, PEM text or the path of a file with it; if None, from ``ROXOM_PRIVATE_KEY``.
    api_secret : str, optional
        Secret of the older scheme, used if there is no `private_key`; if None, from ``ROXOM_API_SECRET``.
    path_prefix : str
        Before every REST path: ``/v1``, or ``/api/v1`` as in the older documentation.
    signature_header : str
        Header of the older scheme's signature; ``X-API-SIGN``, ``X-API-Signature`` and ``X-API-SIGNATURE`` are
        documented.
    send_client_order_id : bool
        Send the client order id with new orders. No page lists it, and an unknown field could break the signature.
    filled_fees : {"cumulative", "per_fill"}
        What `filledFees` of order events says.
    maker_fee, taker_fee : Decimal, optional
        Fractions of the notional, for events without fees; if None, of the instrument.
    clock_tolerance_secs, match_window_secs : float
        An order whose create was not answered is looked for among those created from so long before to so long after
        it was sent.
    absent_after_secs : float
        After so long such an order counts as never received and is rejected; 0: never, since nothing at the venue makes
        it certain.
    requests_per_sec : int
        Limit of REST requests of this key; the venue's own is not known.
    stale_after_secs : float
        Silence before the connection is probed (a WebSocket ping).
    """

    SECRETS: ClassVar[frozenset[str]] = _SECRETS

    environment: Literal["live"] = "live"
    api_key: str | None = None
    private_key: str | None = None
    api_secret: str | None = None
    path_prefix: str = "/v1"
    signature_header: str = "X-API-SIGN"
    send_client_order_id: bool = False
    filled_fees: Literal["cumulative", "per_fill"] = "cumulative"
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    clock_tolerance_secs: float = 5.0
    match_window_secs: float = 20.0
    absent_after_secs: float = 0.0
    requests_per_sec: int = 10
    stale_after_secs: float = 20.0


def _settings(config: RoxomDataClientConfig | RoxomExecClientConfig) -> RoxomSettings:
    """Return the settings that execution and data have in common."""
    return RoxomSettings(
        base_url_http=config.base_url_http or BASE_URL_HTTP,
        base_url_ws=config.base_url_ws or BASE_URL_WS,
        path_prefix=config.path_prefix,
        api_key=credential(config.api_key, ROXOM, "api_key", config.environment),
        private_key=Secret(credential(config.private_key, ROXOM, "private_key", config.environment)),
        api_secret=Secret(credential(config.api_secret, ROXOM, "api_secret", config.environment)),
        signature_header=config.signature_header,
        requests_per_sec=config.requests_per_sec,
        env_prefix=env_name(ROXOM, "", config.environment),
    )


def _make_venue(config: RoxomExecClientConfig) -> RoxomVenue:
    settings = structs.replace(
        _settings(config),
        send_client_order_id=config.send_client_order_id,
        fees_reading=FeesReading(config.filled_fees),
        maker_fee=config.maker_fee,
        taker_fee=config.taker_fee,
        clock_tolerance_secs=config.clock_tolerance_secs,
        match_window_secs=config.match_window_secs,
        absent_after_secs=config.absent_after_secs,
        timeout_secs=config.request_timeout_secs,
    )
    return RoxomVenue(settings)


def _make_market(config: RoxomDataClientConfig) -> RoxomMarketFeed:
    return RoxomMarketFeed(structs.replace(_settings(config), depth_reading=DepthReading(config.depth_reading)))


DOOR: Final = Door(
    name=ROXOM,
    account_type=AccountType.MARGIN,
    make_venue=_make_venue,
    make_market=_make_market,
    capabilities=CAPABILITIES,
)


class RoxomLiveDataClientFactory(OrderFeedLiveDataClientFactory):
    """Makes Roxom data clients."""

    __name__ = "RoxomLiveDataClientFactory"
    door = DOOR


class RoxomLiveExecClientFactory(OrderFeedLiveExecClientFactory):
    """Makes Roxom execution clients."""

    __name__ = "RoxomLiveExecClientFactory"
    door = DOOR


__all__ = [
    "DOOR",
    "ROXOM",
    "ROXOM_CLIENT_ID",
    "ROXOM_VENUE",
    "RoxomDataClientConfig",
    "RoxomExecClientConfig",
    "RoxomLiveDataClientFactory",
    "RoxomLiveExecClientFactory",
]
