"""What an sFOX client is told by its configuration; plain, free of the framework."""

from enum import Enum, unique
from typing import ClassVar, Final

from msgspec import Struct

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.settings import AccountSettings, Addresses
from nautilus_orderfeeds.venues.sfox.words import VENUE, RoutingType


@unique
class SfoxEnvironment(Enum):
    """Which of the venue's installations (protocol, 2)."""

    LIVE = "live"
    SANDBOX = "sandbox"


@unique
class EnterpriseFlag(Enum):
    """How `enterprise` is written when logging in: the venue's pages differ (protocol, 3)."""

    BOOLEAN = "boolean"
    STRING = "string"


@unique
class BookKind(Enum):
    """Which order book market data comes from (protocol, 8.6)."""

    NET = "net"
    """With fees in the prices, as NetPrice routing compares them."""
    RAW = "sfox"
    """Without fees."""


@unique
class CrossedBooks(Enum):
    """What becomes of a book whose best bid is not below its best ask."""

    DROP = "drop"
    PASS = "pass"


#: Where each of them is (protocol, 2).
ADDRESSES: Final = {
    SfoxEnvironment.LIVE: Addresses("https://api.sfox.com", "wss://ws.sfox.com/ws"),
    SfoxEnvironment.SANDBOX: Addresses("https://api.staging.sfox.com", "wss://ws.staging.sfox.com/ws"),
}


class Limits(Struct, frozen=True, kw_only=True):
    """The venue's limits (protocol, 9); those per address are shared by all clients of the process.

    Parameters
    ----------
    rest_requests : int
        REST requests of this address in 10 seconds; the venue allows 250 to all processes together.
    ws_requests_per_min : int
        WebSocket requests of this address; the venue allows 40 to all processes together.
    time_scale : float
        Factor on every window and every wait: less than 1 for a venue whose time is scaled (the simulated one).
    """

    rest_requests: int = 225
    ws_requests_per_min: int = 36
    time_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.rest_requests < 1 or self.ws_requests_per_min < 4 or self.time_scale <= 0:
            raise ValueError(
                "expected rest_requests >= 1, ws_requests_per_min >= 4 (two a connection) and limit_time_scale > 0; "
                f"received {self}"
            )

    @property
    def ws_block_secs(self) -> float:
        """How long the venue blocks an address that broke the WebSocket limit."""
        return 120.0 * self.time_scale


class SfoxSettings(AccountSettings, frozen=True, kw_only=True):
    """Settings of one account, besides those of `AccountSettings`.

    Parameters
    ----------
    api_key : Secret
        Of the account, or the enterprise key.
    enterprise : bool
        The key is an enterprise key.
    user_id : str
        The end user whose account it is (enterprise only).
    enterprise_flag : EnterpriseFlag
        How the login says so.
    onboarding_events : bool
        Subscribe also to the feed that tells of end users who come to be (enterprise only).
    routing_type : RoutingType, optional
        Sent with orders that name none; None: left out.
    fiat_price_places, crypto_price_places : int
        Decimals an order's price may have, by quote currency; the venue's pages differ (protocol, 4).
    allow_negative_balances : bool
        Start although the account owes something (credit, shorting): only what it has is shown then.
    absent_after_secs : float
        How long an order whose submission was not answered must be unknown to the venue to count as never received.
    sequence_grace_secs : float, optional
        How long a skipped frame may come later than its successors; None: frames' numbers are not watched.
    book : BookKind
        Which order book market data comes from.
    crossed_books : CrossedBooks
        What becomes of crossed ones.
    limits : Limits
        The venue's limits.
    """

    venue: ClassVar[str] = VENUE

    base_url_http: str = ADDRESSES[SfoxEnvironment.LIVE].http
    base_url_ws: str = ADDRESSES[SfoxEnvironment.LIVE].ws
    env_prefix: str = f"{VENUE}_"
    api_key: Secret = Secret("")
    enterprise: bool = False
    user_id: str = ""
    enterprise_flag: EnterpriseFlag = EnterpriseFlag.BOOLEAN
    onboarding_events: bool = False
    routing_type: RoutingType | None = RoutingType.NET_PRICE
    fiat_price_places: int = 2
    crypto_price_places: int = 8
    allow_negative_balances: bool = False
    absent_after_secs: float = 120.0
    sequence_grace_secs: float | None = 1.0
    book: BookKind = BookKind.NET
    crossed_books: CrossedBooks = CrossedBooks.DROP
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        for name in ("fiat_price_places", "crypto_price_places"):
            if not 0 <= getattr(self, name) <= 8:
                raise ValueError(f"{name} {getattr(self, name)} must be between 0 and 8")
        if self.absent_after_secs < 0 or (self.sequence_grace_secs or 0.0) < 0:
            raise ValueError("absent_after_secs and sequence_grace_secs must not be negative")

    @property
    def is_elsewhere(self) -> bool:
        """Whether REST is asked of an address of the user's own and not of the venue's published ones."""
        return self.base_url_http.rstrip("/") not in {known.http for known in ADDRESSES.values()}

    def __repr__(self) -> str:
        whose = f"end user {self.user_id!r}" if self.enterprise else "own account"
        return f"SfoxSettings({self.base_url_http}, {self.base_url_ws}, {whose})"

    def require_key(self) -> None:
        """Check that there is a key; raises `FatalFeedError` naming the environment variable that may hold it."""
        self.require("api_key")

    def require_account(self) -> None:
        """Check that everything needed to trade was given.

        Raises
        ------
        FatalFeedError
            Naming what is missing, and what does not fit together.
        """
        self.require_key()
        if self.enterprise and not self.user_id:
            raise FatalFeedError(
                f"{VENUE}: an enterprise key needs the end user whose account is traded: set user_id "
                f"(or {self.variable('user_id')})"
            )
        if self.user_id and not self.enterprise:
            raise FatalFeedError(f"{VENUE}: user_id is for enterprise keys only: set enterprise=True, or leave it out")
