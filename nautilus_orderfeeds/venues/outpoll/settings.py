"""What an Outpoll client is told by its configuration; plain, free of the framework."""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType
from typing import ClassVar, Final

from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.venues.outpoll.assumed import TPSL_FIELDS
from nautilus_orderfeeds.venues.outpoll.words import STATUSES, VENUE
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.settings import AccountSettings


@unique
class Service(Enum):
    """The venue's services: each has its own host and no gateway (protocol, 3)."""

    ORDERS = "order-service"
    HISTORY = "history-service"
    WALLET = "wallet-mutator-view"
    EVENTS = "event-service"
    BOOK = "order-book"


ORDER_STREAM: Final = "/order/ws"
BALANCE_STREAM: Final = "/balance/ws"
BOOK_STREAM: Final = "/event/ws"


class OutpollSettings(AccountSettings, frozen=True, kw_only=True):
    """Settings of one account. What the venue does not document has its safe default (protocol, 12).

    Parameters
    ----------
    base_url_http : str
        Replaces the REST hosts of all services; empty: each has its own.
    base_url_ws : str
        Scheme, host and port of all streams; the paths are added. Empty: each has its own host.
    api_key : str
        As registered; not secret by itself, but never logged.
    api_secret : Secret
        Base64url text, as the venue shows it.
    requests_per_sec : int
        Limit of REST requests to each host.
    read_settle_secs : float
        How long the read side may lag behind what happened: absence counts only after it.
    read_gap_secs : float
        Least distance of the two readings that must agree.
    accept_secs : float
        An order taken by the venue counts as live after so long without FAILED.
    absent_after_secs : float, optional
        An order without an answer that no list shows for so long counts as never received, one that was taken as
        gone; None: never.
    statuses : Mapping[str, VenueStatus]
        What the status words mean, by the word in upper case.
    trades_fields : Mapping[str, str], optional
        Field map of ``/api/history/trades``; None: fills are derived from orders and balances.
    active_fields : Mapping[str, str]
        Field map of what active orders have besides the documented fields.
    tpsl_fields : Mapping[str, str]
        Field map of the take-profit/stop-loss list.
    trust_closed_quantity : bool
        `q` of every ended order in the history is its filled quantity, not only of FILLED ones.
    active_quantity_is_remaining : bool
        `quantity` of an active order is what is left of it.
    tpsl : bool
        Pairs of closing SELLs (take-profit and stop-loss) may be placed.
    order_feed : bool
        Listen to the Order Feed too, as a second wake-up.
    pong_reply : bool
        Answer the venue's PING.
    """

    venue: ClassVar[str] = VENUE

    base_url_http: str = ""
    base_url_ws: str = ""
    env_prefix: str = f"{VENUE}_"
    api_key: str = ""
    api_secret: Secret = Secret("")
    requests_per_sec: int = 5
    read_settle_secs: float = 6.0
    read_gap_secs: float = 1.0
    accept_secs: float = 3.0
    absent_after_secs: float | None = None
    statuses: Mapping[str, VenueStatus] = MappingProxyType(STATUSES)
    trades_fields: Mapping[str, str] | None = None
    active_fields: Mapping[str, str] = {}
    tpsl_fields: Mapping[str, str] = MappingProxyType(TPSL_FIELDS)
    trust_closed_quantity: bool = False
    active_quantity_is_remaining: bool = False
    tpsl: bool = False
    order_feed: bool = False
    pong_reply: bool = False

    def __post_init__(self) -> None:
        if self.requests_per_sec < 1:
            raise ValueError(f"requests_per_sec {self.requests_per_sec} must be at least 1")
        for name in ("read_settle_secs", "read_gap_secs", "accept_secs"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} must not be negative")

    def __repr__(self) -> str:
        return f"OutpollSettings({self.base_url_http or 'live'}, {self.base_url_ws or 'live'})"

    def http(self, service: Service) -> str:
        """Return the base URL of a service."""
        return self.base_url_http or f"https://{service.value}.outpoll.com"

    def ws(self, service: Service, path: str) -> str:
        """Return the URL of a stream."""
        return (self.base_url_ws.rstrip("/") or f"wss://{service.value}.outpoll.com") + path

    def require_credentials(self) -> None:
        """Check that everything needed to trade was given; raises `FatalFeedError` naming what is missing."""
        self.require("api_key", "api_secret")
