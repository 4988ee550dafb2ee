"""The door of Outpoll: the only file of this folder that knows the framework. Import its names from the folder."""

from typing import ClassVar, Final, Literal

from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import ClientId, Venue

from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig, OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.credentials import credential, env_name
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.factories import OrderFeedLiveDataClientFactory, OrderFeedLiveExecClientFactory
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.outpoll.assumed import (
    ACTIVE_FIELDS,
    TPSL_FIELDS,
    check_map,
    check_trade_map,
)
from nautilus_orderfeeds.venues.outpoll.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.outpoll.market import OutpollMarketFeed
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.venue import OutpollVenue
from nautilus_orderfeeds.venues.outpoll.words import status_map
from nautilus_orderfeeds.venues.secrets import Secret

OUTPOLL: Final = "OUTPOLL"
OUTPOLL_VENUE: Final = Venue(OUTPOLL)
OUTPOLL_CLIENT_ID: Final = ClientId(OUTPOLL)


class OutpollDataClientConfig(OrderFeedDataClientConfig, frozen=True):
    """Configuration of an Outpoll data client (no credentials needed; `instruments` is required).

    Parameters
    ----------
    pong_reply : bool
        Answer the venue's PING; whether it wants that is not documented.
    """

    environment: Literal["live"] = "live"
    pong_reply: bool = False


class OutpollExecClientConfig(OrderFeedExecClientConfig, frozen=True):
    """Configuration of an Outpoll execution client. What the venue does not document has its safe default.

    Parameters
    ----------
    api_key, api_secret : str, optional
        If None, sourced from ``OUTPOLL_API_KEY`` and ``OUTPOLL_API_SECRET``.
    requests_per_sec : int
        Limit of REST requests to each of the venue's hosts; the venue's own is not known.
    read_settle_secs : float
        How long the venue's lists may lag behind what happened: before, absence from them proves nothing.
    read_gap_secs : float
        Least distance of the two readings that must agree.
    accept_secs : float
        An order taken by the venue counts as live after so long without FAILED.
    absent_after_secs : float, optional
        An order whose answer was lost, and that no list shows for so long, is told as rejected; one that was taken, and
        that no list ever shows, as canceled. The venue accepts no request older than 30 s, but how late its lists may
        be is not known; None: it stays as it is.
    order_statuses : dict[str, str], optional
        The venue's status words -> PENDING, WORKING, FILLED, CANCELED, EXPIRED or REJECTED, beyond the presets.
    trades_fields : dict[str, str], optional
        Field map of ``/api/history/trades`` (`assumed.TRADE_FIELDS`); None: fills are derived.
    active_fields : dict[str, str], optional
        Field map of what active orders have besides the documented fields (`assumed.ACTIVE_FIELDS`).
    tpsl_fields : dict[str, str], optional
        Field map of ``/orders/tpsl`` (`assumed.TPSL_FIELDS`).
    trust_closed_quantity : bool
        `q` of every ended order in the history is its filled quantity, not only of FILLED ones.
    active_quantity_is_remaining : bool
        `quantity` of an active order is what is left of it.
    tpsl : bool
        An OCO pair of closing SELLs is placed as the venue's take-profit/stop-loss.
    order_feed : bool
        Listen to the Order Feed too, as a second wake-up.
    pong_reply : bool
        Answer the venue's PING; whether it wants that is not documented.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"api_key", "api_secret"})

    environment: Literal["live"] = "live"
    api_key: str | None = None
    api_secret: str | None = None
    requests_per_sec: int = 5
    read_settle_secs: float = 6.0
    read_gap_secs: float = 1.0
    accept_secs: float = 3.0
    absent_after_secs: float | None = None
    order_statuses: dict[str, str] | None = None
    trades_fields: dict[str, str] | None = None
    active_fields: dict[str, str] | None = None
    tpsl_fields: dict[str, str] | None = None
    trust_closed_quantity: bool = False
    active_quantity_is_remaining: bool = False
    tpsl: bool = False
    order_feed: bool = False
    pong_reply: bool = False


def _make_venue(config: OutpollExecClientConfig) -> OutpollVenue:
    try:
        settings = _settings(config)
    except ValueError as exc:
        raise FatalFeedError(f"{OUTPOLL}: {exc}") from None
    return OutpollVenue(settings)


def _settings(config: OutpollExecClientConfig) -> OutpollSettings:
    active = config.active_fields or {}
    check_map("active_fields", active, ACTIVE_FIELDS)
    tpsl = {**TPSL_FIELDS, **(config.tpsl_fields or {})}
    check_map("tpsl_fields", tpsl, tuple(TPSL_FIELDS))
    return OutpollSettings(
        base_url_http=config.base_url_http or "",
        base_url_ws=config.base_url_ws or "",
        api_key=credential(config.api_key, OUTPOLL, "api_key", config.environment),
        api_secret=Secret(credential(config.api_secret, OUTPOLL, "api_secret", config.environment)),
        requests_per_sec=config.requests_per_sec,
        timeout_secs=config.request_timeout_secs,
        read_settle_secs=config.read_settle_secs,
        read_gap_secs=config.read_gap_secs,
        accept_secs=config.accept_secs,
        absent_after_secs=config.absent_after_secs,
        statuses=status_map(config.order_statuses),
        trades_fields=None if config.trades_fields is None else check_trade_map(config.trades_fields),
        active_fields=active,
        tpsl_fields=tpsl,
        trust_closed_quantity=config.trust_closed_quantity,
        active_quantity_is_remaining=config.active_quantity_is_remaining,
        tpsl=config.tpsl,
        order_feed=config.order_feed,
        pong_reply=config.pong_reply,
        env_prefix=env_name(OUTPOLL, "", config.environment),
    )


def _make_market(config: OutpollDataClientConfig) -> OutpollMarketFeed:
    settings = OutpollSettings(base_url_ws=config.base_url_ws or "", pong_reply=config.pong_reply)
    return OutpollMarketFeed(settings)


DOOR: Final = Door(
    name=OUTPOLL,
    account_type=AccountType.CASH,
    base_currency="USDC",
    make_venue=_make_venue,
    make_market=_make_market,
    capabilities=CAPABILITIES,
)


class OutpollLiveDataClientFactory(OrderFeedLiveDataClientFactory):
    """Makes Outpoll data clients."""

    __name__ = "OutpollLiveDataClientFactory"
    door = DOOR


class OutpollLiveExecClientFactory(OrderFeedLiveExecClientFactory):
    """Makes Outpoll execution clients."""

    __name__ = "OutpollLiveExecClientFactory"
    door = DOOR


__all__ = [
    "DOOR",
    "OUTPOLL",
    "OUTPOLL_CLIENT_ID",
    "OUTPOLL_VENUE",
    "OutpollDataClientConfig",
    "OutpollExecClientConfig",
    "OutpollLiveDataClientFactory",
    "OutpollLiveExecClientFactory",
]
